import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError, parseRedisUrl } from '@tokenhub/config';
import {
  findRedisServer,
  startRedis,
  startRedisCluster,
  startRedisSentinel,
  type LocalRedis,
} from '@tokenhub/local-redis';
import { Cluster, type Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { connectRedis } from './connect-redis.ts';
import { connectSubscriber } from './connect-subscriber.ts';
import { createRedis } from './create-redis.ts';
import { createStoreProbe } from './probe-store.ts';

const canRun = (await findRedisServer()) !== undefined;

describe.skipIf(!canRun).each([
  { name: 'one server', start: () => startRedis() },
  { name: 'the primary that a sentinel names', start: () => startRedisSentinel() },
  { name: 'a cluster of one node', start: () => startRedisCluster() },
  { name: 'a cluster of two nodes', start: () => startRedisCluster({ primaries: 2 }) },
])('$name, by its URL (skipped where no Redis is installed)', ({ start }) => {
  let server: LocalRedis;
  let redis: Redis | Cluster;
  const clients: (Redis | Cluster)[] = [];
  beforeAll(async () => {
    server = await start();
    redis = await connectRedis(parseRedisUrl(server.url), () => {});
    clients.push(redis);
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  test('does commands of many keys at once, and scripts', async () => {
    const keys = Array.from({ length: 50 }, (_, index) => `{${index}}:counter`);
    const script = "return redis.call('INCRBY', KEYS[1], ARGV[1])";
    const [first = ''] = keys;
    await redis.eval(script, 1, first, 0);
    const all = keys.map(async (key, index) => {
      await redis.set(key, index);
      return Number(await redis.eval(script, 1, key, 1));
    });
    expect(await Promise.all(all)).toEqual(keys.map((_, index) => index + 1));
    await createStoreProbe(redis, 10_000)();
    expect(await redis.time()).toHaveLength(2);
  });

  test('lets a further connection hear a channel', async () => {
    const subscriber = connectSubscriber(redis);
    clients.push(subscriber);
    subscriber.on('error', () => {});
    const heard: string[] = [];
    subscriber.on('message', (_channel: string, text: string) => heard.push(text));
    await new Promise((resolve) => subscriber.on('ready', () => resolve(subscriber.subscribe('news'))));
    await vi.waitUntil(
      async () => {
        await redis.publish('news', 'hello');
        return heard.includes('hello');
      },
      { timeout: 10_000, interval: 50 },
    );
  });

  test('is waited for by those who would rather wait, and fails at once for the others, while it is away', async () => {
    const waiting = createRedis(parseRedisUrl(server.url), { maxRetriesPerRequest: null });
    waiting.on('error', () => {});
    clients.push(waiting);
    await waiting.ping();
    await server.stop();
    await vi.waitUntil(() => redis.status !== 'ready', { timeout: 10_000 });
    await expect(redis.set('key', 'value')).rejects.toThrow(/.+/);
    const answered = await Promise.race([waiting.ping(), sleep(500, 'waits')]);
    expect(answered).toBe('waits');
  });
});

test.skipIf(!canRun)('follows slots that move from node to node while commands are under way', async () => {
  const server = await startRedisCluster({ primaries: 2 });
  const redis = await connectRedis(parseRedisUrl(server.url), () => {});
  try {
    if (!(redis instanceof Cluster)) throw new Error('no cluster');
    const nodes = redis.nodes('master');
    const ids = await Promise.all(nodes.map((node) => node.cluster('MYID')));
    const keys = Array.from({ length: 50 }, (_, index) => `{${index}}:key`);
    const look = () => Promise.all(keys.map((key) => redis.eval("return redis.call('EXISTS', KEYS[1])", 1, key)));
    expect(await look()).toEqual(keys.map(() => 0));
    for (const [index, key] of keys.slice(0, 10).entries()) {
      const slot = await redis.cluster('KEYSLOT', key);
      const owner = String(ids[index % 2]);
      for (const node of nodes) await node.cluster('SETSLOT', slot, 'NODE', owner);
      expect(await look()).toEqual(keys.map(() => 0));
    }
  } finally {
    redis.disconnect();
    await server.stop();
  }
});

describe('what is not there', () => {
  afterEach(() => vi.useRealTimers());

  test.each(['redis://127.0.0.1:1', 'redis-cluster://127.0.0.1:1'])('is told soon: %s', async (url) => {
    await expect(connectRedis(parseRedisUrl(url), () => {})).rejects.toThrow(
      new OperatorError('No Redis answers at REDIS_URL. Start one there, or let "pnpm start" bring one along.'),
    );
  });

  test('is told in the end where it is searched for on and on: a sentinel', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate'] });
    const failed = expect(
      connectRedis(parseRedisUrl('redis-sentinel://127.0.0.1:1?master=nobody'), () => {}),
    ).rejects.toMatchObject({ cause: { message: expect.stringContaining('no answer within 15000 ms') } });
    await vi.advanceTimersByTimeAsync(20_000);
    await failed;
  });
});
