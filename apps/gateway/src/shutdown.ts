import type { Exchanges } from './relay/exchanges.ts';

/** How a gateway takes its leave. */
export interface Leave {
  /** How long it still takes new requests, so that load balancers can notice that it is not ready any more. */
  readonly preStopMs: number;
  /** When running requests are ended, counted from the beginning. */
  readonly drainMs: number;
}

/** The end of a process in its order: not ready, then nothing new, then nothing running. */
export interface Shutdown {
  /** It has begun: the process says that it is not ready. */
  readonly hasBegun: boolean;
  /** New chats are refused. */
  readonly refuses: boolean;
  /** Resolves when no exchange is left. A second call may be less patient. */
  begin(leave: Leave): Promise<void>;
}

export function createShutdown(exchanges: Exchanges): Shutdown {
  let hasBegun = false;
  let refuses = false;
  let stopWaiting: (() => void) | undefined;

  function wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      stopWaiting = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  return {
    get hasBegun() {
      return hasBegun;
    },
    get refuses() {
      return refuses;
    },
    async begin({ preStopMs, drainMs }) {
      const startedAt = performance.now();
      if (hasBegun) stopWaiting?.();
      else {
        hasBegun = true;
        await wait(Math.min(preStopMs, drainMs));
      }
      refuses = true;
      await exchanges.drain(Math.max(0, drainMs - (performance.now() - startedAt)));
    },
  };
}
