import type { IncomingHttpHeaders } from 'node:http';
import type { Directives } from './directives.ts';
import type { WireName } from './wire/wire.ts';

/** One request as the simulator saw it; `requests` of the simulator holds the latest ones, and they change while they run. */
export interface SimulatedRequest {
  /** Counts from 1. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Monotonic, in milliseconds (`performance.now()`), to compare with a test's own clock. */
  readonly receivedAtMs: number;
  readonly path: string;
  /** Undefined for a path that no provider serves. */
  readonly dialect: WireName | undefined;
  readonly headers: IncomingHttpHeaders;
  /** The parsed JSON body; undefined until it has arrived or when it is not JSON. */
  readonly body: unknown;
  readonly directives: Directives;
  /** Undefined until the status line is out. */
  readonly status: number | undefined;
  /** Tokens handed to the socket: the truth for a bill of a stream that was cut. */
  readonly tokensSent: number;
  /**
   * `open`: under way. `answered`: sent to its end, be it good or bad. `refused`: the request itself was wrong.
   * `broken`: the simulator cut the connection. `client_closed`: the other side did. `shutdown`: `close()` did.
   */
  readonly outcome: 'open' | 'answered' | 'refused' | 'broken' | 'client_closed' | 'shutdown';
  /** Monotonic like {@link receivedAtMs}: when the answer was out or the socket under it closed, whichever came first; undefined before. */
  readonly closedAtMs: number | undefined;
}

/** {@link SimulatedRequest} as the simulator itself writes it. */
export type LogEntry = { -readonly [Member in keyof SimulatedRequest]: SimulatedRequest[Member] };

/** The latest `capacity` requests, oldest first. */
export class RequestLog {
  readonly #capacity: number;
  #entries: LogEntry[] = [];
  #number = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  open(path: string, headers: IncomingHttpHeaders): LogEntry {
    const entry: LogEntry = {
      number: ++this.#number,
      time: Date.now(),
      receivedAtMs: performance.now(),
      path,
      dialect: undefined,
      headers,
      body: undefined,
      directives: {},
      status: undefined,
      tokensSent: 0,
      outcome: 'open',
      closedAtMs: undefined,
    };
    this.#entries.push(entry);
    // Cut only when twice full: dropping one entry per request would move the whole list each time.
    if (this.#entries.length >= 2 * this.#capacity) this.#entries = this.#entries.slice(-this.#capacity);
    return entry;
  }

  get entries(): readonly SimulatedRequest[] {
    return this.#entries.slice(-this.#capacity);
  }
}
