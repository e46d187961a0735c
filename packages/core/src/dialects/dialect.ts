import type { ChatRequest, Loss, ReasoningPart } from '../chat/chat-request.ts';
import type { JsonObject } from '../chat/json.ts';
import type { FinishReason, StreamPart } from '../chat/stream-part.ts';
import type { ReportedUsage } from '../chat/usage.ts';
import type { Receipt } from '../cost/receipt.ts';
import type { GatewayError } from '../errors.ts';
import type { SseLimits } from '../sse/limits.ts';
import type { Quirks } from './quirks.ts';

/** `openai` is chat completions, `responses` OpenAI's newer API. */
export type DialectName = 'openai' | 'anthropic' | 'responses' | 'embeddings';

/**
 * A wire format with everything that reads and writes it: THE port of this package.
 *
 * When caller and provider speak one dialect, the caller's JSON goes up by {@link patchRequest} and the provider's bytes
 * come down as they are, looked at only by a {@link Meter}. When they differ, one dialect's reader feeds the other's
 * writer with the neutral words of `chat/`. A new format is one new folder beside these, and works with every old one.
 */
export interface Dialect {
  readonly name: DialectName;
  /** Longest answer that is not streamed; absent: the 32 MiB that suffice for any text. */
  readonly maxAnswerBytes?: number | undefined;
  /** Bounds of a provider's stream, where its events hold more than others do. */
  readonly streamLimits?: SseLimits | undefined;
  /** Whether its vendor takes this piece of an earlier turn's reasoning; what is not taken stays behind. Absent: servers differ. */
  readonly takesReasoning?: ((part: ReasoningPart) => boolean) | undefined;

  /**
   * Reads a caller's JSON and checks every member it knows.
   * @throws GatewayError `invalid_parameter` or `unknown_parameter`, with `param` set and the message saying what would be right.
   */
  readRequest(body: JsonObject): ChatRequest;
  /** The body for a provider of this dialect when the caller speaks it too: the caller's own JSON, target's model, usage asked for. */
  patchRequest(request: ChatRequest, target: RequestTarget): JsonObject;
  /**
   * The body for a provider of this dialect when the caller speaks another, with all that this dialect has words for.
   * @throws GatewayError `invalid_parameter` for what no provider of this dialect could make sense of.
   */
  writeRequest(request: ChatRequest, target: RequestTarget): WrittenRequest;

  /** A complete, not streamed answer as parts, `usage` and `finish` included. @throws GatewayError `upstream_protocol`. */
  readAnswer(answer: JsonObject): StreamPart[];
  /** Parts as one complete answer; `usage` carries the receipt's counts and the exact cost as a JSON number. */
  writeAnswer(parts: readonly StreamPart[], identity: AnswerIdentity, receipt: Receipt): string;
  /**
   * The JSON text of a provider's complete answer with `usage.cost` set to the receipt's cost, the rest byte for byte as it was
   * but for what the provider's quirks leave out.
   */
  patchAnswer(answer: string, receipt: Receipt, quirks?: Quirks): string;

  createStreamReader(): StreamReader;
  createStreamWriter(identity: AnswerIdentity, options: StreamOptions): StreamWriter;
  createMeter(options: StreamOptions): Meter;
  /**
   * What ends a good stream of this dialect when the provider's own terminator did not pass: `data: [DONE]` or a
   * `message_stop` event, blank line included.
   */
  readonly terminator: string;

  /** What a provider's error answer (a status other than 2xx) means. Its text is read for classification only, never passed on. */
  readError(answer: ErrorAnswer): GatewayError;
  /** The body of an error answer. */
  writeError(error: GatewayError, requestId: string): JsonObject;
  /** The last event of a stream that failed after its first content, blank line included. `sequence`: {@link StreamFacts.sequence}. */
  writeStreamError(error: GatewayError, requestId: string, sequence?: number): string;
}

/** Where a request goes. */
export interface RequestTarget {
  /** The model's name at the provider. */
  readonly model: string;
  /** Most tokens the model can answer with; dialects that require a bound send this when the caller gave none. */
  readonly maxOutputTokens?: number | undefined;
  /** Where the provider differs from the vendor of its dialect; absent: nowhere. */
  readonly quirks?: Quirks | undefined;
}

/** A request as it goes to a provider that speaks another dialect than the caller. */
export interface WrittenRequest {
  readonly body: JsonObject;
  /** What the caller asked for and is not in `body`; empty as a rule. */
  readonly losses: readonly Loss[];
}

