import { redisOptions } from '@tokenhub/config';
import { startRedis } from '@tokenhub/local-redis';
import { createOutbox, createRedisQuota, type Dimension, type Limits } from '@tokenhub/metering';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Heat, Tally } from './heat.ts';
import { startRacers, type Racers } from './start-racers.ts';

const CALLERS = 200;
const RESERVES = 10_000;
/** Requests that each limit has room for, with a rest that is too small for one more. */
const ROOM = 1_500;
const TOKENS = 130;
const COST_NANO_USD = 4_021_777n;

const LIMITS = {
  requests: { requestsPerMinute: ROOM },
  tokens: { tokensPerMinute: ROOM * TOKENS + TOKENS - 1 },
  concurrency: { concurrency: ROOM },
  day: { dayNanoUsd: BigInt(ROOM + 1) * COST_NANO_USD - 1n },
  month: { monthNanoUsd: BigInt(ROOM + 1) * COST_NANO_USD - 1n },
} satisfies Record<Dimension, Limits>;
const ALL_LIMITS: Limits = Object.assign({}, ...Object.values(LIMITS));

const server = await startRedis();
const redis = new Redis({ ...redisOptions(server.url) });
const quota = createRedisQuota({ redis });
const outbox = createOutbox({ redis, shard: 0 });
beforeEach(() => redis.flushall());
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

/** Of all processes. */
function sum(tallies: readonly Tally[], read: (tally: Tally) => number | undefined): number {
  return tallies.reduce((total, tally) => total + (read(tally) ?? 0), 0);
}

// The embedded one takes minutes for it, and is for one process anyway
const describeEach = server.kind === 'embedded' ? describe.skip : describe;
describeEach.each([2, 4])('200 callers in %i processes (skipped without a redis-server)', (processes) => {
  let racers: Racers;
  beforeAll(async () => {
    racers = await startRacers(server.url, processes);
  });
  afterAll(() => racers.stop());

  const toHeat = (name: string, ids: readonly string[], limits: Limits): Heat => ({
    name,
    scopes: ids.map((id) => ({ id: `${id}:${name}`, limits })),
    tokens: TOKENS,
    costNanoUsd: COST_NANO_USD,
    callers: CALLERS / processes,
    reserves: RESERVES / processes,
  });

  it.each(Object.entries(LIMITS))('are admitted up to exactly the limit of %s', async (dimension, limits) => {
    let isRace = false;
    // The first one may have taken all before a busy machine lets the second one begin
    for (let number = 0; number < 5 && !isRace; number++) {
      await redis.flushall();
      const heat = toHeat(`${dimension}-${number}`, ['key'], limits);
      const tallies = await racers.race(heat);
      expect(sum(tallies, ({ granted }) => granted)).toBe(ROOM);
      expect(sum(tallies, ({ refused }) => refused[dimension as Dimension])).toBe(RESERVES - ROOM);
      isRace = tallies.filter(({ granted }) => granted > 0).length > 1;
      await expectFull(heat);
      await expectSettled(heat, ROOM, await racers.settle(heat));
    }
    expect(isRace).toBe(true);
  });

  it('are admitted up to exactly the limits of all dimensions and scopes together', async () => {
    const heat = toHeat('all', ['key', 'user', 'org'], ALL_LIMITS);
    const tallies = await racers.race(heat);
    expect(sum(tallies, ({ granted }) => granted)).toBe(ROOM);
    await expectFull(heat);
    await expectSettled(heat, ROOM, await racers.settle(heat));
  });

  it('never hold more slots at a time than there are, however often they give them back', async () => {
    const slots = 40;
    const heat = { ...toHeat('slots', ['key', 'org'], { concurrency: slots }), holdMs: 3 };
    const tallies = await racers.race(heat);
    expect(Math.max(...tallies.map(({ mostHolders }) => mostHolders))).toBe(slots);
    const granted = sum(tallies, (tally) => tally.granted);
    expect(granted).toBeGreaterThan(10 * slots);
    await expectSettled(heat, granted, tallies);
  });

  /** Everything that was granted is counted in every scope, and nothing that was refused. */
  async function expectFull({ scopes, name }: Heat): Promise<void> {
    const money = { settledNanoUsd: 0n, heldNanoUsd: BigInt(ROOM) * COST_NANO_USD };
    for (const { id } of scopes) {
      expect(await quota.read(id, name)).toMatchObject({
        requests: ROOM,
        tokens: ROOM * TOKENS,
        concurrency: ROOM,
        day: money,
        month: money,
      });
    }
  }

  /** Nothing is held any more, what was paid is booked to the nano, and each settlement has left its one cost event. */
  async function expectSettled({ scopes, name }: Heat, granted: number, tallies: readonly Tally[]): Promise<void> {
    const settledNanoUsd = tallies.reduce((total, tally) => total + tally.settledNanoUsd, 0n);
    const money = { settledNanoUsd, heldNanoUsd: 0n };
    expect(settledNanoUsd).toBeGreaterThan(0n);
    for (const { id } of scopes) {
      expect(await quota.read(id, name)).toMatchObject({ concurrency: 0, day: money, month: money });
    }
    expect(await redis.zcard('gw:{q0}:lease')).toBe(0);
    expect(await outbox.length()).toBe(granted);
  }
});
