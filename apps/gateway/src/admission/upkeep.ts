import type { Quota, Recovered, SettlementKeeper, Spool } from '@tokenhub/metering';

export interface UpkeepOptions {
  readonly quota: Pick<Quota, 'settle' | 'sweep'> & SettlementKeeper;
  readonly spool: Pick<Spool, 'recover'>;
  /** The store is known to be away, and not to be asked. */
  readonly isAway: () => boolean;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly onError: (error: unknown) => void;
  /** Hears of what dead gateways had left. */
  readonly onRecovered: (recovered: Recovered) => void;
}

/** What each gateway does for the quota store besides its own requests. */
export interface Upkeep {
  /** The store was away, and may have lost what it had confirmed. */
  storeIsBack(): void;
  stop(): void;
}

const EVERY_MS = 1_000;
const RECOVER_EVERY_MS = 5_000;

/**
 * About once a second, never all gateways at once: settles the requests of gateways that have died, so that none depends on
 * accounting for getting its quota back, and forgets settlements that are in the ledger. At the beginning, and now and then:
 * settles what dead gateways have left on this machine's disk.
 */
export function startUpkeep({ quota, spool, isAway, random, onError, onRecovered }: UpkeepOptions): Upkeep {
  let timer: NodeJS.Timeout;
  let isStopped = false;
  let recoverAt = 0;
  const next = (): void => {
    if (isStopped) return;
    timer = setTimeout(work, EVERY_MS * (0.5 + random()));
    timer.unref();
  };
  const recover = async (): Promise<void> => {
    if (performance.now() < recoverAt) return;
    recoverAt = performance.now() + RECOVER_EVERY_MS;
    const recovered = await spool.recover((settlement) => quota.settle(settlement));
    if (recovered.settlements > 0 || recovered.damaged.length > 0) onRecovered(recovered);
  };
  const work = (): void => {
    if (isAway()) next();
    else Promise.all([quota.sweep(), quota.confirm(), recover()]).catch(onError).finally(next);
  };
  next();
  return {
    storeIsBack: () => void quota.resend().catch(onError),
    stop() {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}
