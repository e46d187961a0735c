import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TEST_STORES } from '../../../local-redis/test/test-stores.ts';
import { NOON, sampleReserve, sampleSettlement } from '../../test/samples.ts';
import { startTestRedis, type TestRedis } from '../../test/test-redis.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openSqliteLedger } from '../ledger/sqlite-ledger.ts';
import { readOutboxEntry } from '../outbox-entry.ts';
import { createOutbox, type Outbox } from '../outbox.ts';
import { createCounters, type Counters } from './counters.ts';
import type { Limits, Quota } from './quota.ts';
import { createRedisQuota } from './redis-quota.ts';

const SCOPE = 'key:demo';
const SCOPE_KEY = `gw:{q0}:s:${SCOPE}`;
const BUDGET: Limits = { dayNanoUsd: 10_000n, monthNanoUsd: 100_000n };

describe.each(TEST_STORES)('counting from the ledger in $name', ({ isSkipped, start }) => {
  if (isSkipped) {
    test.skip('Redis is not installed', () => {});
    return;
  }
  let server: TestRedis;
  let redis: Redis | Cluster;
  let directory: string;
  let ledger: Ledger;
  let outbox: Outbox;
  let quota: Quota;
  let counters: Counters;
  let now: number;

  beforeAll(async () => {
    server = await startTestRedis(start);
    redis = server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await redis.flushall();
    now = NOON;
    directory = mkdtempSync(join(tmpdir(), 'counters-test-'));
    ledger = openSqliteLedger(join(directory, 'ledger.sqlite'));
    outbox = createOutbox({ redis, shard: 0 });
    quota = connectQuota(redis);
    counters = createCounters({ redis, ledger, now: () => now });
  });
  afterEach(async () => {
    await ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const connectQuota = (connection: Redis | Cluster, outboxMax?: number): Quota =>
    createRedisQuota({ redis: connection, ledger, now: () => now, admissionTimeoutMs: 10_000, outboxMax });
  const reserve = (requestId: string, limits: Limits = BUDGET, by = quota) =>
    by.reserve(sampleReserve(requestId, { scopes: [{ id: SCOPE, limits }] }));
  const spend = async (...requestIds: readonly string[]): Promise<void> => {
    for (const requestId of requestIds) {
      expect(await reserve(requestId)).toMatchObject({ granted: true });
      await quota.settle(sampleSettlement(requestId));
    }
  };
  const read = () => quota.read(SCOPE, 'acme');
  /** As accounting does, but that it may end between the commit and the removal. */
  const drain = async ({ count = 500, removes = true } = {}): Promise<void> => {
    const entries = await outbox.read(count);
    const rows = entries.map(readOutboxEntry).flatMap((result) => (result.ok ? result.entry : []));
    await ledger.append(rows, []);
    if (removes) await outbox.remove(entries, []);
  };

  test('a scope that the store does not know has spent what the ledger says', async () => {
    await spend('req_1', 'req_2');
    await drain();
    await redis.flushall();
    const refusal = await reserve('req_3', { dayNanoUsd: 2000n });
    expect(refusal).toMatchObject({ granted: false, dimension: 'day', used: 1200n, reserved: 0n });
    expect(await reserve('req_4', { dayNanoUsd: 2200n })).toMatchObject({ granted: true });
  });

  test('processes that find an empty store at once count the ledger once', async () => {
    await spend('req_1', 'req_2', 'req_3');
    await drain();
    await redis.flushall();
    const quotas = [1, 2, 3, 4].map(() => connectQuota(server.connect()));
    const decisions = await Promise.all(
      Array.from({ length: 40 }, (_, index) => reserve(`race_${index}`, { dayNanoUsd: 21_800n }, quotas[index % 4])),
    );
    // 1800 are spent, and each holds 1000
    expect(decisions.filter(({ granted }) => granted)).toHaveLength(20);
    expect(await read()).toMatchObject({ concurrency: 20, day: { settledNanoUsd: 1800n, heldNanoUsd: 20_000n } });
  });

  test.each<[name: string, drained: { count?: number; removes?: boolean }]>([
    ['none of them in the ledger', { count: 0 }],
    ['some of them in the ledger and removed', { count: 2 }],
    ['some of them in the ledger and still in the outbox', { count: 2, removes: false }],
    ['all of them in the ledger and still in the outbox', { removes: false }],
  ])('a deleted scope counts events on their way to the ledger once: %s', async (_, drained) => {
    await spend('req_1', 'req_2', 'req_3');
    if (drained.count !== 0) await drain(drained);
    await redis.del(SCOPE_KEY);
    await reserve('req_4');
    const periods = { settledNanoUsd: 1800n, heldNanoUsd: 1000n };
    expect(await read()).toMatchObject({ concurrency: 1, day: periods, month: periods });
  });

  test('a scope deleted while requests run holds them again, and never less than nothing', async () => {
    await reserve('req_1');
    await reserve('req_2');
    await redis.del(SCOPE_KEY);
    await reserve('req_3');
    expect(await read()).toMatchObject({ concurrency: 3, day: { settledNanoUsd: 0n, heldNanoUsd: 3000n } });
    for (const requestId of ['req_1', 'req_2', 'req_3']) await quota.settle(sampleSettlement(requestId));
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 1800n, heldNanoUsd: 0n } });
  });

  test('a deleted scope without a budget forgets what ran before, and releases none of it', async () => {
    await reserve('req_1', { concurrency: 5 });
    await redis.del(SCOPE_KEY);
    await reserve('req_2', { concurrency: 5 });
    await quota.settle(sampleSettlement('req_1'));
    expect(await read()).toMatchObject({ concurrency: 1, day: { heldNanoUsd: 1000n } });
    await quota.settle(sampleSettlement('req_2'));
    await counters.seed(0, SCOPE);
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 1200n, heldNanoUsd: 0n } });
  });

  test('a scope settled while it is gone is whole when it is made again', async () => {
    await reserve('req_1');
    await redis.del(SCOPE_KEY);
    await quota.settle(sampleSettlement('req_1'));
    expect(await redis.exists(SCOPE_KEY)).toBe(0);
    await reserve('req_2');
    expect(await read()).toMatchObject({ concurrency: 1, day: { settledNanoUsd: 600n, heldNanoUsd: 1000n } });
  });

  test('a store that has lost everything holds running requests again when they are renewed', async () => {
    await reserve('req_1');
    await redis.flushall();
    await quota.renew([{ requestId: 'req_1', org: 'acme', progressNanoUsd: 70n }]);
    expect(await read()).toMatchObject({ concurrency: 1, day: { heldNanoUsd: 1000n } });
    await reserve('req_2');
    expect(await read()).toMatchObject({ concurrency: 2, day: { settledNanoUsd: 0n, heldNanoUsd: 2000n } });
    now += 31_000;
    expect(await quota.sweep()).toBe(2);
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 80n, heldNanoUsd: 0n } });
  });

  test('a request that has ended is not held again by a renewal that comes late', async () => {
    await reserve('req_1');
    await quota.settle(sampleSettlement('req_1'));
    await quota.renew([{ requestId: 'req_1', org: 'acme', progressNanoUsd: 70n }]);
    expect(await read()).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 600n, heldNanoUsd: 0n } });
  });

  test('events that reach the ledger and leave the outbox while it is asked are counted', async () => {
    await spend('req_1', 'req_2');
    await redis.del(SCOPE_KEY);
    let isFirst = true;
    const slow = createCounters({
      redis,
      now: () => now,
      ledger: {
        async sums(query) {
          const sums = await ledger.sums(query);
          if (isFirst) await drain();
          isFirst = false;
          return sums;
        },
      },
    });
    await slow.seed(0, SCOPE);
    expect(await read()).toMatchObject({ day: { settledNanoUsd: 1200n } });
  });

  test('without an answer of the ledger nobody is admitted under a budget, and everybody else is', async () => {
    const broken = { sums: () => Promise.reject(new Error('disk full')) };
    const blind = createRedisQuota({ redis, ledger: broken, now: () => now, admissionTimeoutMs: 10_000 });
    await expect(reserve('req_1', BUDGET, blind)).rejects.toMatchObject({ code: 'quota_unavailable' });
    expect(await redis.keys('gw:*')).toEqual([]);
    expect(await reserve('req_2', { requestsPerMinute: 5 }, blind)).toMatchObject({ granted: true });
  });

  test('while too many events wait for the ledger nobody is admitted under a budget', async () => {
    await spend('req_1', 'req_2', 'req_3');
    const strict = connectQuota(redis, 2);
    await expect(reserve('req_4', BUDGET, strict)).rejects.toMatchObject({ code: 'quota_unavailable' });
    expect(await reserve('req_5', { tokensPerMinute: 1000 }, strict)).toMatchObject({ granted: true });
    await drain();
    expect(await reserve('req_6', BUDGET, strict)).toMatchObject({ granted: true });
  });

  test('periods that a refund has made negative are seeded as they are', async () => {
    await spend('req_1');
    await drain();
    const [terminal] = await ledger.find('req_1');
    if (terminal === undefined) throw new Error('no row');
    expect(await counters.adjust(terminal, -9600n)).toBe(true);
    expect(await counters.adjust(terminal, -9600n)).toBe(false);
    expect(await read()).toMatchObject({ day: { settledNanoUsd: -9000n }, month: { settledNanoUsd: -9000n } });
    await drain();
    expect(await ledger.find('req_1')).toMatchObject([
      { kind: 'T', deltaNanoUsd: 600n },
      { kind: 'R', deltaNanoUsd: -9600n },
    ]);
    await redis.flushall();
    await reserve('req_2');
    expect(await read()).toMatchObject({ day: { settledNanoUsd: -9000n }, month: { settledNanoUsd: -9000n } });
  });

  test('sums beyond 2^53 nano-USD are seeded to the last digit', async () => {
    const cost = 8_999_999_999_999_999n;
    const biggest: Limits = { monthNanoUsd: cost };
    for (const requestId of ['req_1', 'req_2']) {
      await reserve(requestId, {});
      await quota.settle(sampleSettlement(requestId, { costNanoUsd: cost }));
    }
    await drain();
    await redis.flushall();
    expect(await reserve('req_3', biggest)).toMatchObject({ granted: false, used: 17_999_999_999_999_998n });
  });

  test('a snapshot tells what is settled, up to which event', async () => {
    await spend('req_1', 'req_2');
    const [, last] = await outbox.read(2);
    const snapshot = await counters.snapshot(0, [SCOPE, 'key:nobody']);
    expect(snapshot).toEqual({
      position: last?.streamId,
      live: 0,
      scopes: [
        {
          scope: SCOPE,
          isSeeded: true,
          corrections: 0,
          live: 0,
          periods: expect.arrayContaining([
            { period: '20261120', settledNanoUsd: 1200n, heldNanoUsd: 0n },
            { period: '202611', settledNanoUsd: 1200n, heldNanoUsd: 0n },
          ]),
        },
      ],
    });
    await drain();
    expect((await counters.snapshot(0, [])).position).toBe(last?.streamId);
    expect(await counters.scopes(0)).toEqual([SCOPE]);
  });

  test('only the first of two corrections of the same state is made', async () => {
    await spend('req_1');
    const [state] = (await counters.snapshot(0, [SCOPE])).scopes;
    if (state === undefined) throw new Error('no scope');
    const correction = { deltas: [{ period: '20261120', deltaNanoUsd: -1n }], releasesAll: false };
    expect(await counters.repair(0, state, correction)).toBe(true);
    expect(await counters.repair(0, state, correction)).toBe(false);
    expect(await read()).toMatchObject({ day: { settledNanoUsd: 599n }, month: { settledNanoUsd: 600n } });
  });

  describe('an answer that outgrows its reservation', () => {
    const scopes = (limits: Limits) => [{ id: SCOPE, limits }];
    const extend = (requestId: string, limits: Limits) =>
      quota.extend({ requestId, org: 'acme', scopes: scopes(limits), tokens: 50, costNanoUsd: 400n });

    test('holds more where the limits allow it', async () => {
      const limits = { ...BUDGET, tokensPerMinute: 150 };
      await reserve('req_1', limits);
      expect(await extend('req_1', limits)).toEqual({ granted: true });
      expect(await read()).toMatchObject({ tokens: 150, day: { heldNanoUsd: 1400n }, month: { heldNanoUsd: 1400n } });
      await quota.settle(sampleSettlement('req_1'));
      expect(await read()).toMatchObject({
        tokens: 57,
        concurrency: 0,
        day: { settledNanoUsd: 600n, heldNanoUsd: 0n },
      });
    });

    test.each<[dimension: string, limits: Limits]>([
      ['tokens', { tokensPerMinute: 149 }],
      ['day', { dayNanoUsd: 1399n }],
      ['month', { monthNanoUsd: 1399n }],
    ])('is told whose %s allow no more, and holds what it held', async (dimension, limits) => {
      await reserve('req_1', limits);
      const before = await read();
      expect(await extend('req_1', limits)).toEqual({ granted: false, scope: SCOPE, dimension });
      expect(await read()).toEqual(before);
    });

    test('is not limited by tokens when its minute is over', async () => {
      await reserve('req_1', { tokensPerMinute: 100 });
      now += 62_000;
      expect(await reserve('req_2', { tokensPerMinute: 100 })).toMatchObject({ granted: true });
      expect(await extend('req_1', { tokensPerMinute: 100 })).toEqual({ granted: true });
      expect(await read()).toMatchObject({ tokens: 100, day: { heldNanoUsd: 2400n } });
    });

    test('holds nothing any more when it has ended', async () => {
      await spend('req_1');
      expect(await extend('req_1', BUDGET)).toEqual({ granted: true });
      expect(await read()).toMatchObject({ concurrency: 0, day: { heldNanoUsd: 0n } });
    });
  });
});
