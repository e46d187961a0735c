import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openLedger } from '@tokenhub/metering';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ADMIN_TOKEN, createTestBench, KEY_PEPPER, spend, type TestBench } from './test-accounting.ts';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** The compiled program, with nothing of the tests' own environment. */
function startMain(env: Record<string, string>) {
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  const output = { text: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.text += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.errors += text));
  const exited = once(child, 'close').then(([code, signal]: unknown[]) => {
    running.delete(child);
    return code ?? signal;
  });
  return {
    child,
    output,
    exited,
    url: () => vi.waitUntil(() => /listening at (\S+?)"/.exec(output.text)?.[1], { timeout: 15_000, interval: 10 }),
  };
}

const envOf = ({ redis, databaseUrl }: TestBench): Record<string, string> => ({
  REDIS_URL: redis.url,
  DATABASE_URL: databaseUrl,
  TOKENHUB_ADMIN_TOKEN: ADMIN_TOKEN,
  TOKENHUB_KEY_PEPPER: KEY_PEPPER,
  ACCOUNTING_PORT: '0',
  LOG_LEVEL: 'info',
});

// `pnpm test` builds first
describe.skipIf(!existsSync(MAIN))('the program (apps/accounting/dist/main.js, skipped when it is not built)', () => {
  test('names everything that is wrong with its settings and ends with 1', async () => {
    const { output, exited } = startMain({
      ACCOUNTING_PORT: 'http',
      DATABASE_URL: 'postgres://u:a-secret/ledger@db',
      TOKENHUB_ADMIN_TOKEN: 'short',
      LOG_LEVEL: 'loud',
    });
    expect(await exited).toBe(1);
    for (const name of [
      'ACCOUNTING_PORT',
      'REDIS_URL',
      'DATABASE_URL',
      'TOKENHUB_ADMIN_TOKEN',
      'TOKENHUB_KEY_PEPPER',
      'LOG_LEVEL',
    ]) {
      expect(output.errors).toMatch(new RegExp(`^${name} (must|is)`, 'm'));
    }
    expect(output.errors).not.toContain('a-secret');
    expect(output.errors).not.toMatch(/^\s+at /m);
  });

  test('says so when no Redis answers, and ends with 1', async () => {
    const { output, exited } = startMain({
      REDIS_URL: 'unix:///nowhere/redis.sock',
      TOKENHUB_ADMIN_TOKEN: ADMIN_TOKEN,
      TOKENHUB_KEY_PEPPER: KEY_PEPPER,
      LOG_LEVEL: 'silent',
    });
    expect(await exited).toBe(1);
    expect(output.errors).toContain('No Redis answers at REDIS_URL');
  });

  test('without a configuration file it warns once, and does not read again what has not changed', async () => {
    const bench = await createTestBench();
    try {
      const main = startMain(envOf(bench));
      await main.url();
      await sleep(2500);
      expect(main.output.text.match(/Without a configuration file/g)).toHaveLength(1);
      expect(main.output.text).not.toContain('configuration reloaded');
    } finally {
      await bench.close();
    }
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
    const bench = await createTestBench();
    try {
      const main = startMain(envOf(bench));
      expect((await fetch(`${await main.url()}/readyz`)).status).toBe(200);
      main.child.kill(signal);
      expect(await main.exited).toBe(0);
      expect(main.output.errors).toBe('');
    } finally {
      await bench.close();
    }
  });

  test('ends with 0 on SIGTERM also while Redis is away', async () => {
    const bench = await createTestBench();
    try {
      const main = startMain(envOf(bench));
      await main.url();
      await bench.redis.stop();
      main.child.kill('SIGTERM');
      expect(await main.exited).toBe(0);
    } finally {
      await bench.close();
    }
  });

  test('killed again and again while requests are settled, it leaves exactly one row of each', async () => {
    const bench = await createTestBench();
    const ledger = openLedger(bench.databaseUrl);
    try {
      const requestsInLedger = async () => (await ledger.usage({ groupBy: 'org' }))[0]?.requests ?? 0;
      let settled = 0;
      const spendOne = async () => {
        await spend(bench.quota, { requestId: `req_${settled}`, costNanoUsd: BigInt(settled) });
        settled++;
      };
      /** Until it is aborted, and then some more that nobody drains. */
      const spendUntil = async (stopped: AbortSignal) => {
        for (; !stopped.aborted; await sleep(15)) await spendOne();
        for (let count = 0; count < 5; count++) await spendOne();
      };

      for (let round = 0; round < 3; round++) {
        const before = await requestsInLedger();
        const main = startMain(envOf(bench));
        await main.url();
        const isDead = new AbortController();
        const spending = spendUntil(isDead.signal);
        await vi.waitUntil(async () => (await requestsInLedger()) > before, { timeout: 15_000, interval: 1 });
        main.child.kill('SIGKILL');
        expect(await main.exited).toBe('SIGKILL');
        isDead.abort();
        await spending;
      }
      for (let missing = 200 - settled; missing > 0; missing--) await spendOne();
      startMain(envOf(bench));
      await vi.waitUntil(async () => (await bench.client.xlen('gw:{q0}:out')) === 0, { timeout: 15_000 });

      const { entries } = await ledger.list({ limit: 10_000 });
      expect(new Set(entries.map(({ event }) => event.requestId)).size).toBe(settled);
      expect(entries).toHaveLength(settled);
      const costNanoUsd = (BigInt(settled) * BigInt(settled - 1)) / 2n;
      expect(await ledger.usage({ groupBy: 'org' })).toMatchObject([{ requests: settled, costNanoUsd }]);
      expect(await bench.quota.read('org:acme', 'acme')).toMatchObject({
        concurrency: 0,
        month: { settledNanoUsd: costNanoUsd },
      });
    } finally {
      await ledger.close();
      await bench.close();
    }
  }, 60_000);
});
