import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { GatewayError, isGatewayError } from '../errors.ts';
import type { HttpAnswer, HttpRequest } from '../providers/http-client.ts';

/** Bytes that may wait here before the provider is paused. */
const HIGH_WATER_BYTES = 64 * 1024;
/** How much, and for how long, the rest of an answer that nobody needs may go on before its connection is given up. */
const DISCARD_BYTES = 64 * 1024;
const DISCARD_MS = 1_000;

export interface UndiciExchangeOptions extends Pick<HttpRequest, 'signal' | 'headersTimeoutMs'> {
  readonly answer: (answer: HttpAnswer) => void;
  readonly fail: (error: Error) => void;
  /** Called once, when nothing more comes of it. */
  readonly onEnd: (exchange: UndiciExchange) => void;
}

/**
 * One request and its answer on an undici connection: undici's handler on one side, the answer with its body on the other.
 *
 * The body is pulled. All that came in since the last pull is given at once, so a burst of events goes on in one write,
 * and while nobody pulls the connection is paused.
 */
export class UndiciExchange implements Dispatcher.DispatchHandler, HttpAnswer, AsyncIterable<Uint8Array> {
  status = 0;
  headers: Readonly<Record<string, string | undefined>> = {};
  readonly body: AsyncIterable<Uint8Array> = this;

  readonly #signal: AbortSignal;
  readonly #onEnd: (exchange: UndiciExchange) => void;
  #answer: ((answer: HttpAnswer) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #wake: (() => void) | undefined;
  #ended = false;
  #error: Error | undefined;
  #discarded = false;
  #discardedBytes = 0;
  /** Until the headers are there, and again after `discard`. */
  #alarm: ReturnType<typeof setTimeout> | undefined;

  constructor({ signal, headersTimeoutMs, answer, fail, onEnd }: UndiciExchangeOptions) {
    this.#signal = signal;
    this.#answer = answer;
    this.#fail = fail;
    this.#onEnd = onEnd;
    if (signal.aborted) {
      this.#end(reasonOf(signal));
      return;
    }
    signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#alarm = setTimeout(() => this.#close(noAnswerInTime()), headersTimeoutMs);
  }

  /** True when nothing can come of it any more. */
  get over(): boolean {
    return this.#ended;
  }

  // --- undici's side ---

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended) controller.abort(this.#error ?? new Error('ended'));
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    clearTimeout(this.#alarm);
    this.status = status;
    this.headers = flatten(headers);
    const answer = this.#answer;
    this.#answer = this.#fail = undefined;
    answer?.(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#discarded) {
      this.#discardedBytes += chunk.length;
      if (this.#discardedBytes > DISCARD_BYTES) this.#close(new Error('the rest of the answer is too long'));
      return;
    }
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= HIGH_WATER_BYTES) controller.pause();
    this.#wakeReader();
  }

  onResponseEnd(): void {
    this.#end(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end(this.#signal.aborted ? reasonOf(this.#signal) : toGatewayError(error, this.status !== 0));
  }

  // --- the reader's side ---

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#queue.length === 0 && !this.#ended) await new Promise<void>((wake) => (this.#wake = wake));
    const [first, ...more] = this.#queue;
    if (first !== undefined) {
      const value = more.length === 0 ? first : Buffer.concat(this.#queue, this.#queuedBytes);
      this.#queue = [];
      this.#queuedBytes = 0;
      if (this.#controller?.paused === true) this.#controller.resume();
      return { value, done: false };
    }
    if (this.#error !== undefined) throw this.#error;
    return { value: undefined, done: true };
  }

  /** A reader that stops early wants no more of it. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.discard();
    return Promise.resolve({ value: undefined, done: true });
  }

  discard(): void {
    if (this.#ended || this.#discarded) return;
    this.#discarded = true;
    this.#queue = [];
    this.#alarm = setTimeout(() => this.#close(new Error('the rest of the answer takes too long')), DISCARD_MS);
    this.#alarm.unref();
    if (this.#controller?.paused === true) this.#controller.resume();
  }

  abort(reason: Error): void {
    this.#close(reason);
  }

  readonly #onAbort = (): void => this.#close(reasonOf(this.#signal));

  #close(reason: Error): void {
    if (this.#ended) return;
    this.#end(reason);
    this.#controller?.abort(reason);
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    clearTimeout(this.#alarm);
    this.#signal.removeEventListener('abort', this.#onAbort);
    const fail = this.#fail;
    this.#answer = this.#fail = undefined;
    fail?.(error ?? new GatewayError('upstream_protocol', 'The provider ended the exchange without an answer.'));
    this.#wakeReader();
    this.#onEnd(this);
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('aborted', { cause: signal.reason });
}

/** undici gives a repeated header as an array; of those the last counts. */
function flatten(headers: IncomingHttpHeaders): Record<string, string | undefined> {
  const flat: Record<string, string | undefined> = {};
  for (const [name, value] of Object.entries(headers)) flat[name] = Array.isArray(value) ? value.at(-1) : value;
  return flat;
}

function noAnswerInTime(): GatewayError {
  return new GatewayError('upstream_timeout', 'The provider did not answer in time.');
}

/** The machine has no more files, ports or memory for sockets to give to this process: no fault of a provider's. */
const EXHAUSTED = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS', 'ENOMEM']);

/** What went wrong on the wire, in our words; undici's own error is kept as the cause. */
function toGatewayError(error: Error, answered: boolean): Error {
  if (isGatewayError(error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'UND_ERR_CONNECT_TIMEOUT':
      return new GatewayError('upstream_timeout', 'The provider could not be connected to in time.', { cause: error });
    case 'UND_ERR_BODY_TIMEOUT':
      return new GatewayError('upstream_timeout', 'The provider fell silent in the middle of its answer.', {
        cause: error,
      });
    default:
  }
  if (EXHAUSTED.has(code)) {
    return new GatewayError('overloaded', 'The gateway has no connections left. Try again in a moment.', {
      cause: error,
    });
  }
  if (
    // By its name: undici 8.12 leaves its code out.
    error.name === 'HTTPParserError' ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  ) {
    return new GatewayError('upstream_protocol', 'The provider broke the rules of HTTP.', { cause: error });
  }
  return answered
    ? new GatewayError('upstream_disconnected', 'The provider broke off in the middle of its answer.', { cause: error })
    : new GatewayError('upstream_unavailable', 'The provider could not be reached.', { cause: error });
}
