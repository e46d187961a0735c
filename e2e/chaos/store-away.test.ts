import { setTimeout as sleep } from 'node:timers/promises';
import { findPostgres } from '@tokenhub/local-postgres';
import { findRedisServer } from '@tokenhub/local-redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insist } from '../../apps/gateway/test/insist.ts';
import { operate } from '../operate.ts';
import { readLedger } from '../races/books.ts';
import { BUDGET_KEY, FREE_KEY, RATED_KEY, RATED_RPM, startHouse, TRUSTED_KEY, type House } from './house.ts';
import { untilQuiet } from './until-quiet.ts';

const programs = await findPostgres();
const canRun = programs !== undefined && (await findRedisServer())?.kind === 'redis-server';
/** What is allowed for an answer, and as much again for a busy machine. */
const AT_ONCE_MS = 600;

describe.skipIf(!canRun)('while the store is away (skipped where redis-server or PostgreSQL is not installed)', () => {
  let house: House;
  beforeAll(async () => {
    if (programs !== undefined) house = await startHouse(programs);
  }, 60_000);
  afterAll(() => house.stop());

  async function ask(key: string, { gateway = 0, tokens = 3, pace = 1 } = {}) {
    const startedAt = performance.now();
    const response = await fetch(`${house.gateways[gateway]?.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'gpt-4',
        stream: true,
        max_tokens: 1000,
        messages: [{ role: 'user', content: `Hello [simulate tokens=${tokens} pace=${pace}]` }],
      }),
    });
    return { response, ms: performance.now() - startedAt };
  }
  const statusOf = async (key: string, gateway = 0) => {
    const { response } = await ask(key, { gateway });
    await response.text();
    return response.status;
  };
  const replicate = async (host: string, port: string): Promise<void> => {
    const client = house.redis.client();
    await client.call('REPLICAOF', host, port);
    client.disconnect();
  };
  const isBack = () => expect.poll(() => statusOf(BUDGET_KEY), { timeout: 20_000 }).toBe(200);
  const rowsOf = async (keyId: string) => {
    const [worker] = house.workers;
    return worker === undefined ? [] : readLedger(worker, keyId);
  };

  it.each<[string, () => Promise<void> | void, () => Promise<void> | void]>([
    ['hangs (F17, F18)', () => house.redis.pause(), () => house.redis.resume()],
    ['is gone', () => house.redis.kill(), () => house.redis.restart()],
    ['has become a replica (F23)', () => replicate('127.0.0.1', '1'), () => replicate('NO', 'ONE')],
  ])(
    'a store that %s: budgets are closed at once, the rest is served, streams go on, and all is settled afterwards',
    async (_, leave, comeBack) => {
      await isBack();
      const [before, freeBefore] = [await rowsOf('budget'), await rowsOf('free')];
      const running = await insist(async () => (await ask(BUDGET_KEY, { tokens: 150, pace: 40 })).response);
      expect(running.status).toBe(200);

      await leave();
      const times: number[] = [];
      for (let number = 0; number < 20; number++) {
        const { response, ms } = await ask(BUDGET_KEY);
        times.push(ms);
        expect(response.status).toBe(503);
        expect(response.headers.get('retry-after')).toBe('1');
        expect(await response.json()).toMatchObject({ error: { reason: 'quota_unavailable' } });
      }
      times.sort((one, other) => one - other);
      // One may have met a machine that was busy with something else
      expect(times[18]).toBeLessThan(AT_ONCE_MS);
      expect(times[19]).toBeLessThan(5 * AT_ONCE_MS);
      // After some failures nobody waits any more
      expect(times[10]).toBeLessThan(AT_ONCE_MS / 3);

      const { response: free } = await ask(FREE_KEY);
      expect(free.status).toBe(200);
      expect(free.headers.get('x-tokenhub-degraded')).toBe('quota');
      expect(await free.text()).toContain('data: [DONE]');
      expect(await statusOf(TRUSTED_KEY)).toBe(200);
      expect(await statusOf(RATED_KEY)).toBe(200);
      expect(await running.text()).toContain('data: [DONE]');

      await comeBack();
      await isBack();
      await untilQuiet(house);
      // The one that ran and the ones that tell that the store is back
      expect((await rowsOf('budget')).length).toBeGreaterThanOrEqual(before.length + 2);
      expect(await rowsOf('free')).toHaveLength(freeBefore.length + 1);
    },
    120_000,
  );

  it('two gateways together admit no more than the limit (G24)', async () => {
    const before = (await rowsOf('rated')).length;
    await house.redis.kill();
    // Until it is known to be away, nobody gives away a share
    for (let number = 0; number < 20; number++) expect(await statusOf(BUDGET_KEY, number % 2)).toBe(503);
    const statuses = await Promise.all(
      Array.from({ length: 3 * RATED_RPM }, (_, number) => statusOf(RATED_KEY, number % 2)),
    );
    const admitted = statuses.filter((status) => status === 200).length;
    expect(admitted).toBeGreaterThan(0);
    expect(admitted).toBeLessThanOrEqual(RATED_RPM);
    expect(statuses.filter((status) => ![200, 429].includes(status))).toEqual([]);
    await house.redis.restart();
    await isBack();
    await untilQuiet(house);
    expect(await rowsOf('rated')).toHaveLength(before + admitted);
  }, 120_000);

  it('what a gateway had to settle when it was killed is settled by the next one (F13, F14)', async () => {
    const [freeBefore, gateway] = [(await rowsOf('free')).length, house.gateways[0]];
    await house.redis.kill();
    for (let number = 0; number < 30; number++) expect(await statusOf(FREE_KEY)).toBe(200);
    await sleep(200);
    await gateway?.kill();
    await house.redis.restart();
    await gateway?.restart();
    await expect
      .poll(async () => (await rowsOf('free')).length, { timeout: 60_000, interval: 500 })
      .toBe(freeBefore + 30);
    await untilQuiet(house);
    const [worker] = house.workers;
    if (worker === undefined) throw new Error('no worker');
    // Counted in the scopes too, though no reservation was ever made
    const { month } = await operate<{ month: { settled_usd: string } }>(worker, 'quotas/key:free');
    const total = (await rowsOf('free')).reduce((sum, [, cost]) => sum + Math.round(Number(cost) * 1e9), 0);
    expect(Math.round(Number(month.settled_usd) * 1e9)).toBe(total);
  }, 180_000);
});
