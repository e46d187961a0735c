import { GatewayError } from '../errors.ts';
import type { UndiciExchange } from './undici-exchange.ts';

/**
 * Lets as many exchanges begin at a time as there may be connections. The others wait here and not with undici, which would
 * keep the bodies of those that have given up.
 */
export class ConnectionSlots {
  readonly #most: number;
  readonly #longestWaitMs: number;
  readonly #running = new Set<UndiciExchange>();
  /** In the order in which they came: how each is begun, and the alarm that ends its wait. */
  readonly #waiting = new Map<UndiciExchange, { readonly begin: () => void; readonly alarm: NodeJS.Timeout }>();

  constructor(most: number, longestWaitMs: number) {
    this.#most = most;
    this.#longestWaitMs = longestWaitMs;
  }

  /** Begins the exchange now, or when a connection is free; after the longest wait it ends as `upstream_busy`. */
  enter(exchange: UndiciExchange, begin: () => void): void {
    if (this.#running.size < this.#most) {
      this.#begin(exchange, begin);
      return;
    }
    const busy = new GatewayError('upstream_busy', 'All connections that may be made to the provider are in use.');
    const alarm = setTimeout(() => exchange.abort(busy), this.#longestWaitMs);
    this.#waiting.set(exchange, { begin, alarm });
  }

  /** To be called when an exchange has ended, whether it had begun or not. */
  leave(exchange: UndiciExchange): void {
    if (this.#running.delete(exchange)) {
      this.#beginNext();
      return;
    }
    clearTimeout(this.#waiting.get(exchange)?.alarm);
    this.#waiting.delete(exchange);
  }

  #beginNext(): void {
    for (const [next, { begin, alarm }] of this.#waiting) {
      clearTimeout(alarm);
      this.#waiting.delete(next);
      this.#begin(next, begin);
      return;
    }
  }

  #begin(exchange: UndiciExchange, begin: () => void): void {
    this.#running.add(exchange);
    begin();
  }
}
