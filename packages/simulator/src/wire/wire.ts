import type { IncomingHttpHeaders } from 'node:http';
import type { Answer, Ask } from '../answer.ts';

/** One route of a provider's API as its servers speak it. */
export interface Wire {
  readonly name: WireName;
  readonly method: 'GET' | 'POST';
  /** The route below the provider's base address. */
  readonly route: string;
  /** Answers hold parts of the request, so those to requests that ask for the same differ. */
  readonly repeatsRequest?: boolean;
  /** @throws Refusal when no key, or the key `wrong…`, was sent. */
  checkKey(headers: IncomingHttpHeaders): void;
  /** @throws Refusal as the provider words it. */
  readRequest(body: unknown): Ask;
  /** The events of a streamed answer. */
  writeStream(answer: Answer, ask: Ask): StreamEvent[];
  /** The body of an answer that is not streamed. */
  writeAnswer(answer: Answer, ask: Ask): string;
  /** The body of an error answer. */
  writeError(refusal: Refusal, requestId: string): string;
  /** An error event inside a stream of status 200. */
  writeStreamError(failure: StreamFailure): string;
  /** An event with a piece of text that is not escaped, for faults that break it. */
  writeRawDelta(text: string): string;
  /** What keeps an idle stream alive. */
  readonly ping: string;
  /** The refusal that goes with a status, for failures on demand. */
  toRefusal(status: number): Refusal;
  /** The prompt does not fit into the model's context. */
  readonly contextRefusal: Refusal;
  /** Headers of every answer. */
  headers(requestId: string): Record<string, string>;
}

export type WireName = 'openai' | 'vllm' | 'anthropic';

/** A stream that fails on its way. */
export interface StreamFailure {
  /** What would have been answered. */
  readonly answer: Answer;
  readonly ask: Ask;
  readonly eventsBefore: number;
}

/** One event of a stream with its blank line. Only `content` events carry a token. */
export interface StreamEvent {
  readonly kind: 'start' | 'content' | 'finish' | 'usage' | 'terminator';
  readonly text: string;
}

/** A request that the provider turns down. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly type: string;
  readonly code: string | null;
  readonly param: string | null;

  constructor(message: string, facts: { status: number; type: string; code?: string; param?: string }) {
    super(message);
    this.status = facts.status;
    this.type = facts.type;
    this.code = facts.code ?? null;
    this.param = facts.param ?? null;
  }
}

/** Seconds since 1970 at which every simulated answer was made; fixed, so that equal requests get equal bytes. */
export const CREATED = 1_760_000_000;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** All text of a message's content, be it a string or a list of parts. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('');
}
