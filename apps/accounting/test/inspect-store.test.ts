import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseRedisUrl, redisOptions } from '@tokenhub/config';
import { findRedisServer, startRedis, startRedisCluster, type LocalRedis } from '@tokenhub/local-redis';
import { createRedis } from '@tokenhub/redis';
import { Cluster, Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectStore } from '../src/inspect-store.ts';

const canRun = (await findRedisServer()) !== undefined;

describe.skipIf(!canRun)('how a store keeps its data (skipped where no Redis is installed)', () => {
  let directory: string;
  let server: LocalRedis;
  let redis: Redis;
  const start = async (dataDir?: string): Promise<void> => {
    server = await startRedis({ dataDir });
    redis = new Redis({ ...redisOptions(server.url) });
  };
  const stop = async (): Promise<void> => {
    redis.disconnect();
    await server.stop();
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'inspect-store-'));
  });
  afterEach(async () => {
    await stop();
    rmSync(directory, { recursive: true, force: true });
  });

  test('one that keeps everything gives no cause for a warning', async () => {
    await start(directory);
    expect((await inspectStore(redis)).warnings).toEqual([]);
  });

  test('one that forgets, or drops what it has, is warned of with what would be right (F31)', async () => {
    await start();
    await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { warnings } = await inspectStore(redis);
    expect(warnings).toEqual([
      expect.stringContaining('appendonly yes'),
      expect.stringMatching(/noeviction.*allkeys-lru/),
    ]);
  });

  test('a newly started one writes its append-only file anew, once', async () => {
    const rewrites = async () => /aof_rewrites:(\d+)/.exec(await redis.info('persistence'))?.[1];
    await start(directory);
    expect(await inspectStore(redis)).toMatchObject({ isNewRun: true });
    expect(await inspectStore(redis)).toMatchObject({ isNewRun: false });
    await expect.poll(async () => /aof_rewrite_in_progress:0/.test(await redis.info('persistence'))).toBe(true);
    const before = await rewrites();
    await inspectStore(redis);
    expect(await rewrites()).toBe(before);
    await stop();
    await start(directory);
    expect(await inspectStore(redis)).toMatchObject({ isNewRun: true });
  });
});

test.skipIf(!canRun)('of a cluster every node is looked at (skipped where no Redis is installed)', async () => {
  const server = await startRedisCluster({ primaries: 2 });
  const redis = createRedis(parseRedisUrl(server.url));
  try {
    if (!(redis instanceof Cluster)) throw new Error('no cluster');
    await redis.ping();
    await redis.nodes('master')[1]?.config('SET', 'maxmemory-policy', 'allkeys-lru');
    expect(await inspectStore(redis)).toEqual({
      warnings: [expect.stringContaining('appendonly yes'), expect.stringMatching(/noeviction.*allkeys-lru/)],
      isNewRun: true,
    });
    expect(await inspectStore(redis)).toMatchObject({ isNewRun: false });
  } finally {
    redis.disconnect();
    await server.stop();
  }
});
