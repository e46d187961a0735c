import { createServer } from 'node:net';
import { isGatewayError } from '@tokenhub/core';
import { Redis, type Cluster } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { NOON, sampleReserve, sampleSettlement } from '../../test/samples.ts';
import { TEST_STORES } from '../../../local-redis/test/test-stores.ts';
import { startTestRedis, type TestRedis } from '../../test/test-redis.ts';
import { readOutboxEntry } from '../outbox-entry.ts';
import { createOutbox } from '../outbox.ts';
import type { Limits, Quota, Refusal } from './quota.ts';
import { createRedisQuota } from './redis-quota.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe.each(TEST_STORES)('quota in $name', (store) => {
  if (store.isSkipped) {
    test.skip('Redis is not installed', () => {});
    return;
  }
  let server: TestRedis;
  let redis: Redis | Cluster;
  let quota: Quota;
  let now: number;

  beforeAll(async () => {
    server = await startTestRedis(store.start);
    redis = server.connect({ enableAutoPipelining: true });
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await redis.flushall();
    now = NOON;
    // A slow machine is not what these tests are about
    quota = createRedisQuota({ redis, now: () => now, admissionTimeoutMs: 10_000 });
  });

  const reserve = (requestId: string, limits: Limits, changes: { tokens?: number; costNanoUsd?: bigint } = {}) =>
    quota.reserve(sampleReserve(requestId, { scopes: [{ id: 'key:demo', limits }], ...changes }));
  const read = () => quota.read('key:demo', 'acme');
  const readLedgerEntries = async () => {
    const entries = await createOutbox({ redis, shard: 0 }).read(500);
    return entries.map((entry) => {
      const result = readOutboxEntry(entry);
      if (!result.ok) throw new Error(result.deadLetter.reason);
      return result.entry;
    });
  };

  describe.each<{ dimension: string; limits: Limits; limit: bigint; used: bigint; reserved: bigint }>([
    { dimension: 'requests', limits: { requestsPerMinute: 37 }, limit: 37n, used: 37n, reserved: 0n },
    { dimension: 'tokens', limits: { tokensPerMinute: 3799 }, limit: 3799n, used: 3700n, reserved: 0n },
    { dimension: 'concurrency', limits: { concurrency: 37 }, limit: 37n, used: 37n, reserved: 0n },
    { dimension: 'day', limits: { dayNanoUsd: 37_999n }, limit: 37_999n, used: 0n, reserved: 37_000n },
    { dimension: 'month', limits: { monthNanoUsd: 37_000n }, limit: 37_000n, used: 0n, reserved: 37_000n },
  ])('limited in $dimension', ({ dimension, limits, limit, used, reserved }) => {
    test('200 concurrent callers of several processes are granted exactly what the limit allows', async () => {
      const others = [server.connect(), server.connect()].map((connection) =>
        createRedisQuota({ redis: connection, now: () => now, admissionTimeoutMs: 10_000 }),
      );
      const decisions = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          ([quota, ...others][index % 3] ?? quota).reserve(
            sampleReserve(`req_${index}`, { scopes: [{ id: 'key:demo', limits }] }),
          ),
        ),
      );
      expect(decisions.filter(({ granted }) => granted)).toHaveLength(37);
      expect(await read()).toMatchObject({
        requests: 37,
        tokens: 3700,
        concurrency: 37,
        day: { settledNanoUsd: 0n, heldNanoUsd: 37_000n },
        month: { settledNanoUsd: 0n, heldNanoUsd: 37_000n },
      });
      const refusals = decisions.filter((decision): decision is Refusal => !decision.granted);
      expect(refusals).toHaveLength(163);
      for (const refusal of refusals) {
        expect(refusal).toMatchObject({ scope: 'key:demo', dimension, limit, used, reserved });
      }
    });
  });

  test('a refusal in one scope consumes nothing in any other', async () => {
    const scopes = [
      { id: 'key:demo', limits: { requestsPerMinute: 100 } },
      { id: 'org:acme', limits: { tokensPerMinute: 150 } },
    ];
    await quota.reserve(sampleReserve('req_1', { scopes }));
    const refusal = await quota.reserve(sampleReserve('req_2', { scopes }));
    expect(refusal).toMatchObject({
      granted: false,
      scope: 'org:acme',
      dimension: 'tokens',
      remaining: [
        { scope: 'key:demo', requests: { limit: 100, remaining: 99 } },
        { scope: 'org:acme', tokens: { limit: 150, remaining: 50 } },
      ],
    });
    expect(await read()).toMatchObject({ requests: 1, tokens: 100, concurrency: 1 });
    expect(await quota.read('org:acme', 'acme')).toMatchObject({ requests: 1, tokens: 100, concurrency: 1 });
    expect(await redis.exists('gw:{q0}:r:req_2')).toBe(0);
  });

  test('tells what is left and when all of it is free again', async () => {
    now = NOON + 500;
    const grant = await reserve('req_1', { requestsPerMinute: 5, tokensPerMinute: 1000 });
    // The slot began at NOON; it leaves the window 31 slots of 2 s later
    expect(grant).toEqual({
      granted: true,
      remaining: [
        {
          scope: 'key:demo',
          requests: { limit: 5, remaining: 4, resetMs: 61_500 },
          tokens: { limit: 1000, remaining: 900, resetMs: 61_500 },
        },
      ],
    });
    const { remaining } = await reserve('req_2', {});
    expect(remaining).toEqual([{ scope: 'key:demo', requests: undefined, tokens: undefined }]);
  });

  test.each<{ what: string; limits: Limits; millisecondsOfFirst: number }>([
    { what: 'requests', limits: { requestsPerMinute: 2 }, millisecondsOfFirst: 0 },
    { what: 'tokens', limits: { tokensPerMinute: 250 }, millisecondsOfFirst: 1999 },
  ])('the wait of a refusal in $what ends exactly when a try passes', async ({ limits, millisecondsOfFirst }) => {
    now = NOON + millisecondsOfFirst;
    await reserve('req_1', limits);
    now = NOON + 10_000;
    await reserve('req_2', limits);
    now = NOON + 20_000;
    const refusal = await reserve('req_3', limits);
    expect(refusal).toMatchObject({ granted: false, waitMs: 42_000 });
    now += 41_999;
    expect(await reserve('req_3', limits)).toMatchObject({ granted: false, waitMs: 1 });
    now += 1;
    expect(await reserve('req_3', limits)).toMatchObject({ granted: true });
  });

  test('no 60 seconds hold more admissions than the limit, wherever they begin', async () => {
    const admitted: number[] = [];
    for (let step = 0; step < 400; step++) {
      now = NOON + step * 701;
      if ((await reserve(`req_${step}`, { requestsPerMinute: 10 })).granted) admitted.push(now);
    }
    for (const [index, start] of admitted.entries()) {
      expect(admitted.slice(index).filter((time) => time < start + MINUTE).length).toBeLessThanOrEqual(10);
    }
    // At most 2 s are lost per minute: 280 s hold at least four whole windows of 62 s
    expect(admitted.length).toBeGreaterThanOrEqual(40);
  });

  test('what can never pass has no wait', async () => {
    const cases: [Limits, string][] = [
      [{ requestsPerMinute: 0 }, 'requests'],
      [{ tokensPerMinute: 99 }, 'tokens'],
      [{ concurrency: 0 }, 'concurrency'],
      [{ dayNanoUsd: 999n }, 'day'],
      [{ monthNanoUsd: 999n }, 'month'],
    ];
    for (const [limits, dimension] of cases) {
      expect(await reserve('req_1', limits)).toMatchObject({ granted: false, dimension, waitMs: undefined });
    }
  });

  test('a spent budget waits for the end of its period, a held one for a release', async () => {
    const limits = { dayNanoUsd: 1500n, monthNanoUsd: 1_000_000n };
    await reserve('req_1', limits);
    expect(await reserve('req_2', limits)).toMatchObject({ dimension: 'day', used: 0n, reserved: 1000n, waitMs: 1000 });
    await quota.settle(sampleSettlement('req_1', { costNanoUsd: 700n }));
    expect(await reserve('req_2', limits)).toMatchObject({ dimension: 'day', used: 700n, waitMs: 12 * HOUR });
    expect(await reserve('req_2', { monthNanoUsd: 1500n })).toMatchObject({
      dimension: 'month',
      // From 20 November, noon, to 1 December
      waitMs: 10 * 24 * HOUR + 12 * HOUR,
    });
  });

  test('settling replaces the hold by the truth', async () => {
    await reserve('req_1', { tokensPerMinute: 100 });
    await quota.settle(sampleSettlement('req_1'));
    expect(await read()).toEqual({
      scope: 'key:demo',
      requests: 1,
      tokens: 57,
      concurrency: 0,
      day: { period: '20261120', settledNanoUsd: 600n, heldNanoUsd: 0n },
      month: { period: '202611', settledNanoUsd: 600n, heldNanoUsd: 0n },
    });
    expect(await redis.keys('gw:{q0}:r:*')).toEqual([]);
    expect(await redis.zcard('gw:{q0}:lease')).toBe(0);
    expect(await readLedgerEntries()).toMatchObject([
      { kind: 'T', deltaNanoUsd: 600n, day: '20261120', month: '202611', event: { requestId: 'req_1' } },
    ]);
  });

  test('settling above the estimate counts in full', async () => {
    await reserve('req_1', { tokensPerMinute: 100 });
    await quota.settle(sampleSettlement('req_1', { tokens: 180, costNanoUsd: 5000n }));
    expect(await read()).toMatchObject({ tokens: 180, day: { settledNanoUsd: 5000n, heldNanoUsd: 0n } });
    expect(await reserve('req_2', { tokensPerMinute: 300 })).toMatchObject({ granted: true });
    expect(await reserve('req_3', { tokensPerMinute: 300 })).toMatchObject({ granted: false, used: 280n });
  });

  test('settling again changes no sum', async () => {
    await reserve('req_1', {});
    await quota.settle(sampleSettlement('req_1'));
    await quota.settle(sampleSettlement('req_1'));
    expect(await read()).toMatchObject({ concurrency: 0, tokens: 57, day: { settledNanoUsd: 600n, heldNanoUsd: 0n } });
    // The ledger's unique key keeps one of the two
    expect((await readLedgerEntries()).map(({ kind }) => kind)).toEqual(['T', 'T']);
  });

  test('another process, which does not know the scopes, can settle', async () => {
    await reserve('req_1', {});
    await createRedisQuota({ redis: server.connect(), now: () => now }).settle(sampleSettlement('req_1'));
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 600n, heldNanoUsd: 0n } });
  });

  test('the same request id is the same reservation', async () => {
    const first = await reserve('req_1', { requestsPerMinute: 1, concurrency: 1, dayNanoUsd: 1000n });
    const second = await reserve('req_1', { requestsPerMinute: 1, concurrency: 1, dayNanoUsd: 1000n });
    expect(second).toEqual(first);
    expect(await read()).toMatchObject({ requests: 1, tokens: 100, concurrency: 1, day: { heldNanoUsd: 1000n } });
  });

  test('a lease that passes is settled at the last progress, once, whoever sweeps', async () => {
    await reserve('req_1', {});
    now += 29_999;
    expect(await quota.sweep()).toBe(0);
    await quota.renew([{ requestId: 'req_1', org: 'acme', progressNanoUsd: 250n }]);
    now += 30_000;
    const another = createRedisQuota({ redis: server.connect(), now: () => now });
    const swept = await Promise.all([quota.sweep(), another.sweep(), quota.sweep()]);
    expect(swept.filter((count) => count === 1)).toHaveLength(1);
    expect(swept.filter((count) => count === 0)).toHaveLength(2);
    expect(await read()).toMatchObject({ concurrency: 0, tokens: 100, day: { settledNanoUsd: 250n, heldNanoUsd: 0n } });
    expect(await readLedgerEntries()).toMatchObject([
      {
        kind: 'T',
        deltaNanoUsd: 250n,
        event: { requestId: 'req_1', keyId: 'demo', outcome: 'lease_expired', costNanoUsd: 250n, estimated: true },
      },
    ]);
  });

  test('without any renewal the floor is billed', async () => {
    await reserve('req_1', {});
    now += 30_000;
    expect(await quota.sweep()).toBe(1);
    expect(await read()).toMatchObject({ day: { settledNanoUsd: 10n, heldNanoUsd: 0n } });
  });

  test('a settlement after the lease has passed is one exact correction', async () => {
    await reserve('req_1', {});
    now += 30_000;
    await quota.sweep();
    await quota.settle(sampleSettlement('req_1'));
    await quota.settle(sampleSettlement('req_1'));
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 600n, heldNanoUsd: 0n } });
    const [terminal, correction, ...repeated] = await readLedgerEntries();
    expect(terminal).toMatchObject({ kind: 'T', deltaNanoUsd: 10n });
    expect(correction).toMatchObject({ kind: 'A', deltaNanoUsd: 590n, event: { costNanoUsd: 600n } });
    expect(repeated).toMatchObject([{ kind: 'T' }]);
  });

  test('a correction may be downwards, and a cost may be 0', async () => {
    await reserve('req_1', {});
    await reserve('req_2', {}, { costNanoUsd: 0n });
    now += 30_000;
    await quota.sweep();
    await quota.settle(sampleSettlement('req_1', { costNanoUsd: 0n }));
    await quota.settle(sampleSettlement('req_2', { costNanoUsd: 10n }));
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 10n, heldNanoUsd: 0n } });
    const corrections = (await readLedgerEntries()).filter(({ kind }) => kind === 'A');
    expect(corrections.map(({ deltaNanoUsd }) => deltaNanoUsd)).toEqual([-10n, 0n]);
  });

  test('renews hundreds at once, never backwards, and only what is live', async () => {
    const requestIds = Array.from({ length: 300 }, (_, index) => `req_${index}`);
    await Promise.all(requestIds.map((requestId) => reserve(requestId, {})));
    now += 20_000;
    await quota.renew(requestIds.map((requestId) => ({ requestId, org: 'acme', progressNanoUsd: 30n })));
    await quota.renew([
      { requestId: 'req_0', org: 'acme', progressNanoUsd: 20n },
      { requestId: 'req_unknown', org: 'acme', progressNanoUsd: 20n },
    ]);
    now += 20_000;
    expect(await quota.sweep()).toBe(0);
    now += 10_000;
    expect(await quota.sweep()).toBe(300);
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 9000n, heldNanoUsd: 0n } });
    expect(await redis.zcard('gw:{q0}:lease')).toBe(0);
  });

  test('a request belongs to the day and month of its admission', async () => {
    now = Date.UTC(2027, 0, 1) - 1;
    await reserve('req_1', {});
    now += 1;
    await reserve('req_2', {});
    await quota.settle(sampleSettlement('req_1'));
    await quota.settle(sampleSettlement('req_2', { costNanoUsd: 5n }));
    expect(await readLedgerEntries()).toMatchObject([
      { day: '20261231', month: '202612', deltaNanoUsd: 600n },
      { day: '20270101', month: '202701', deltaNanoUsd: 5n },
    ]);
    expect(await read()).toMatchObject({
      day: { period: '20270101', settledNanoUsd: 5n, heldNanoUsd: 0n },
      month: { period: '202701', settledNanoUsd: 5n, heldNanoUsd: 0n },
    });
    now -= 1;
    expect(await read()).toMatchObject({ day: { period: '20261231', settledNanoUsd: 600n, heldNanoUsd: 0n } });
  });

  test('knows the calendar for 800 years, leap days included', async () => {
    const days = [NOON, Date.UTC(2000, 1, 29), Date.UTC(2028, 1, 29), Date.UTC(2100, 1, 28), Date.UTC(2100, 2, 1)];
    for (let index = 0; index < 200; index++) days.push(index * 3.1e6 * 41 * 1000 + index * 86_399_999);
    for (const day of days) {
      now = day;
      const period = new Date(day).toISOString().slice(0, 10).replaceAll('-', '');
      expect(await read()).toMatchObject({ day: { period }, month: { period: period.slice(0, 6) } });
    }
  });

  test('a day budget is fresh after midnight, the month budget is not', async () => {
    const limits = { dayNanoUsd: 1000n, monthNanoUsd: 2500n };
    for (const [requestId, expected] of Object.entries({ a: true, b: false })) {
      expect((await reserve(requestId, limits)).granted).toBe(expected);
    }
    now += 12 * HOUR;
    expect(await reserve('c', limits)).toMatchObject({ granted: true });
    now += 24 * HOUR;
    expect(await reserve('d', limits)).toMatchObject({ granted: false, dimension: 'month', reserved: 2000n });
  });

  test('forgets periods that nothing can be settled into any more, and idle scopes', async () => {
    for (let day = 0; day < 70; day++) {
      now = NOON + day * 24 * HOUR;
      await reserve(`req_${day}`, {});
      await quota.settle(sampleSettlement(`req_${day}`));
    }
    const fields = await redis.hkeys('gw:{q0}:s:key:demo');
    expect(fields.filter((field) => field.startsWith('d:'))).toHaveLength(4);
    expect(fields.filter((field) => field.startsWith('m:')).length).toBeLessThanOrEqual(2);
    expect(fields.length).toBeLessThan(128);
    expect(await redis.ttl('gw:{q0}:s:key:demo')).toBeGreaterThan(31 * 24 * 3600);
  });

  test('a clock that steps back never grants more, and the window empties all the same', async () => {
    const limits = { requestsPerMinute: 3 };
    for (const requestId of ['a', 'b']) await reserve(requestId, limits);
    now -= HOUR;
    expect(await reserve('c', limits)).toMatchObject({ granted: true });
    expect(await reserve('d', limits)).toMatchObject({ granted: false, used: 3n });
    now -= HOUR;
    // Refused, and yet it counts from here that the clock has stepped back
    expect(await reserve('d', limits)).toMatchObject({ granted: false, used: 3n, waitMs: 62_000 });
    now += 61_999;
    expect(await reserve('d', limits)).toMatchObject({ granted: false, used: 3n });
    now += 1;
    expect(await reserve('d', limits)).toMatchObject({ granted: true });
  });

  test('settling after a step back takes nothing out of a window that was folded', async () => {
    await reserve('a', { tokensPerMinute: 1000 });
    now -= 30 * SECOND;
    await reserve('b', { tokensPerMinute: 1000 });
    now += 30 * SECOND;
    await reserve('c', { tokensPerMinute: 1000 });
    await quota.settle(sampleSettlement('a', { tokens: 0 }));
    expect(await read()).toMatchObject({ tokens: 300 });
    now += 32 * SECOND;
    // Of the three only c is left; had a's correction gone into its slot, there would be nothing
    expect(await read()).toMatchObject({ tokens: 100 });
  });

  test('two seconds back and forth are taken for one moment', async () => {
    await reserve('a', { requestsPerMinute: 10 });
    now -= 2000;
    await reserve('b', { requestsPerMinute: 10 });
    expect(await read()).toMatchObject({ requests: 2 });
    now += 62_000;
    expect(await read()).toMatchObject({ requests: 2 });
    now += 2000;
    expect(await read()).toMatchObject({ requests: 0 });
  });

  test('a step forward of an hour empties windows and settles leases, once', async () => {
    await reserve('a', { requestsPerMinute: 1 });
    now += HOUR;
    expect(await reserve('b', { requestsPerMinute: 1 })).toMatchObject({ granted: true });
    expect(await quota.sweep()).toBe(1);
    now -= HOUR;
    expect(await reserve('c', { requestsPerMinute: 1 })).toMatchObject({ granted: false });
    expect(await quota.sweep()).toBe(0);
  });

  test('uses the clock of the store when it is given none', async () => {
    const real = createRedisQuota({ redis, leaseMs: 20, admissionTimeoutMs: 10_000 });
    expect(await real.reserve(sampleReserve('req_1'))).toMatchObject({ granted: true });
    await vi.waitUntil(async () => (await real.sweep()) === 1, { timeout: 5000 });
    const { day } = await real.read('key:demo', 'acme');
    expect(day.settledNanoUsd).toBe(10n);
    // Midnight may have passed since
    expect(
      Math.abs(Number(day.period) - Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''))),
    ).toBeLessThan(2);
  });

  test('money beyond 2^53 nano-USD stays exact', async () => {
    const cost = 4_503_599_627_370_497n;
    for (const requestId of ['a', 'b', 'c']) {
      await reserve(requestId, {}, { costNanoUsd: cost });
      await quota.settle(sampleSettlement(requestId, { costNanoUsd: cost }));
    }
    expect(await read()).toMatchObject({ month: { settledNanoUsd: 3n * cost, heldNanoUsd: 0n } });
  });

  test('held and settled money are exact at every step, however large', async () => {
    const costs = [4_503_599_627_370_496n, 8_999_999_999_999_999n, 7_000_000_000_001n, 8_999_999_999_999_997n, 3n];
    let held = 0n;
    for (const [index, costNanoUsd] of costs.entries()) {
      await reserve(`req_${index}`, {}, { costNanoUsd });
      held += costNanoUsd;
      expect(await read()).toMatchObject({ day: { settledNanoUsd: 0n, heldNanoUsd: held } });
    }
    let settled = 0n;
    for (const [index, cost] of costs.entries()) {
      const costNanoUsd = cost - (cost > 3n ? 2n : 0n);
      await quota.settle(sampleSettlement(`req_${index}`, { costNanoUsd }));
      held -= cost;
      settled += costNanoUsd;
      expect(await read()).toMatchObject({ month: { settledNanoUsd: settled, heldNanoUsd: held } });
    }
  });

  test('refuses amounts that would be a refund or no number', async () => {
    for (const changes of [{ tokens: -1 }, { tokens: 1.5 }, { tokens: Number.NaN }, { costNanoUsd: -1n }]) {
      await expect(reserve('req_1', {}, changes)).rejects.toThrow(RangeError);
      await expect(quota.settle(sampleSettlement('req_1', changes))).rejects.toThrow(RangeError);
    }
  });

  test('scopes of several organisations may live in several shards', async () => {
    const sharded = createRedisQuota({ redis, shards: 8, now: () => now, admissionTimeoutMs: 10_000 });
    const orgs = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'wonka'];
    for (const org of orgs) await sharded.reserve(sampleReserve(`req_${org}`, { org }));
    await sharded.renew(orgs.map((org) => ({ requestId: `req_${org}`, org, progressNanoUsd: 77n })));
    now += 30_000;
    expect(await sharded.sweep()).toBe(6);
    const leases = await redis.keys('gw:{q*}:out');
    expect(leases.length).toBeGreaterThan(1);
  });

  test('loads its scripts again into a store that has forgotten them', async () => {
    await reserve('req_1', {});
    await redis.script('FLUSH');
    expect(await reserve('req_2', {})).toMatchObject({ granted: true });
    await redis.script('FLUSH');
    await quota.settle(sampleSettlement('req_1'));
    expect(await read()).toMatchObject({ requests: 2, concurrency: 1 });
  });

  test.skipIf(store.kind === 'embedded')(
    'with the memory full nothing new is admitted, but what runs can still be settled',
    async () => {
      if (server.kind === 'embedded') return;
      await reserve('req_1', {});
      await redis.config('SET', 'maxmemory', '1');
      try {
        await expect(reserve('req_2', {})).rejects.toMatchObject({ code: 'quota_unavailable' });
        await quota.settle(sampleSettlement('req_1'));
      } finally {
        await redis.config('SET', 'maxmemory', '0');
      }
      expect(await read()).toMatchObject({
        requests: 1,
        concurrency: 0,
        day: { settledNanoUsd: 600n, heldNanoUsd: 0n },
      });
      expect(await readLedgerEntries()).toHaveLength(1);
    },
  );

  test.skipIf(store.kind === 'embedded')(
    'an answer that came while this process was busy counts, though it is read late',
    async () => {
      const impatient = createRedisQuota({ redis, now: () => now, admissionTimeoutMs: 100 });
      await impatient.reserve(sampleReserve('first'));
      const decision = impatient.reserve(sampleReserve('late'));
      // The command is on its way by then.
      await new Promise((resolve) => setImmediate(resolve));
      const until = performance.now() + 500;
      while (performance.now() < until);
      expect(await decision).toMatchObject({ granted: true });
    },
  );

  test.skipIf(store.kind === 'embedded')(
    'gives back what a store grants after the caller has been told that it is unavailable',
    async () => {
      if (server.kind === 'embedded') return;
      await reserve('req_1', {});
      const impatient = createRedisQuota({ redis, now: () => now, admissionTimeoutMs: 30 });
      await server.connect().client('PAUSE', 400, 'ALL');
      await expect(impatient.reserve(sampleReserve('req_2'))).rejects.toMatchObject({
        code: 'quota_unavailable',
        retryAfterMs: 1000,
      });
      const wait = { timeout: 10_000 };
      await vi.waitUntil(
        async () => (await redis.exists('gw:{q0}:r:req_2')) === 0 && (await read()).requests === 2,
        wait,
      );
      await vi.waitUntil(async () => (await read()).concurrency === 1, wait);
      expect(await read()).toMatchObject({ tokens: 100, day: { settledNanoUsd: 0n, heldNanoUsd: 1000n } });
      expect(await readLedgerEntries()).toEqual([]);
    },
  );
});

test('a store that never answers is unavailable after the admission timeout', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const redis = new Redis({ host: '127.0.0.1', port: address.port, retryStrategy: () => null });
  redis.on('error', () => {});
  try {
    const decision = createRedisQuota({ redis }).reserve(sampleReserve('req_1'));
    const error: unknown = await decision.catch((reason: unknown) => reason);
    expect(isGatewayError(error) && error.code).toBe('quota_unavailable');
  } finally {
    redis.disconnect();
    silent.close();
  }
});
