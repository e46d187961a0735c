import type { Quota, SettlementKeeper } from '@tokenhub/metering';

export interface UpkeepOptions {
  readonly quota: Pick<Quota, 'sweep'> & SettlementKeeper;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
}

/** What each gateway does for the quota store besides its own requests. */
export interface Upkeep {
  /** The store was away, and may have lost what it had confirmed. */
  storeIsBack(): void;
  stop(): void;
}

const EVERY_MS = 1_000;

/**
 * About once a second, never all gateways at once: settles the requests of gateways that have died, so that none depends on
 * accounting for getting its quota back, and forgets settlements that are in the ledger.
 */
export function startUpkeep({ quota, random, onError }: UpkeepOptions): Upkeep {
  let timer: NodeJS.Timeout;
  const next = (): void => {
    timer = setTimeout(work, EVERY_MS * (0.5 + random()));
    timer.unref();
  };
  const work = (): void => {
    Promise.all([quota.sweep(), quota.confirm()]).catch(onError).finally(next);
  };
  next();
  return {
    storeIsBack: () => void quota.resend().catch(onError),
    stop: () => clearTimeout(timer),
  };
}
