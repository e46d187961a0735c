import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { TEST_STORES } from '../../local-redis/test/test-stores.ts';
import { NOON, sampleAdmission, sampleEvent, sampleReserve, sampleSettlement } from '../test/samples.ts';
import { startTestRedis, type TestRedis } from '../test/test-redis.ts';
import { decodeCostEvent, encodeCostEvent } from './cost-event-codec.ts';
import { readOutboxEntry } from './outbox-entry.ts';
import { createOutbox } from './outbox.ts';
import { createRedisQuota } from './quota/redis-quota.ts';

describe('a cost event as JSON', () => {
  test('comes back as it was', () => {
    const event = sampleEvent({ costNanoUsd: 9_007_199_254_740_993n });
    expect(decodeCostEvent(encodeCostEvent(event))).toEqual(event);
    const { user: _, firstTokenMs: __, ...bare } = sampleEvent({ attempts: [] });
    expect(decodeCostEvent(encodeCostEvent(bare))).toEqual(bare);
  });

  test('carries money as decimal strings', () => {
    expect(JSON.parse(encodeCostEvent(sampleEvent()))).toMatchObject({
      costNanoUsd: '1200000',
      attempts: [{ costNanoUsd: '0' }, { costNanoUsd: '1200000' }],
    });
  });

  test('may have members of a later version', () => {
    const later = encodeCostEvent(sampleEvent()).replace('{', '{"region":"eu",');
    expect(decodeCostEvent(later)).toEqual(sampleEvent());
  });

  test.each([
    ['no JSON', /JSON/, '{"requestId"'],
    ['a negative cost', /costNanoUsd/, encodeCostEvent(sampleEvent({ costNanoUsd: -1n }))],
    ['money as a number', /costNanoUsd/, encodeCostEvent(sampleEvent()).replace('"1200000"', '1200000')],
    ['an unknown outcome', /outcome/, encodeCostEvent(sampleEvent()).replace('completed', 'done')],
    ['no request id', /requestId/, encodeCostEvent(sampleEvent({ requestId: '' }))],
  ])('is refused with %s, naming what is wrong', (_, reason, json) => {
    expect(() => decodeCostEvent(json)).toThrow(reason);
  });
});

describe('an outbox entry', () => {
  const fields = {
    kind: 'S',
    rid: 'req_1',
    delta: '5',
    day: '20261120',
    month: '202611',
    event: encodeCostEvent(sampleEvent()),
  };
  const place = { shard: 3, streamId: `${NOON + 50}-7` };

  test.each([
    ['S', 'T'],
    ['A', 'A'],
  ])('of kind %s is a %s row', (kind, row) => {
    const entry = { kind: row, event: sampleEvent(), deltaNanoUsd: 5n, day: '20261120', month: '202611' };
    expect(readOutboxEntry({ ...place, fields: { ...fields, kind } })).toEqual({
      ok: true,
      entry: { ...entry, ...place, createdAt: NOON + 50 },
    });
  });

  test('of an expired lease is a T row made of the admission', () => {
    const admission = sampleAdmission();
    const result = readOutboxEntry({ ...place, fields: { ...fields, kind: 'E', event: JSON.stringify(admission) } });
    expect(result).toMatchObject({
      ok: true,
      entry: {
        kind: 'T',
        deltaNanoUsd: 5n,
        event: {
          ...admission,
          outcome: 'lease_expired',
          costNanoUsd: 5n,
          estimated: true,
          durationMs: 50,
          attempts: [],
        },
      },
    });
  });

  test('without a reservation belongs to the day that its gateway admitted it', () => {
    const event = encodeCostEvent(sampleEvent({ admittedAt: Date.UTC(2027, 0, 1) - 1 }));
    expect(readOutboxEntry({ ...place, fields: { kind: 'O', rid: 'req_1', delta: '5', event } })).toMatchObject({
      ok: true,
      entry: { kind: 'T', deltaNanoUsd: 5n, day: '20261231', month: '202612' },
    });
  });

  test.each([
    ['an unknown kind', { kind: 'Z' }],
    ['a broken event', { event: '{' }],
    ['a broken delta', { delta: '1.5' }],
    ['a delta beyond 64 bits', { delta: '9'.repeat(20) }],
    ['a broken period', { day: 'today' }],
  ])('with %s is a dead letter, whole', (_, changes) => {
    const broken = { ...fields, ...changes };
    const result = readOutboxEntry({ ...place, fields: broken });
    expect(result).toMatchObject({ ok: false, deadLetter: { ...place, fields: broken, reason: expect.any(String) } });
  });
});

describe.each(TEST_STORES)('the outbox in $name', ({ isSkipped, start }) => {
  if (isSkipped) {
    test.skip('Redis is not installed', () => {});
    return;
  }
  let server: TestRedis;
  let redis: Redis | Cluster;
  beforeAll(async () => {
    server = await startTestRedis(start);
    redis = server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(() => redis.flushall());

  test('gives the oldest entries until they are removed, and remembers how far the ledger is', async () => {
    const quota = createRedisQuota({ redis, admissionTimeoutMs: 10_000 });
    for (const requestId of ['req_1', 'req_2', 'req_3']) {
      await quota.reserve(sampleReserve(requestId));
      await quota.settle(sampleSettlement(requestId));
    }
    const outbox = createOutbox({ redis, shard: 0 });
    const first = await outbox.read(2);
    expect(first.map(({ fields }) => fields['rid'])).toEqual(['req_1', 'req_2']);
    expect(await outbox.read(2)).toEqual(first);
    await outbox.remove(first, []);
    expect((await outbox.read(2)).map(({ fields }) => fields['rid'])).toEqual(['req_3']);
    expect(await outbox.length()).toBe(1);
    expect(await redis.get('gw:{q0}:wm')).toBe(first[1]?.streamId);
    await outbox.remove([], []);
    expect(await outbox.length()).toBe(1);
  });
});
