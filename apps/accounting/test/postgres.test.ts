import { setTimeout as sleep } from 'node:timers/promises';
import { findPostgres, startPostgres, type LocalPostgres } from '@tokenhub/local-postgres';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Accounting } from '../src/index.ts';
import { ADMIN_TOKEN, createTestBench, spend, type TestBench } from './test-accounting.ts';

const programs = await findPostgres();
const WAIT = { timeout: 15_000, interval: 20 };

describe.skipIf(programs === undefined)('the ledger in PostgreSQL (skipped where that is not installed)', () => {
  let server: LocalPostgres;
  let bench: TestBench;
  let accounting: Accounting;
  let sql: Sql;
  let settled = 0;
  beforeAll(async () => {
    if (programs === undefined) return;
    server = await startPostgres(programs);
    sql = connect();
    bench = await createTestBench({ databaseUrl: server.url });
    accounting = await bench.startAccounting();
  });
  afterAll(async () => {
    await sql.end({ timeout: 1 });
    await bench.close();
    await server.stop();
  });

  const connect = (): Sql => postgres({ ...server.connection, max: 1, fetch_types: false, onnotice: () => {} });

  const getJson = async (path: string): Promise<unknown> => {
    const answer = await fetch(accounting.url + path, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    return answer.json();
  };
  const outboxLength = () => bench.client.xlen('gw:{q0}:out');
  const isDrained = () => vi.waitUntil(async () => (await outboxLength()) === 0, WAIT);

  /** Settles requests one after the other, the n-th at a cost of n, until it is told to stop. */
  function startLoad(): { stop(): Promise<void> } {
    const stopped = new AbortController();
    const ended = (async () => {
      while (!stopped.signal.aborted) {
        settled++;
        await spend(bench.quota, { requestId: `req_${settled}`, costNanoUsd: BigInt(settled) });
        await sleep(2);
      }
    })();
    return {
      stop() {
        stopped.abort();
        return ended;
      },
    };
  }

  /** Every settled request is one row, and rows, sums and quotas are equal to the nano-USD. */
  async function audit(): Promise<void> {
    await isDrained();
    const costs = (BigInt(settled) * BigInt(settled + 1)) / 2n;
    const [rows] = await sql`
      SELECT count(*)::int AS rows, count(DISTINCT request_id)::int AS requests, sum(delta_nano) AS costs,
        (SELECT count(*)::int FROM dead_letters) AS dead_letters
      FROM cost_events`;
    expect(rows).toEqual({ rows: settled, requests: settled, costs: String(costs), dead_letters: 0 });
    const [sums] = await sql`
      SELECT sum(settled_nano) AS costs, sum(requests)::int AS requests FROM rollups
      WHERE scope = 'org:acme' AND length(period) = 8`;
    expect(sums).toEqual({ costs: String(costs), requests: settled });
    expect(await bench.quota.read('org:acme', 'acme')).toMatchObject({
      concurrency: 0,
      month: { settledNanoUsd: costs },
    });
  }

  test('what is settled is listed, found and summed up', async () => {
    for (; settled < 3; settled++) {
      await spend(bench.quota, { requestId: `req_${settled + 1}`, costNanoUsd: BigInt(settled + 1) });
    }
    await isDrained();
    expect(await getJson('/admin/v1/ledger?limit=2')).toMatchObject({
      items: [
        { request_id: 'req_3', kind: 'T', cost_usd: '0.000000003' },
        { request_id: 'req_2', cost_usd: '0.000000002' },
      ],
      next_cursor: expect.stringMatching(/^\d+$/),
    });
    expect(await getJson('/admin/v1/ledger/req_1')).toMatchObject({ request_id: 'req_1', corrections: [] });
    expect(await getJson('/admin/v1/usage?group_by=key')).toMatchObject({
      items: [{ group: 'demo', requests: 3, prompt_tokens: 45, cost_usd: '0.000000006' }],
    });
    expect(await getJson('/readyz')).toEqual({ status: 'ready', checks: { redis: true, ledger: true } });
    await audit();
  });

  test('killed under load and started again, nothing is lost or doubled', async () => {
    const load = startLoad();
    for (let round = 0; round < 3; round++) {
      const before = settled;
      await vi.waitUntil(() => settled > before + 50, WAIT);
      await server.kill();
      // While it is away requests are settled as before, and their events wait
      await vi.waitUntil(async () => (await outboxLength()) > 200, WAIT);
      expect(await getJson('/readyz')).toEqual({ status: 'not_ready', checks: { redis: true, ledger: false } });
      await server.restart();
      await vi.waitUntil(async () => (await outboxLength()) < 100, WAIT);
    }
    await load.stop();
    await audit();
  });

  test('a lock held for a while delays rows and nothing else', async () => {
    const load = startLoad();
    const locker = connect();
    await locker.begin(async (transaction) => {
      await transaction`LOCK TABLE cost_events IN ACCESS EXCLUSIVE MODE`;
      const before = settled;
      await vi.waitUntil(async () => settled > before + 100 && (await outboxLength()) > 100, WAIT);
    });
    await locker.end();
    await load.stop();
    await audit();
  });

  test('accounting starts while the server is away, and drains when it is there', async () => {
    await server.kill();
    await accounting.close();
    settled++;
    await spend(bench.quota, { requestId: `req_${settled}`, costNanoUsd: BigInt(settled) });
    accounting = await bench.startAccounting();
    expect(await getJson('/readyz')).toMatchObject({ checks: { ledger: false } });
    await server.restart();
    await audit();
  });
});
