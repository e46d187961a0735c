import type { ServerResponse } from 'node:http';

/** Silence after which a stream gets a comment, so that proxies in between do not take it for dead. */
const SILENCE_MS = 15_000;
const KEEP_ALIVE = ': keep-alive\n\n';

/** One ticker for the heartbeats of all streams of the process. */
export interface Heartbeat {
  /** Streams that are open now. */
  readonly size: number;
  /** Watches a stream from its first byte on; to be told of the end by `remove`. */
  add(response: ServerResponse): void;
  remove(response: ServerResponse): void;
  stop(): void;
}

/**
 * Writes a comment to every stream that has been silent for 15 s. Output is only ever written in whole events, so any
 * moment is one between two events. A stream whose reader does not read gets none: it would only wait in memory.
 */
export function createHeartbeat(now: () => number): Heartbeat {
  /** When each stream was last seen to move, and how many bytes it had written then. */
  const streams = new Map<ServerResponse, { bytes: number; since: number }>();
  const ticker = setInterval(() => {
    const time = now();
    for (const [response, seen] of streams) {
      const bytes = response.socket?.bytesWritten ?? 0;
      if (bytes !== seen.bytes) {
        seen.bytes = bytes;
        seen.since = time;
      } else if (time - seen.since >= SILENCE_MS - 1_000 && response.writableLength === 0) {
        response.write(KEEP_ALIVE);
      }
    }
  }, 1_000);
  ticker.unref();
  return {
    get size() {
      return streams.size;
    },
    add: (response) => streams.set(response, { bytes: response.socket?.bytesWritten ?? 0, since: now() }),
    remove: (response) => streams.delete(response),
    stop: () => clearInterval(ticker),
  };
}
