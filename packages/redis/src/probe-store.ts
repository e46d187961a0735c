import type { Cluster, Redis } from 'ioredis';
import { RedisTimeout } from './says-away.ts';
import { withinMs } from './within-ms.ts';

/** Only writing tells a primary from a replica. */
const PROBE_KEY = 'gw:probe';
/** A connection on which so many probes in a row were not answered may be dead without either side knowing. */
const MOST_SILENT = 4;

/**
 * A function that tells whether a store can do its work: takes writes, in time; it rejects when it cannot. One that has become a
 * replica is left, since the one that took over may be found at the same address, and so is a connection that has fallen silent.
 */
export function createStoreProbe(redis: Redis | Cluster, timeoutMs: number): () => Promise<void> {
  let silent = 0;
  const reconnect = (): void => {
    silent = 0;
    // In other states a connection is being made already
    if (redis.status === 'ready' || redis.status === 'connect') redis.disconnect(true);
  };
  return async () => {
    try {
      await withinMs(redis.set(PROBE_KEY, '', 'PX', 1000), timeoutMs);
      silent = 0;
    } catch (error) {
      silent = error instanceof RedisTimeout ? silent + 1 : 0;
      const isReplica = error instanceof Error && error.message.startsWith('READONLY');
      if (isReplica || silent >= MOST_SILENT) reconnect();
      throw error;
    }
  };
}
