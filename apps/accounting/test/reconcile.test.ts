import { DatabaseSync } from 'node:sqlite';
import { findPostgres, startPostgres } from '@tokenhub/local-postgres';
import { findRedisServer, startRedisCluster, type LocalRedis } from '@tokenhub/local-redis';
import { createCounters, createRedisQuota, openLedger, type Counters, type Ledger } from '@tokenhub/metering';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import type { Accounting } from '../src/index.ts';
import {
  ADMIN_TOKEN,
  createTestBench,
  sampleEvent,
  spend,
  toReserveRequest,
  type TestBench,
} from './test-accounting.ts';

const WAIT = { timeout: 15_000, interval: 20 };
const COST = '0.0012';
const programs = await findPostgres();
const hasRedis = (await findRedisServer()) !== undefined;

const reportSchema = z.object({
  ok: z.boolean(),
  live: z.number(),
  outbox: z.number(),
  dead_letters: z.number(),
  items: z.array(z.looseObject({ kind: z.string() })),
});

/** Somebody who can write into the ledger's database. */
interface Intruder {
  readonly databaseUrl: string;
  run(sql: string): Promise<void>;
  close(): Promise<void>;
}

async function intrudePostgres(): Promise<Intruder> {
  if (programs === undefined) throw new Error('skipped');
  const server = await startPostgres(programs);
  const sql = postgres({ ...server.connection, max: 1, fetch_types: false, onnotice: () => {} });
  return {
    databaseUrl: server.url,
    run: async (text) => void (await sql.unsafe(text)),
    async close() {
      await sql.end({ timeout: 1 });
      await server.stop();
    },
  };
}

