import { GatewayError } from '@tokenhub/core';
import type { Capacity } from './capacity.ts';

/** Keeps a process from taking on more than it can: what is beyond its capacity is refused at once, what runs is left alone. */
export interface Gate {
  /** Requests refused so far. */
  readonly refused: number;
  /** To be called first for every chat. @throws GatewayError `overloaded`, `shutting_down` */
  enter(): void;
  /** Waits for the quota store in a queue with a bound. @throws GatewayError `overloaded`, and what `ask` throws. */
  admit<Answer>(ask: () => Promise<Answer>): Promise<Answer>;
}

export interface GateOptions {
  readonly capacity: Capacity;
  /** How many chat requests there are, the one that enters included. */
  readonly inFlight: () => number;
  /** The process is ending and takes nothing new. */
  readonly isClosed: () => boolean;
}

export function createGate({ capacity, inFlight, isClosed }: GateOptions): Gate {
  let waiting = 0;
  let refused = 0;

  function refuse(): never {
    refused++;
    throw new GatewayError('overloaded', 'The gateway serves as many requests as it can. Try again in a moment.');
  }

  return {
    get refused() {
      return refused;
    },
    enter() {
      if (isClosed()) throw new GatewayError('shutting_down', 'The gateway is shutting down. Send the request again.');
      if (inFlight() > capacity.requests) refuse();
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
