import { setTimeout as sleep } from 'node:timers/promises';
import { redisOptions } from '@tokenhub/config';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insist } from '../apps/gateway/test/insist.ts';
import { ask as askOnce, type Wish } from './ask.ts';
import { operate } from './operate.ts';
import { CROWD_KEY, prepareProcesses, type Processes, type Service } from './start-processes.ts';

const LEASE_MS = 30_000;
/** USD of a token of output, and of the shortest input. */
const TOKEN_USD = 0.000_03;

interface Row {
  readonly request_id: string;
  readonly kind: string;
  readonly outcome: string;
  readonly cost_usd: string;
  readonly delta_usd: string;
  readonly estimated: boolean;
  readonly client_request_id: string;
  readonly corrections?: readonly Row[];
}

let processes: Processes;
let accounting: Service;
let redis: Redis;
beforeAll(async () => {
  processes = await prepareProcesses();
  accounting = await processes.startAccounting();
  redis = new Redis({ ...redisOptions(processes.redisUrl) });
});
afterAll(async () => {
  redis.disconnect();
  await processes.stop();
});

/** So many at once may keep a new gateway from hearing its store in time. */
const ask = (gateway: Service, content: string, wish: Wish) => insist(() => askOnce(gateway, content, wish));
const leases = () => redis.zcard('gw:{q0}:lease');
/** Rows of the requests whose id of the caller's begins like this. */
async function rowsOf(prefix: string): Promise<readonly Row[]> {
  const { items } = await operate<{ items: Row[] }>(accounting, 'ledger?key=crowd&limit=500');
  const own = items.filter((row) => row.kind === 'T' && row.client_request_id.startsWith(prefix));
  return Promise.all(own.map(({ request_id }) => operate<Row>(accounting, `ledger/${request_id}`)));
}

it('what a killed or frozen gateway held comes back within its lease and 2 s, and each request is billed once (F1 to F4)', async () => {
  const [killed, beforeSettling, frozen] = await Promise.all([
    processes.startGateway(),
    processes.startGateway(),
    processes.startGateway(),
  ]);
  const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n));

  // F1: streams that run; F2: granted and dispatched, without a byte of an answer
  const running = many(100, (n) => ask(killed, 'Hello [simulate tokens=5000 pace=20]', { id: `running-${n}` }));
  const silent = Promise.allSettled(
    many(5, (n) => ask(killed, 'Hello [simulate fault=silent]', { id: `silent-${n}` })),
  );
  const cold = many(50, (n) => ask(frozen, 'Hello [simulate tokens=200 pace=60]', { id: `frozen-${n}` }));
  const streams = await Promise.all([...running, ...cold]);
  await expect.poll(leases).toBe(155);
  frozen.process.kill('SIGSTOP');
  killed.process.kill('SIGKILL');
  const cut = await Promise.allSettled(streams.slice(0, 100).map((response) => response.text()));
  expect(cut.every(({ status }) => status === 'rejected')).toBe(true);
  await silent;
  await expect.poll(() => processes.simulator.activeStreams).toBeLessThanOrEqual(50);

  // F3: killed when the last byte has left, most likely before anything is settled
  const told = await Promise.all(
    many(20, (n) => ask(beforeSettling, 'Hello [simulate tokens=20]', { id: `told-${n}` })),
  );
  const first = told[0]?.body?.getReader();
  while ((await first?.read())?.done === false);
  beforeSettling.process.kill('SIGKILL');
  const lastKilledAt = performance.now();

  await expect.poll(leases, { timeout: LEASE_MS + 15_000, interval: 50 }).toBe(0);
  expect(performance.now() - lastKilledAt).toBeLessThan(LEASE_MS + 10_000);

  // F4: it comes back and knows better
  frozen.process.kill('SIGCONT');
  await Promise.all(streams.slice(100).map((response) => response.text()));
  await expect
    .poll(async () => (await rowsOf('frozen')).filter((row) => row.corrections?.length === 1).length, {
      timeout: 10_000,
    })
    .toBe(50);
  await sleep(500);

  const [runningRows, silentRows, toldRows, frozenRows] = await Promise.all(
    ['running', 'silent', 'told', 'frozen'].map(rowsOf),
  );
  expect([runningRows?.length, silentRows?.length, toldRows?.length, frozenRows?.length]).toEqual([100, 5, 20, 50]);
  for (const row of [...(runningRows ?? []), ...(silentRows ?? [])]) {
    expect(row).toMatchObject({ outcome: 'lease_expired', estimated: true, corrections: [] });
    // At least the input, since it was sent
    expect(Number(row.cost_usd)).toBeGreaterThan(0);
  }
  for (const row of toldRows ?? []) {
    expect(['completed', 'lease_expired']).toContain(row.outcome);
    expect(Number(row.cost_usd)).toBeLessThan(60 * TOKEN_USD);
  }
  for (const { outcome, cost_usd, corrections } of frozenRows ?? []) {
    expect(outcome).toBe('lease_expired');
    const [correction] = corrections ?? [];
    expect(correction).toMatchObject({ outcome: 'completed' });
    // The whole answer: 200 tokens of output besides the input
    expect(Number(correction?.cost_usd)).toBeGreaterThan(200 * TOKEN_USD);
    expect(Number(correction?.delta_usd)).toBeCloseTo(Number(correction?.cost_usd) - Number(cost_usd), 9);
  }
  // The caller is told what holds now
  const [{ request_id: id, corrections: [truth] = [] } = { request_id: '' }] = frozenRows ?? [];
  const headers = { authorization: `Bearer ${CROWD_KEY}` };
  const generation = await (await fetch(`${frozen.url}/v1/generations/${id}`, { headers })).json();
  expect(generation).toMatchObject({ outcome: 'completed', cost_usd: truth?.cost_usd });

  const { concurrency, month } = await operate<{ concurrency: { used: number }; month: { held_usd: string } }>(
    accounting,
    'quotas/key:crowd',
  );
  expect({ used: concurrency.used, held: month.held_usd }).toEqual({ used: 0, held: '0' });
  expect(await operate(accounting, 'reconcile')).toMatchObject({ ok: true, live: 0, outbox: 0 });
}, 120_000);
