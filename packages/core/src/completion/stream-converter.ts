import type { StreamFacts } from '../dialects/dialect.ts';
import type { Receipt } from '../cost/receipt.ts';
import type { GatewayError } from '../errors.ts';

/** Bytes, or text that becomes UTF-8 bytes when it is written. */
export type Output = Uint8Array | string;

/**
 * Turns a provider's bytes into the caller's bytes and notes what they say. There are two: the relay, when both sides
 * speak one dialect, and the translator, when they do not.
 */
export interface StreamConverter {
  readonly facts: StreamFacts;
  /**
   * Takes what one read gave; gives what can go out of it, empty when nothing can.
   * After the provider's terminator or its error nothing more is given.
   * @throws GatewayError `upstream_protocol` for bytes that no good stream holds.
   */
  push(chunk: Uint8Array): Output;
  /** The events that end a good stream, terminator included. Called once. */
  end(receipt: Receipt): string;
  /** The event that ends a stream which has failed. */
  fail(error: GatewayError, requestId: string): string;
}
