import type { ServerResponse } from 'node:http';
import { GatewayError } from '@tokenhub/core';
import { Exchange } from './exchange.ts';

/** The exchanges of this process, each until its last byte has been taken. */
export interface Exchanges {
  readonly size: number;
  /** Of all their requests' bodies. */
  readonly bodyBytes: number;
  /** How many of them are streams that are opened or relayed. */
  readonly streams: number;
  /** To be called before the first wait, so that no departure is missed. */
  open(response: ServerResponse): Exchange;
  /** Resolves when all exchanges that there are now have ended, however many have begun meanwhile. */
  ended(): Promise<void>;
  /**
   * Resolves when all exchanges have ended; after `timeoutMs` those that are left are ended, and cut a second later if their
   * callers do not read even then. A later call may be less patient.
   */
  drain(timeoutMs: number): Promise<void>;
  stop(): void;
}

const TICK_MS = 1_000;
/** For the last event of a stream to reach its caller. */
const FLUSH_MS = 1_000;

/** @param now a clock in milliseconds that never goes back. One timer serves all exchanges. */
export function createExchanges(now: () => number): Exchanges {
  const live = new Set<Exchange>();
  let bodyBytes = 0;
  /** Those who wait, and for which exchanges. */
  const waiting = new Set<{ readonly left: Set<Exchange>; readonly resolve: () => void }>();
  const ticker = setInterval(() => {
    const time = now();
    for (const exchange of live) exchange.tick(time);
  }, TICK_MS);
  ticker.unref();

  function end(exchange: Exchange): void {
    live.delete(exchange);
    bodyBytes -= exchange.bodyBytes;
    for (const waiter of waiting) {
      if (!waiter.left.delete(exchange) || waiter.left.size > 0) continue;
      waiting.delete(waiter);
      waiter.resolve();
    }
  }

  function ended(): Promise<void> {
    if (live.size === 0) return Promise.resolve();
    return new Promise((resolve) => waiting.add({ left: new Set(live), resolve }));
  }

  function endAll(how: 'abort' | 'cut'): void {
    const reason = new GatewayError('gateway_shutdown', 'The gateway was shut down. Send the request again.');
    for (const exchange of live) exchange[how](reason);
  }

  return {
    get size() {
      return live.size;
    },
    get bodyBytes() {
      return bodyBytes;
    },
    get streams() {
      let count = 0;
      for (const { isStreaming } of live) if (isStreaming) count++;
      return count;
    },
    open(response) {
      const exchange = new Exchange(response, now(), () => end(exchange));
      live.add(exchange);
      bodyBytes += exchange.bodyBytes;
      return exchange;
    },
    ended,
    async drain(timeoutMs) {
      const timers = [setTimeout(endAll, timeoutMs, 'abort'), setTimeout(endAll, timeoutMs + FLUSH_MS, 'cut')];
      while (live.size > 0) await ended();
      for (const timer of timers) clearTimeout(timer);
    },
    stop: () => clearInterval(ticker),
  };
}
