import type { ServerResponse } from 'node:http';
import { GatewayError } from '@tokenhub/core';

/** A caller's exchange while it lasts: its one signal ends everything that is done for it. */
export interface Exchange {
  /** Aborted when the caller leaves before its answer is complete, or when the process must end; the reason is a GatewayError. */
  readonly signal: AbortSignal;
  /** The whole answer was handed to the socket: leaving is no cancellation any more. */
  complete(): void;
  /** Nothing more is done for it. */
  close(): void;
}

/** All exchanges of this process. */
export interface Exchanges {
  readonly size: number;
  /** To be called before the first wait, so that no departure is missed. */
  open(response: ServerResponse): Exchange;
  /** Resolves when all exchanges have ended; after `timeoutMs` those that are left are ended. A later call may be less patient. */
  drain(timeoutMs: number): Promise<void>;
}

export function createExchanges(): Exchanges {
  const live = new Set<AbortController>();
  const onIdle = new Set<() => void>();

  return {
    get size() {
      return live.size;
    },
    open(response) {
      const controller = new AbortController();
      let completed = false;
      live.add(controller);
      response.once('close', () => {
        if (!completed) controller.abort(new GatewayError('client_cancelled', 'The caller left.'));
      });
      // Writing to a caller that is gone fails; that it is gone is known by `close`.
      response.on('error', () => {});
      return {
        signal: controller.signal,
        complete: () => void (completed = true),
        close: () => {
          completed = true;
          live.delete(controller);
          if (live.size === 0) for (const resolve of onIdle) resolve();
        },
      };
    },
    async drain(timeoutMs) {
      if (live.size === 0) return;
      const idle = new Promise<void>((resolve) => onIdle.add(resolve));
      const deadline = setTimeout(() => {
        const reason = new GatewayError('shutting_down', 'The gateway is shutting down. Send the request again.');
        for (const controller of live) controller.abort(reason);
      }, timeoutMs);
      await idle;
      clearTimeout(deadline);
    },
  };
}
