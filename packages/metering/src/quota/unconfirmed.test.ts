import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { NOON, sampleReserve, sampleSettlement } from '../../test/samples.ts';
import { startTestRedis, type TestRedis } from '../../test/test-redis.ts';
import { createOutbox } from '../outbox.ts';
import { createRedisQuota } from './redis-quota.ts';

let server: TestRedis;
let redis: Redis | Cluster;
beforeAll(async () => {
  server = await startTestRedis();
  redis = server.connect();
});
afterAll(() => server.stop());
beforeEach(() => redis.flushall());

const connect = () => createRedisQuota({ redis, now: () => NOON, admissionTimeoutMs: 10_000 });
const outbox = () => createOutbox({ redis, shard: 0 });
const idsInOutbox = async () => (await outbox().read(100)).map(({ fields }) => `${fields['kind']} ${fields['rid']}`);

test('what the store has lost after it was confirmed is settled again, and what is in the ledger is not', async () => {
  const quota = connect();
  for (const requestId of ['req_1', 'req_2', 'req_3']) {
    await quota.reserve(sampleReserve(requestId));
    await quota.settle(sampleSettlement(requestId));
  }
  await outbox().remove((await outbox().read(10)).slice(0, 1), []);
  await quota.confirm();
  await redis.flushall();
  expect(await quota.resend()).toBe(2);
  expect(await idsInOutbox()).toEqual(['O req_2', 'O req_3']);
});

test('a settlement that a failover has undone is made again, as it was', async () => {
  const quota = connect();
  await quota.reserve(sampleReserve('req_1'));
  const keys = await redis.keys('gw:*');
  const before = await Promise.all(keys.map(async (key) => [key, await redis.dumpBuffer(key)] as const));
  await quota.settle(sampleSettlement('req_1'));
  // The replica that takes over had heard of the reservation, not of its end
  await redis.flushall();
  for (const [key, dump] of before) await redis.restore(key, 0, dump);
  expect(await quota.resend()).toBe(1);
  expect(await idsInOutbox()).toEqual(['S req_1']);
  expect(await quota.read('key:demo', 'acme')).toMatchObject({ concurrency: 0, day: { settledNanoUsd: 600n } });
});

test('nothing is settled again when all of it is in the ledger', async () => {
  const quota = connect();
  await quota.reserve(sampleReserve('req_1'));
  await quota.settle(sampleSettlement('req_1'));
  await outbox().remove(await outbox().read(10), []);
  await quota.confirm();
  expect(await quota.resend()).toBe(0);
});
