import type { DeploymentHealth } from '@tokenhub/core';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TEST_STORES } from '../../local-redis/test/test-stores.ts';
import { startTestRedis, type TestRedis } from '../test/test-redis.ts';
import { createHealthBoard, type HealthBoard } from './health-board.ts';
import { BOARD } from './keys.ts';

const NOON = Date.UTC(2026, 10, 20, 12);

const HEALTHY: DeploymentHealth = {
  breaker: 'closed',
  openMs: 0,
  cooldownMs: 0,
  requests: 8,
  failures: 1,
  errorRate: 0.125,
  ttftMs: 220.5,
  msPerToken: 12.25,
};
const RESTING: DeploymentHealth = { ...HEALTHY, breaker: 'open', openMs: 4_200, cooldownMs: 1_000 };

describe.each(TEST_STORES)('the health board in $name', ({ isSkipped, start }) => {
  if (isSkipped) {
    test.skip('Redis is not installed', () => {});
    return;
  }
  let server: TestRedis;
  let redis: Redis | Cluster;
  let client: Redis | Cluster;
  let board: HealthBoard;
  let now: number;
  beforeAll(async () => {
    server = await startTestRedis(start);
    redis = server.client;
    client = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await redis.flushall();
    now = NOON;
    board = createHealthBoard({ redis: client, now: () => now });
  });
  afterEach(() => server.mend());

  const idsOf = async () => (await board.read()).map(({ gatewayId }) => gatewayId).toSorted();

  test('is empty when no gateway has written', async () => {
    expect(await board.read()).toEqual([]);
  });

  test('shows what two gateways wrote last', async () => {
    await board.write('one', new Map([['a/b', HEALTHY]]));
    await board.write('two', new Map());
    now += 5_000;
    await board.write(
      'one',
      new Map([
        ['a/b', RESTING],
        ['c/d', HEALTHY],
      ]),
    );
    const reports = await board.read();
    expect(reports).toHaveLength(2);
    expect(reports).toContainEqual({
      gatewayId: 'one',
      at: NOON + 5_000,
      deployments: [
        { deployment: 'a/b', ...RESTING },
        { deployment: 'c/d', ...HEALTHY },
      ],
    });
    expect(reports).toContainEqual({ gatewayId: 'two', at: NOON, deployments: [] });
  });

  test('forgets a gateway that has not written for more than 15 s', async () => {
    await board.write('one', new Map());
    await board.write('two', new Map());
    now += 15_000;
    await board.write('two', new Map());
    expect(await idsOf()).toEqual(['one', 'two']);
    now += 1;
    expect(await idsOf()).toEqual(['two']);
    expect(await redis.hkeys(BOARD)).toEqual(['two']);
  });

  test('forgets a gateway at once that takes its leave', async () => {
    await board.write('one', new Map());
    await board.write('two', new Map());
    await board.remove('one');
    expect(await idsOf()).toEqual(['two']);
    await board.remove('two');
    expect(await redis.exists(BOARD)).toBe(0);
  });

  test('forgets a gateway that takes its leave while it writes', async () => {
    const [written] = await Promise.allSettled([board.write('one', new Map()), board.remove('one')]);
    expect(written.status).toBe('fulfilled');
    expect(await redis.exists(BOARD)).toBe(0);
  });

  test('is cleared of the dead by each gateway that starts, though nobody reads it', async () => {
    await board.write('one', new Map());
    now += 15_001;
    await createHealthBoard({ redis: client, now: () => now }).write('two', new Map());
    expect(await redis.hkeys(BOARD)).toEqual(['two']);
  });

  test('leaves out what cannot be read', async () => {
    const report = { at: NOON, deployments: [{ deployment: 'a/b', ...HEALTHY }] };
    await redis.hset(BOARD, {
      good: JSON.stringify({ ...report, region: 'eu' }),
      text: 'hello',
      empty: '{}',
      timeless: JSON.stringify({ ...report, at: 'noon' }),
      melted: JSON.stringify({ ...report, deployments: [{ deployment: 'a/b', ...HEALTHY, breaker: 'melted' }] }),
      negative: JSON.stringify({ ...report, deployments: [{ deployment: 'a/b', ...HEALTHY, requests: -1 }] }),
      nameless: JSON.stringify({ ...report, deployments: [HEALTHY] }),
    });
    expect(await board.read()).toEqual([{ gatewayId: 'good', ...report }]);
  });

  test('goes by the clock of Redis when it is given none', async () => {
    const own = createHealthBoard({ redis: client });
    await own.write('one', new Map());
    const [seconds] = await redis.time();
    const [report] = await own.read();
    expect(Math.abs((report?.at ?? 0) - Number(seconds) * 1000)).toBeLessThan(10_000);
  });

  test('fails within an end when Redis is away or does not answer', async () => {
    server.stall();
    await expect(board.write('one', new Map())).rejects.toThrow('no answer within 2000 ms');
    server.cut();
    await expect(board.read()).rejects.toThrow(/.+/);
    await expect(board.remove('one')).rejects.toThrow(/.+/);
  });
});
