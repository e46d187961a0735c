import { startRedis } from '@tokenhub/local-redis';
import { redisOptions } from '@tokenhub/config';
import { expect, test } from 'vitest';
import { connectRedis } from './connect-redis.ts';
import { saysAway } from './says-away.ts';
import { withinMs } from './within-ms.ts';

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a refusal of what was asked is an answer; silence and a lost connection are not', async () => {
  const server = await startRedis();
  const redis = await connectRedis(redisOptions(server.url), () => {});
  try {
    await redis.set('text', 'x');
    expect(saysAway(await errorOf(redis.lpush('text', 'y')))).toBe(false);
    expect(saysAway(await errorOf(withinMs(new Promise(() => {}), 5)))).toBe(true);
    await server.stop();
    expect(saysAway(await errorOf(redis.get('text')))).toBe(true);
    expect(saysAway(await errorOf(redis.get('text')))).toBe(true);
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
