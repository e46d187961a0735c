import type { Quota, Renewal, Settlement } from '@tokenhub/metering';

const RENEW_EVERY_MS = 10_000;
const TICK_MS = 1_000;
/** Settlements wait so long for others, since ten in one write cost the price of two. */
const GATHER_MS = 5;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** Tells what a running request has cost so far, in nano-USD. */
export type Progress = () => bigint;

/** The reservations of this process while they live: keeps their leases and sees each settlement through. */
export interface Reservations {
  /** Requests in flight. */
  readonly live: number;
  /** Settlements that the store has not confirmed yet. */
  readonly unsettled: number;
  /** Renews the lease of a granted reservation until it is settled. */
  keep(requestId: string, org: string, progress: Progress): void;
  /** Hands in the truth. Returns at once; tried again until the store confirms it. */
  settle(settlement: Settlement): void;
  /** Waits for what is unsettled, at most `timeoutMs`; what is left then is settled by the sweep when its lease has passed. */
  close(timeoutMs: number): Promise<void>;
}

interface Kept {
  readonly org: string;
  readonly progress: Progress;
  renewAt: number;
}

export function createReservations(quota: Quota, onError: (error: unknown) => void): Reservations {
  const kept = new Map<string, Kept>();
  const unsettled = new Set<Promise<void>>();
  let closing = false;

  const ticker = setInterval(() => {
    const now = performance.now();
    const due: Renewal[] = [];
    for (const [requestId, reservation] of kept) {
      if (reservation.renewAt > now) continue;
      reservation.renewAt = now + RENEW_EVERY_MS;
      due.push({ requestId, org: reservation.org, progressNanoUsd: reservation.progress() });
    }
    if (due.length > 0) quota.renew(due).catch(onError);
  }, TICK_MS);
  ticker.unref();

  let gathered: (() => void)[] = [];
  /** Resolves for all that wait in the same turn, so that the store's client sends what they send in one write. */
  function gather(): Promise<void> {
    return new Promise((resolve) => {
      if (gathered.push(resolve) > 1) return;
      setTimeout(() => {
        const ready = gathered;
        gathered = [];
        for (const go of ready) go();
      }, GATHER_MS);
    });
  }

  async function settleUntilConfirmed(settlement: Settlement): Promise<void> {
    await gather();
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_RETRY_MS)) {
      try {
        await quota.settle(settlement);
        return;
      } catch (error) {
        onError(error);
        if (closing && waitMs > FIRST_RETRY_MS * 8) return;
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  return {
    get live() {
      return kept.size;
    },
    get unsettled() {
      return unsettled.size;
    },
    keep(requestId, org, progress) {
      kept.set(requestId, { org, progress, renewAt: performance.now() + RENEW_EVERY_MS });
    },
    settle(settlement) {
      kept.delete(settlement.requestId);
      const settling = settleUntilConfirmed(settlement).finally(() => unsettled.delete(settling));
      unsettled.add(settling);
    },
    async close(timeoutMs) {
      closing = true;
      clearInterval(ticker);
      const { promise: timeout, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      await Promise.race([Promise.all(unsettled), timeout]);
      clearTimeout(timer);
    },
  };
}
