import { setTimeout as sleep } from 'node:timers/promises';
import { findRedisServer, startRedisCluster, type LocalRedis } from '@tokenhub/local-redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import { operate } from './operate.ts';
import { prepareProcesses, type Processes, type Service } from './start-processes.ts';

const ORGS = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'wonka', 'stark', 'wayne'];
const CHATS = 6;
/** 15 × 10 and 42 × 30 USD per million. */
const COST_NANO_USD = 1_410_000n;
const canRun = (await findRedisServer()) !== undefined;

describe.skipIf(!canRun).each([1, 2])('a Redis Cluster of %i (skipped where no Redis is installed)', (primaries) => {
  let store: LocalRedis;
  let processes: Processes;
  let gateways: Service[];
  let accounting: Service;
  beforeAll(async () => {
    store = await startRedisCluster({ primaries });
    processes = await prepareProcesses({ startStore: async () => store, env: { TOKENHUB_SHARDS: '4' } });
    gateways = [processes.gateway, await processes.startGateway()];
    accounting = await processes.startAccounting();
  });
  afterAll(() => processes.stop());

  it('serves and books organisations of all shards, and keys made at run time hold everywhere', async () => {
    const limits = { rpm: 100, tpm: 1_000_000_000, concurrency: 100, budget_day_usd: '5000', budget_month_usd: '5000' };
    const keys = await Promise.all(
      ORGS.map((org) => operate<{ key: string }>(accounting, 'keys', { body: { id: org, org, limits } })),
    );
    // Round by round: the first requests of new processes, all at once, may wait longer for the store than a caller may
    for (let round = 0; round < CHATS; round++) {
      const gateway = gateways[round % 2] ?? processes.gateway;
      const chats = keys.map(async ({ key }) => {
        const response = await ask(gateway, 'Hello [simulate tokens=42 prompt=15]', { key, stream: round % 3 > 0 });
        const text = await response.text();
        expect([response.status, response.headers.get('x-tokenhub-degraded')], text).toEqual([200, null]);
      });
      await Promise.all(chats);
    }

    await expect
      .poll(() => operate(accounting, 'reconcile'), { timeout: 15_000, interval: 100 })
      .toEqual({ ok: true, live: 0, outbox: 0, dead_letters: 0, items: [] });
    const spent = `0.${String(COST_NANO_USD * BigInt(CHATS)).padStart(9, '0')}`.replace(/0+$/, '');
    for (const org of ORGS) {
      expect(await operate(accounting, `quotas/key:${org}`)).toMatchObject({
        requests: { used: CHATS },
        concurrency: { used: 0 },
        day: { settled_usd: spent, held_usd: '0' },
      });
    }
    const usage = await operate<{ items: object[] }>(accounting, 'usage?group_by=org');
    expect(usage.items).toHaveLength(ORGS.length);
    for (const item of usage.items) expect(item).toMatchObject({ requests: CHATS, cost_usd: spent });

    const [{ key: revoked } = { key: '' }, { key: kept } = { key: '' }] = keys;
    await operate(accounting, `keys/${ORGS[0]}`, { method: 'DELETE' });
    const revokedAt = performance.now();
    for (const gateway of gateways) {
      while ((await ask(gateway, 'Hello', { key: revoked })).status !== 401) await sleep(5);
      expect(performance.now() - revokedAt).toBeLessThan(1000);
      expect((await ask(gateway, 'Hello [simulate tokens=1]', { key: kept })).status).toBe(200);
    }
    expect(await operate(accounting, 'health')).toMatchObject({ gateways: gateways.length });

    for (const { output } of [...gateways, accounting]) {
      expect(output()).not.toMatch(/CROSSSLOT|MOVED|CLUSTERDOWN|ReplyError/);
    }
  });

  it('without it goes on as without a single Redis', async () => {
    await store.stop();
    const chat = async (): Promise<string> => {
      const response = await ask(processes.gateway, 'Hello [simulate tokens=1]');
      await response.text();
      return `${response.status} ${response.headers.get('x-tokenhub-degraded')}`;
    };
    await expect.poll(chat, { timeout: 10_000 }).toBe('200 quota');
  });
});
