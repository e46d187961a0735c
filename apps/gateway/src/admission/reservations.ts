import type { Quota, Renewal, Settlement, Spool } from '@tokenhub/metering';

const RENEW_EVERY_MS = 10_000;
const TICK_MS = 1_000;
/** Settlements wait so long for others, since ten in one write cost the price of two. */
const GATHER_MS = 5;
/** How soon what the store has not confirmed is tried again, and how much of it at a time. */
const RETRY_MS = 500;
const RETRIED_AT_ONCE = 200;
/** More unconfirmed settlements than these are not kept in memory: nothing new is begun. */
const MOST_UNCONFIRMED = 20_000;

/** Tells what a running request has cost so far, in nano-USD. */
export type Progress = () => bigint;

/** The reservations of this process while they live: keeps their leases and sees each settlement through. */
export interface Reservations {
  /** Requests in flight. */
  readonly live: number;
  /** Settlements that the store has not confirmed yet. */
  readonly unsettled: number;
  /** There are as many of those as are kept. */
  readonly isFull: boolean;
  /** Renews the lease of a granted reservation until it is settled. */
  keep(requestId: string, org: string, progress: Progress): void;
  /** Hands in the truth. Returns at once; what the store does not confirm is put on the disk, and tried again until it is. */
  settle(settlement: Settlement): void;
  /** The store is back: tries at once what it has not confirmed. */
  retry(): void;
  /**
   * Waits for what is unsettled, at most `timeoutMs`. What is left then lies on the disk, for this machine's next gateway; what
   * cannot be put there is settled by the sweep when its lease has passed.
   */
  close(timeoutMs: number): Promise<void>;
}

export interface ReservationsOptions {
  readonly quota: Quota;
  readonly spool: Spool;
  readonly onError: (error: unknown) => void;
}

interface Kept {
  readonly org: string;
  readonly progress: Progress;
  renewAt: number;
}

export function createReservations({ quota, spool, onError }: ReservationsOptions): Reservations {
  const kept = new Map<string, Kept>();
  /** Being handed in for the first time. */
  const underWay = new Set<Promise<void>>();
  /** Not confirmed at the first try; oldest first. */
  const backlog = new Map<string, Settlement>();
  let retrying: Promise<void> | undefined;

  const ticker = setInterval(() => {
    spool.touch().catch(onError);
    const now = performance.now();
    const due: Renewal[] = [];
    for (const [requestId, reservation] of kept) {
      if (reservation.renewAt > now) continue;
      reservation.renewAt = now + RENEW_EVERY_MS;
      due.push({ requestId, org: reservation.org, progressNanoUsd: reservation.progress() });
    }
    if (due.length === 0) return;
    quota.renew(due).catch((error: unknown) => {
      onError(error);
      // Their leases go on: again with the next tick
      for (const { requestId } of due) {
        const reservation = kept.get(requestId);
        if (reservation !== undefined) reservation.renewAt = 0;
      }
    });
  }, TICK_MS);
  ticker.unref();
  const retrier = setInterval(retry, RETRY_MS);
  retrier.unref();

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

  async function handIn(settlement: Settlement): Promise<void> {
    await gather();
    try {
      await quota.settle(settlement);
      // It may have been kept at its beginning
      await spool.confirm(settlement.requestId);
    } catch (error) {
      onError(error);
      backlog.set(settlement.requestId, settlement);
      await spool.add(settlement).catch(onError);
    }
  }

  function retry(): void {
    if (backlog.size === 0 || retrying !== undefined) return;
    retrying = settleBacklog()
      .catch(onError)
      .finally(() => (retrying = undefined));
  }

  /** The oldest one tells whether the store is back. */
  async function settleBacklog(): Promise<void> {
    for (let count = 1; backlog.size > 0; count = RETRIED_AT_ONCE) {
      const batch = [...backlog.values().take(count)];
      await Promise.all(
        batch.map(async (settlement) => {
          await quota.settle(settlement);
          backlog.delete(settlement.requestId);
          await spool.confirm(settlement.requestId);
        }),
      );
    }
  }

  async function untilSettled(): Promise<void> {
    await Promise.all(underWay);
    while (backlog.size > 0) {
      retry();
      await retrying;
      if (backlog.size > 0) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  return {
    get live() {
      return kept.size;
    },
    get unsettled() {
      return underWay.size + backlog.size;
    },
    get isFull() {
      return backlog.size >= MOST_UNCONFIRMED;
    },
    keep(requestId, org, progress) {
      kept.set(requestId, { org, progress, renewAt: performance.now() + RENEW_EVERY_MS });
    },
    settle(settlement) {
      kept.delete(settlement.requestId);
      const handingIn = handIn(settlement).finally(() => underWay.delete(handingIn));
      underWay.add(handingIn);
    },
    retry,
    async close(timeoutMs) {
      clearInterval(ticker);
      const { promise: timeout, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      await Promise.race([untilSettled(), timeout]);
      clearTimeout(timer);
      clearInterval(retrier);
      await spool.close();
    },
  };
}
