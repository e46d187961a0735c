import { redisOptions } from '@tokenhub/config';
import { createOutbox, createRedisQuota, readOutboxEntry, type CostEvent, type ScopeState } from '@tokenhub/metering';
import { Redis } from 'ioredis';

/** Sees from outside what a gateway has done and what it still holds. */
export interface Witness {
  readonly redis: Redis;
  /** Cost events of all requests that were granted and have ended, oldest first. */
  costEvents(): Promise<CostEvent[]>;
  /** The one of the request with this id of the caller's, as soon as it is there. */
  costEvent(clientRequestId: string): Promise<CostEvent>;
  /** Reservations that nobody has settled. */
  leases(): Promise<number>;
  quota(scope: string, org: string): Promise<ScopeState>;
  /** The sum of a metric over all its labels. */
  metric(name: string): Promise<number>;
  close(): void;
}

const LEASES = 'gw:{q0}:lease';
const LONGEST_WAIT_MS = 10_000;

export interface Witnessed {
  readonly url: string;
  readonly redis: { readonly url: string };
}

export function createWitness(hub: Witnessed): Witness {
  const redis = new Redis({ ...redisOptions(hub.redis.url) });
  const outbox = createOutbox({ redis, shard: 0 });
  const quota = createRedisQuota({ redis });

  async function costEvents(): Promise<CostEvent[]> {
    const entries = await outbox.read(100_000);
    return entries.flatMap((entry) => {
      const read = readOutboxEntry(entry);
      return read.ok ? [read.entry.event] : [];
    });
  }

  return {
    redis,
    costEvents,
    async costEvent(clientRequestId) {
      for (const until = Date.now() + LONGEST_WAIT_MS; Date.now() < until;) {
        const event = (await costEvents()).find((found) => found.clientRequestId === clientRequestId);
        if (event !== undefined) return event;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`no cost event of ${clientRequestId}`);
    },
    leases: () => redis.zcard(LEASES),
    quota: (scope, org) => quota.read(scope, org),
    async metric(name) {
      const text = await (await fetch(`${hub.url}/metrics`)).text();
      const values = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'));
      return Array.from(values, ([, value]) => Number(value)).reduce((sum, value) => sum + value, 0);
    },
    close: () => redis.disconnect(),
  };
}
