import type { ServerResponse } from 'node:http';
import { GatewayError } from '@tokenhub/core';

/** Silence after which a stream gets a comment, so that proxies in between do not take it for dead; looked for once a second. */
const SILENCE_MS = 14_000;
/** How long a caller may leave what it asked for unread. */
const STALLED_MS = 60_000;

/** A caller's exchange while it lasts: its one signal ends everything that is done for it. */
export class Exchange {
  /** Length of the request's body; 0 where it was not said. */
  readonly bodyBytes: number;
  readonly #response: ServerResponse;
  readonly #onEnd: () => void;
  readonly #controller = new AbortController();
  #isComplete = false;
  #isHandled = false;
  #isGone = false;
  #isStreaming = false;
  #beat: (() => void) | undefined;
  /** What its socket had written and what was waiting when it last moved, and when that was. */
  #written = -1;
  #waiting = 0;
  #movedAt: number;

  /** @param onEnd called once, when nothing more is done for it and its socket has taken or lost all of it. */
  constructor(response: ServerResponse, now: number, onEnd: () => void) {
    this.bodyBytes = Number(response.req.headers['content-length'] ?? 0);
    this.#response = response;
    this.#onEnd = onEnd;
    this.#movedAt = now;
    response.once('close', () => {
      this.#isGone = true;
      if (this.#isHandled) this.#onEnd();
      else if (!this.#isComplete) this.abort(new GatewayError('client_cancelled', 'The caller left.'));
    });
    // Writing to a caller that is gone fails; that it is gone is known by `close`.
    response.on('error', () => {});
  }

  /** Aborted when the caller leaves or does not read before its answer is complete, or when the process must end; the reason is a GatewayError. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True while a stream is opened or relayed. */
  get isStreaming(): boolean {
    return this.#isStreaming;
  }

  /** A stream is opened; `beat` is called whenever it has been silent for 15 s, from now on to its end. */
  stream(beat: (() => void) | undefined): void {
    this.#isStreaming = true;
    this.#beat = beat;
  }

  /** The whole answer was handed to the socket: leaving is no cancellation any more. */
  complete(): void {
    this.#isComplete = true;
    this.#isStreaming = false;
    this.#beat = undefined;
  }

  /** Nothing more is done for it; its last bytes may still be under way. */
  close(): void {
    this.complete();
    this.#isHandled = true;
    if (this.#isGone) this.#onEnd();
  }

  /** Ends what is done for it; nothing when all is done and the caller has only to take it. */
  abort(reason: GatewayError): void {
    if (!this.#isHandled) this.#controller.abort(reason);
  }

  /** Ends it whatever the caller still has to take. */
  cut(reason: GatewayError): void {
    if (this.#isHandled) this.#response.destroy();
    else this.#controller.abort(reason);
  }

  /** To be called every second. */
  tick(now: number): void {
    const written = this.#response.socket?.bytesWritten ?? 0;
    const waiting = this.#response.writableLength;
    const silentMs = now - this.#movedAt;
    if (written !== this.#written || waiting !== this.#waiting) {
      this.#written = written;
      this.#waiting = waiting;
      this.#movedAt = now;
    } else if (waiting > 0) {
      if (silentMs >= STALLED_MS) this.cut(new GatewayError('client_stalled', 'The caller stopped reading.'));
    } else if (silentMs >= SILENCE_MS) {
      this.#beat?.();
    }
  }
}
