/**
 * The members of Anthropic's JSON that we read, loosely: anything may be missing or of another type until looked at.
 * Source: https://docs.anthropic.com/en/api/messages and https://docs.anthropic.com/en/docs/build-with-claude/streaming
 */
import type { JsonValue } from '../../chat/json.ts';

export interface WireUsage {
  readonly input_tokens?: JsonValue;
  readonly cache_read_input_tokens?: JsonValue;
  readonly cache_creation_input_tokens?: JsonValue;
  /** How long the writes last: `ephemeral_5m_input_tokens`, `ephemeral_1h_input_tokens`. */
  readonly cache_creation?: JsonValue;
  readonly output_tokens?: JsonValue;
  readonly output_tokens_details?: JsonValue;
}

/** A complete answer; also the `message` of `message_start`. */
export interface WireMessage {
  readonly type?: JsonValue;
  readonly id?: JsonValue;
  readonly model?: JsonValue;
  readonly content?: JsonValue;
  readonly stop_reason?: JsonValue;
  readonly stop_sequence?: JsonValue;
  readonly usage?: JsonValue;
  readonly error?: JsonValue;
}

/** A content block of an answer, of any type. */
export interface WireBlock {
  readonly type?: JsonValue;
  readonly text?: JsonValue;
  readonly thinking?: JsonValue;
  readonly signature?: JsonValue;
  readonly data?: JsonValue;
  readonly id?: JsonValue;
  readonly name?: JsonValue;
  readonly input?: JsonValue;
  readonly citations?: JsonValue;
}

/** What a `content_block_delta` adds, of any type; with `stop_reason` the delta of a `message_delta`. */
export interface WireDelta {
  readonly type?: JsonValue;
  readonly text?: JsonValue;
  readonly thinking?: JsonValue;
  readonly signature?: JsonValue;
  readonly partial_json?: JsonValue;
  readonly citation?: JsonValue;
  readonly stop_reason?: JsonValue;
  readonly stop_sequence?: JsonValue;
}

/** An event of a stream, of any type. */
export interface WireEvent {
  readonly type?: JsonValue;
  readonly index?: JsonValue;
  readonly message?: JsonValue;
  readonly content_block?: JsonValue;
  readonly delta?: JsonValue;
  readonly usage?: JsonValue;
  readonly error?: JsonValue;
}

/** The `type` of an event, block or delta; empty when it has none. */
export function typeOf({ type }: { readonly type?: JsonValue }): string {
  return typeof type === 'string' ? type : '';
}
