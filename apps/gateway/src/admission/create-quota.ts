import {
  createFallbackQuota,
  createRedisQuota,
  createSpool,
  createStoreBreaker,
  type FallbackQuota,
  type LedgerSource,
} from '@tokenhub/metering';
import { createStoreProbe } from '@tokenhub/redis';
import type { FastifyBaseLogger } from 'fastify';
import type { Cluster, Redis } from 'ioredis';
import { createReservations, type Reservations } from './reservations.ts';
import { createTopUps, type TopUps } from './top-up.ts';
import { startUpkeep } from './upkeep.ts';

export interface QuotaOptions {
  readonly redis: Redis | Cluster;
  readonly shards: number;
  /** What budgets are counted from that the store does not know. */
  readonly ledger: LedgerSource;
  /** Where settlements are kept while the store is away; gateways of one machine may share it. */
  readonly spoolDirectory: string;
  /** Gateways that share the limits while the store is away. @defaultValue 4 */
  readonly maxGateways?: number | undefined;
  readonly log: FastifyBaseLogger;
}

/** The quota of a gateway, with everything that goes on about it by itself. */
export interface GatewayQuota {
  readonly quota: FallbackQuota;
  readonly reservations: Reservations;
  readonly topUps: TopUps;
  /** Settlements on the disk. */
  readonly spooled: number;
  /** The store is known to be away. */
  readonly isAway: boolean;
  /** Waits for what is unsettled, at most `timeoutMs`. */
  close(timeoutMs: number): Promise<void>;
}

/** More gateways than most have: each gives away less than it might while the store is away, and all together not too much. */
const MAX_GATEWAYS = 4;
/** Longest wait for the store when it is looked whether it is back. */
const PROBE_MS = 250;

/** Puts the quota in the store together with what does its work while that is away. */
export function createQuota(options: QuotaOptions): GatewayQuota {
  const { redis, shards, ledger, spoolDirectory, maxGateways = MAX_GATEWAYS, log } = options;
  const store = createRedisQuota({ redis, shards, ledger });
  const spool = createSpool({ directory: spoolDirectory });
  const breaker = createStoreBreaker({
    probe: createStoreProbe(redis, PROBE_MS),
    onChange(isOpen) {
      if (isOpen) log.error('the quota store is away: budgets are closed, rates are limited to a share');
      else {
        log.warn('the quota store is back');
        storeIsBack();
      }
    },
  });
  // That it is away is told once, by the breaker
  const onError = (error: unknown): void => {
    if (!breaker.isOpen) log.warn({ err: error }, 'the quota store did not answer');
  };
  const quota = createFallbackQuota({
    quota: store,
    breaker,
    gateways: maxGateways,
    isUnsafe: () => spool.isFailing,
    isFull: () => reservations.isFull,
    journal: (settlement) => spool.add(settlement),
    now: () => performance.now(),
  });
  const reservations = createReservations({ quota, spool, onError });
  const topUps = createTopUps(quota, onError);
  const upkeep = startUpkeep({
    quota: store,
    spool,
    isAway: () => breaker.isOpen,
    random: Math.random,
    onError,
    onRecovered({ settlements, damaged }) {
      log.warn({ settlements }, 'settled what a gateway had left on the disk when it died');
      for (const file of damaged) log.error({ file }, 'a file of settlements has lines that cannot be read');
    },
  });
  const storeIsBack = (): void => {
    reservations.retry();
    upkeep.storeIsBack();
  };
  redis.on('ready', storeIsBack);

  return {
    quota,
    reservations,
    topUps,
    get spooled() {
      return spool.size;
    },
    get isAway() {
      return breaker.isOpen;
    },
    async close(timeoutMs) {
      await reservations.close(timeoutMs);
      upkeep.stop();
      topUps.stop();
      breaker.stop();
    },
  };
}
