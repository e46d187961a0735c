import { setTimeout as sleep } from 'node:timers/promises';
import { parseRedisUrl } from '@tokenhub/config';
import { findRedisServer, startRedis, startRedisCluster } from '@tokenhub/local-redis';
import { expect, test } from 'vitest';
import { connectRedis } from './connect-redis.ts';
import { saysAway } from './says-away.ts';
import { withinMs } from './within-ms.ts';

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const canRun = (await findRedisServer()) !== undefined;

test.each([
  { name: 'a single server', start: () => startRedis() },
  ...(canRun ? [{ name: 'a cluster', start: () => startRedisCluster() }] : []),
])('of $name a refusal of what was asked is an answer; silence and a lost connection are not', async ({ start }) => {
  const server = await start();
  const redis = await connectRedis(parseRedisUrl(server.url), () => {});
  try {
    await redis.set('text', 'x');
    expect(saysAway(await errorOf(redis.lpush('text', 'y')))).toBe(false);
    expect(saysAway(await errorOf(withinMs(new Promise(() => {}), 5)))).toBe(true);
    await server.stop();
    const errors = [];
    for (let time = 0; time < 30; time++) {
      errors.push(await errorOf(redis.get('text')));
      await sleep(10); // the connection is made again and again
    }
    expect(errors.filter((error) => !saysAway(error))).toEqual([]);
  } finally {
    redis.disconnect();
  }
});

test.each(['READONLY You can’t write against a read only replica.', 'LOADING Redis is loading', 'BUSY Redis is busy'])(
  'one that answers %s is away',
  (message) => {
    expect(saysAway(Object.assign(new Error(message), { name: 'ReplyError' }))).toBe(true);
  },
);
