import { GatewayError } from '@tokenhub/core';
import type { Capacity } from './capacity.ts';

/** Keeps a process from taking on more than it can: what is beyond its capacity is refused at once, what runs is left alone. */
export interface Gate {
  /** Requests refused so far. */
  readonly refused: number;
  /** For every request. @throws GatewayError `shutting_down` */
  pass(): void;
  /**
   * For a chat: to be called before its body is read, with its length, 0 where that is not said, and once more when the chat begins.
   * @throws GatewayError `overloaded`, `shutting_down`
   */
  enter(bodyBytes?: number): void;
  /** Waits for the quota store in a queue with a bound. @throws GatewayError `overloaded`, and what `ask` throws. */
  admit<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
}

export interface GateOptions {
  readonly capacity: Capacity;
  /** The chat requests that there are, the one that begins included. */
  readonly inFlight: { readonly size: number; readonly bodyBytes: number };
  /** The process is ending and takes nothing new. */
  readonly isClosed: () => boolean;
}

export function createGate({ capacity, inFlight, isClosed }: GateOptions): Gate {
  let waiting = 0;
  let refused = 0;

  function pass(): void {
    if (isClosed()) throw new GatewayError('shutting_down', 'The gateway is shutting down. Send the request again.');
  }

  function refuse(): never {
    refused++;
    throw new GatewayError('overloaded', 'The gateway serves as many requests as it can. Try again in a moment.');
  }

  return {
    get refused() {
      return refused;
    },
    pass,
    enter(bodyBytes = 0) {
      pass();
      if (inFlight.size > capacity.requests || inFlight.bodyBytes + bodyBytes > capacity.bodyBytes) refuse();
    },
    async admit(ask) {
      if (waiting >= capacity.admissions) refuse();
      waiting++;
      try {
        return await ask();
      } finally {
        waiting--;
      }
    },
  };
}
