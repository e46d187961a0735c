import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { redisOptions } from '@tokenhub/config';
import { createOutbox, createRedisQuota, type Outbox, type Quota } from '@tokenhub/metering';
import { Redis } from 'ioredis';
import { startBenchRedis } from '../targets.ts';

/** An empty Redis in a folder of its own, and this process's connection to it. */
export interface Store {
  readonly url: string;
  readonly directory: string;
  readonly redis: Redis;
  readonly quota: Quota;
  readonly outbox: Outbox;
  /** Of the data, in bytes. */
  usedMemory(): Promise<number>;
  stop(): Promise<void>;
}

/** What the measurements share. */
export interface QuotaBench {
  /** Few and short, for a first look. */
  readonly isQuick: boolean;
  startStore(): Promise<Store>;
}

/** Whoever measures waits for every answer, however late. */
const PATIENCE_MS = 60_000;

export function createQuotaBench(directory: string, isQuick: boolean): QuotaBench {
  let stores = 0;
  return {
    isQuick,
    async startStore() {
      const own = join(directory, `store-${++stores}`);
      await mkdir(own, { recursive: true });
      const server = await startBenchRedis(own);
      // As the gateway connects.
      const redis = new Redis({ ...redisOptions(server.url), enableAutoPipelining: true });
      return {
        url: server.url,
        directory: own,
        redis,
        quota: createRedisQuota({ redis, admissionTimeoutMs: PATIENCE_MS }),
        outbox: createOutbox({ redis, shard: 0 }),
        usedMemory: async () => Number(/used_memory:(\d+)/.exec(await redis.info('memory'))?.[1]),
        async stop() {
          redis.disconnect();
          await server.stop();
        },
      };
    },
  };
}