describe.each([
  { name: 'SQLite', isSkipped: false, intrude: undefined, startStore: undefined },
  {
    name: 'PostgreSQL (skipped where that is not installed)',
    isSkipped: programs === undefined,
    intrude: intrudePostgres,
    startStore: undefined,
  },
  {
    name: 'SQLite and a Redis Cluster of one node (skipped where no Redis is installed)',
    isSkipped: !hasRedis,
    intrude: undefined,
    startStore: startRedisCluster,
  },
])('reconciliation with $name', ({ isSkipped, intrude, startStore }) => {
  if (isSkipped) {
    test.skip('what it needs is not installed', () => {});
    return;
  }
  let store: LocalRedis | undefined;
  let intruder: Intruder | undefined;
  let bench: TestBench;
  let accounting: Accounting;
  let ledger: Ledger;
  let counters: Counters;
  beforeAll(async () => {
    intruder = await intrude?.();
    store = await startStore?.();
  }, 60_000);
  afterAll(async () => {
    await intruder?.close();
    await store?.stop();
  });
  beforeEach(async () => {
    await intruder?.run('DROP TABLE IF EXISTS cost_events, attempts, rollups, dead_letters, repairs, ledger_schema');
    bench = await createTestBench({ redis: store, ...(intruder && { databaseUrl: intruder.databaseUrl }) });
    ledger = openLedger(bench.databaseUrl);
    counters = createCounters({ redis: bench.client, ledger });
    accounting = await bench.startAccounting();
  });
  afterEach(async () => {
    await ledger.close();
    await bench.close();
  });

  const ask = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(accounting.url + path, { headers, ...init });
    const body: unknown = await answer.json();
    return { status: answer.status, body };
  };
  const reconcile = async () => reportSchema.parse((await ask('/admin/v1/reconcile')).body);
  const isDrained = () => vi.waitUntil(async () => (await bench.client.xlen('gw:{q0}:out')) === 0, WAIT);
  const tamper = async (sql: string): Promise<void> => {
    if (intruder !== undefined) return intruder.run(sql);
    const database = new DatabaseSync(bench.databaseUrl.replace('sqlite:', ''), { timeout: 5000 });
    database.exec(sql);
    database.close();
  };
  const readKey = () => bench.quota.read('key:demo', 'acme');
  const today = () => new Date().toISOString().slice(0, 10).replaceAll('-', '');

  test('counters and ledger agree, also while requests run and events are on their way', async () => {
    for (let number = 0; number < 20; number++) await spend(bench.quota, { requestId: `req_${number}` });
    await isDrained();
    expect(await reconcile()).toEqual({ ok: true, live: 0, outbox: 0, dead_letters: 0, items: [] });

    const stopped = new AbortController();
    const load = (async () => {
      for (let number = 0; !stopped.signal.aborted; number++) await spend(bench.quota, { requestId: `load_${number}` });
    })();
    for (let round = 0; round < 5; round++) expect(await reconcile()).toMatchObject({ ok: true, items: [] });
    stopped.abort();
    await load;
  });

  test.each([
    ['what a row adds to the sums', `UPDATE cost_events SET delta_nano = delta_nano + 1 WHERE request_id = 'req_7'`],
    ['the cost of a row', `UPDATE cost_events SET cost_nano = cost_nano + 1 WHERE request_id = 'req_7'`],
    ['a kind of token', `UPDATE cost_events SET cached_nano = cached_nano + 1 WHERE request_id = 'req_7'`],
    [
      'the event of a row',
      `UPDATE cost_events SET event = replace(event, '"costNanoUsd":"1200000"', '"costNanoUsd":"1200001"') WHERE request_id = 'req_7'`,
    ],
  ])('one nano-USD more in %s is found, and the request is named', async (_, sql) => {
    for (let number = 0; number < 10; number++) await spend(bench.quota, { requestId: `req_${number}` });
    await isDrained();
    await tamper(sql);
    const { ok, items } = await reconcile();
    expect(ok).toBe(false);
    expect(items.filter(({ kind }) => kind === 'ledger_row')).toMatchObject([{ request_id: 'req_7' }]);
  });

  test('one nano-USD more in a sum is found, by whose it is and of when', async () => {
    await spend(bench.quota, { requestId: 'req_1' });
    await isDrained();
    await tamper(
      `UPDATE rollups SET settled_nano = settled_nano + 1 WHERE scope = 'user:ada' AND period = '${today()}'`,
    );
    expect(await reconcile()).toMatchObject({
      ok: false,
      items: [
        {
          kind: 'ledger_sum',
          scope: 'user:ada',
          period: today(),
          actual_usd: '0.001200001',
          difference_usd: '-0.000000001',
        },
        { kind: 'ledger_sum', scope: 'user:ada', period: today().slice(0, 6), difference_usd: '0.000000001' },
      ],
    });
  });

  test('one nano-USD more in a counter is found, put right within one cycle, and shown', async () => {
    await spend(bench.quota, { requestId: 'req_1' });
    await isDrained();
    await reconcile(); // seeds
    const [state] = (await counters.snapshot(0, ['key:demo'])).scopes;
    if (state === undefined) throw new Error('no scope');
    await counters.repair(0, state, { deltas: [{ period: today(), deltaNanoUsd: 1n }], releasesAll: false });
    expect(await reconcile()).toMatchObject({
      ok: false,
      items: [
        { kind: 'counter', scope: 'key:demo', period: today(), expected_usd: COST, difference_usd: '-0.000000001' },
      ],
    });

    await accounting.close();
    accounting = await bench.startAccounting({ reconcileEveryMs: 200 });
    await vi.waitUntil(async () => (await readKey()).day.settledNanoUsd === 1_200_000n, WAIT);
    await vi.waitUntil(async () => (await reconcile()).items.length > 0, WAIT);
    expect(await reconcile()).toMatchObject({
      ok: true,
      items: [{ kind: 'repaired', scope: 'key:demo', difference_usd: '-0.000000001', repaired_at: expect.any(String) }],
    });
  });

  test('an event that the store has lost after the ledger had it is put right', async () => {
    await spend(bench.quota, { requestId: 'req_1' });
    await spend(bench.quota, { requestId: 'req_2' });
    await isDrained();
    await reconcile();
    // As after a failover to a replica that had not heard of req_2
    const [state] = (await counters.snapshot(0, ['org:acme'])).scopes;
    if (state === undefined) throw new Error('no scope');
    const lost = [today(), today().slice(0, 6)].map((period) => ({ period, deltaNanoUsd: -1_200_000n }));
    await counters.repair(0, state, { deltas: lost, releasesAll: false });
    await accounting.close();
    accounting = await bench.startAccounting({ reconcileEveryMs: 200 });
    await vi.waitUntil(
      async () => (await bench.quota.read('org:acme', 'acme')).month.settledNanoUsd === 2_400_000n,
      WAIT,
    );
  });

  test('what is held though nothing runs is found and released', async () => {
    const event = sampleEvent({ requestId: 'req_1' });
    await spend(bench.quota, { requestId: 'req_0' });
    await bench.quota.reserve(toReserveRequest(event));
    await isDrained();
    await reconcile();
    await bench.client.del('gw:{q0}:lease', 'gw:{q0}:r:req_1');
    const { ok, live, items } = await reconcile();
    expect({ ok, live }).toEqual({ ok: false, live: 0 });
    expect(items).toEqual(
      expect.arrayContaining(
        ['key:demo', 'org:acme'].map((scope) => expect.objectContaining({ kind: 'held', scope, actual_usd: '0.005' })),
      ),
    );
    await accounting.close();
    accounting = await bench.startAccounting({ reconcileEveryMs: 200 });
    await vi.waitUntil(async () => (await readKey()).concurrency === 0, WAIT);
    expect(await readKey()).toMatchObject({ day: { heldNanoUsd: 0n }, month: { heldNanoUsd: 0n } });
  });

  test('a settlement whose reservation the store has lost is counted once, when it is in the ledger', async () => {
    await spend(bench.quota, { requestId: 'req_0' });
    await isDrained();
    const event = sampleEvent({ requestId: 'req_lost' });
    const settlement = { requestId: 'req_lost', org: 'acme', tokens: 57, costNanoUsd: event.costNanoUsd, event };
    for (let time = 0; time < 3; time++) await bench.quota.settle(settlement);
    await isDrained();
    await bench.quota.settle(settlement);
    await isDrained();
    expect(await readKey()).toMatchObject({ day: { settledNanoUsd: 2_400_000n }, concurrency: 0 });
    expect(await reconcile()).toMatchObject({ ok: true });
  });

  test('an event that cannot be written is named, and no counter is touched for it', async () => {
    await spend(bench.quota, { requestId: 'req_1' });
    await isDrained();
    await bench.client.xadd('gw:{q0}:out', '*', 'kind', 'S', 'rid', 'req_poison', 'delta', 'nonsense', 'event', '{}');
    await isDrained();
    expect(await reconcile()).toMatchObject({
      ok: false,
      dead_letters: 1,
      items: [{ kind: 'dead_letter', request_id: 'req_poison', reason: expect.any(String) }],
    });
  });

  test('a store that comes back empty is counted from the ledger again', async () => {
    for (let number = 0; number < 5; number++) await spend(bench.quota, { requestId: `req_${number}` });
    await isDrained();
    await bench.client.flushall();
    const quota = createRedisQuota({ redis: bench.client, ledger, admissionTimeoutMs: 10_000 });
    await spend(quota, { requestId: 'req_after' });
    await accounting.close();
    accounting = await bench.startAccounting();
    await isDrained();
    expect(await reconcile()).toMatchObject({ ok: true });
    expect(await readKey()).toMatchObject({ day: { settledNanoUsd: 7_200_000n } });
  });

  test('a correction is a new row, counted at once, and only one', async () => {
    await spend(bench.quota, { requestId: 'req_1' });
    await isDrained();
    await reconcile();
    const correct = (body: unknown, id = 'req_1') =>
      ask(`/admin/v1/ledger/${id}/corrections`, { method: 'POST', body: JSON.stringify(body) });
    expect(await correct({ delta_usd: '-0.0013' })).toMatchObject({
      status: 400,
      body: { error: { param: 'delta_usd' } },
    });
    expect(await correct({ delta_usd: -1 })).toMatchObject({ status: 400, body: { error: { param: 'delta_usd' } } });
    expect(await correct({ amount: '1' })).toMatchObject({ status: 400, body: { error: { param: 'amount' } } });
    expect(await correct({ delta_usd: '-0.001' }, 'req_none')).toMatchObject({ status: 404 });
    expect(await correct({ delta_usd: '-0.0002' })).toMatchObject({
      status: 202,
      body: { kind: 'R', delta_usd: '-0.0002' },
    });
    expect(await readKey()).toMatchObject({
      day: { settledNanoUsd: 1_000_000n },
      month: { settledNanoUsd: 1_000_000n },
    });
    expect(await correct({ delta_usd: '-0.0002' })).toMatchObject({ status: 409 });
    await isDrained();
    expect(await correct({ delta_usd: '-0.0002' })).toMatchObject({ status: 409 });
    expect(await ask('/admin/v1/ledger/req_1')).toMatchObject({
      body: { kind: 'T', cost_usd: COST, corrections: [{ kind: 'R', delta_usd: '-0.0002' }] },
    });
    expect(await reconcile()).toMatchObject({ ok: true });
  });
});