/** What an answer written by us says of itself. */
export interface AnswerIdentity {
  /** Our request id; the answer's own id is made from it. */
  readonly requestId: string;
  /** The model id as TokenHub's callers know it. */
  readonly model: string;
  /** Seconds since 1970. */
  readonly created: number;
  /** What it answers, for formats that repeat it. */
  readonly request?: ChatRequest | undefined;
}

/** What a stream is read and written with. */
export interface StreamOptions {
  /** The caller asked for the usage chunk. */
  readonly includeUsage: boolean;
  /** Where the provider differs from the vendor of its dialect; absent: nowhere. */
  readonly quirks?: Quirks | undefined;
  /** How many choices were asked for; the stream is finished when each has its finish reason. */
  readonly choices: number;
  /** What the request costs by what is known of its usage now. Called at most a few times per stream. */
  readonly price: (usage: ReportedUsage | undefined, countedTokens: number) => Receipt;
}

/** What a stream has said so far. All of it is plain state, cheap to read at any time. */
export interface StreamFacts {
  /** A valid content event was seen (text, reasoning, tool call, refusal, or a finish reason): the commit point. */
  readonly started: boolean;
  /**
   * The model has begun to think, whether or not anything of it will be seen (a thinking block, a reasoning item): the
   * provider is not silent, but this is no content yet. Absent in dialects that do not say so.
   */
  readonly thinking?: boolean | undefined;
  /** Every choice has its finish reason. */
  readonly finished: boolean;
  /** The dialect's terminator was seen. */
  readonly terminated: boolean;
  /** The first choice's finish reason. */
  readonly finishReason: FinishReason | undefined;
  /** The last usage that the provider reported; merged over events where the dialect splits it (Anthropic). */
  readonly usage: ReportedUsage | undefined;
  /** The provider's own error inside the stream. */
  readonly error: GatewayError | undefined;
  /** Our own count of output tokens, for bills without a provider's usage: the larger of content events and text bytes / 4. */
  readonly countedTokens: number;
  /** The number of the next event, in dialects that number them. */
  readonly sequence?: number | undefined;
}

/**
 * Picks from the events that are relayed what the gateway must know, at next to no cost: it searches bytes and parses
 * only the few events that matter. It also decides the few events that a caller must not get as they are.
 */
export interface Meter extends StreamFacts {
  /** Looks at one whole event, `bytes[start, end)`, its blank line included. */
  read(bytes: Uint8Array, start: number, end: number): EventVerdict;
  /** After the verdict `rewrite`: the event as it goes out. */
  readonly rewritten: Uint8Array;
  /** At the end: the terminator as it goes out; `undefined` when that is as it came, or the dialect's own when none came. */
  readonly terminator?: string | undefined;
  /**
   * For speed alone, a dialect may leave it out: reads the events from `start` on, one after another, as long as they are
   * whole and like ones that were read before, without anybody having looked for their ends. Gives the end of the last, a
   * border as an event splitter would have found it; `start` when there is none. None of them is terminator or error.
   */
  readRun?(bytes: Uint8Array, start: number): number;
  /** What goes out for the events of the last run; `undefined` when they go out as they are. */
  readonly runOutput?: Uint8Array | undefined;
}

/**
 * What becomes of a relayed event: `pass` as it is · `drop` it (a usage chunk nobody asked for) · `rewrite` it (take
 * {@link Meter.rewritten}) · `done`: the terminator, held until the stream is ended · `error`: see `facts.error`;
 * this event and all after it stay here.
 */
export type EventVerdict = 'pass' | 'drop' | 'rewrite' | 'done' | 'error';

/** Turns the events of a provider's stream into parts. */
export interface StreamReader {
  /** {@link StreamFacts.thinking}. */
  readonly thinking?: boolean | undefined;
  /**
   * Takes one SSE event. `event` is its name (`message` where it has none).
   * @throws GatewayError `upstream_protocol` for data that is not of this dialect.
   */
  read(event: string, data: string, emit: (part: StreamPart) => void): void;
}

/** Turns parts into the events of a stream to a caller. */
export interface StreamWriter {
  /** The number of the next event, in dialects that number them. */
  readonly sequence?: number | undefined;
  /** The events that this part makes, each with its blank line; often none, sometimes several. */
  write(part: StreamPart): string;
  /** The events that end a good stream, terminator included. Called once, after the last part. */
  end(receipt: Receipt): string;
}

/** A provider's answer with a status other than 2xx. */
export interface ErrorAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The first bytes of the body as text, at most 64 KiB. */
  readonly body: string;
  /** The caller's own JSON: a place in a request that the provider blames is named as far as it is in there. */
  readonly request?: JsonObject | undefined;
}
