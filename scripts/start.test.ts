import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ensureFreePort } from './start/ensure-free-port.ts';
import { runStart, type RunningStart } from './start/run-start.ts';

const isLinux = process.platform === 'linux';
const directories: string[] = [];
const started: RunningStart[] = [];
afterAll(async () => {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ ended }) => ended));
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function makeDataDir(): string {
  const directory = mkdtempSync(join(tmpdir(), 'tokenhub-start-test-'));
  directories.push(directory);
  return directory;
}

async function start(env: Readonly<Record<string, string>>): Promise<RunningStart> {
  const running = await runStart(env);
  started.push(running);
  return running;
}

function find(output: string, pattern: RegExp): string {
  const found = pattern.exec(output)?.[1];
  if (found === undefined) throw new Error(`no ${String(pattern)} in:\n${output}`);
  return found;
}

async function paste(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', line]);
  return stdout;
}

/** All processes that have this data directory in their environment; none where the system does not tell. */
function processesOf(dataDir: string): number[] {
  if (!isLinux) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`TOKENHUB_DATA_DIR=${dataDir}\0`);
      } catch {
        return false; // ended meanwhile, or not ours
      }
    })
    .map(Number);
}

async function waitUntilGone(dataDir: string): Promise<void> {
  for (let i = 0; i < 100 && processesOf(dataDir).length > 0; i++) await sleep(100);
  expect(processesOf(dataDir)).toEqual([]);
}

describe('one that runs', () => {
  const dataDir = makeDataDir();
  let first: RunningStart;
  beforeAll(async () => {
    first = await start({ TOKENHUB_DATA_DIR: dataDir });
    await first.running;
  }, 60_000);

  test('has printed curl lines that work as pasted, and agree on what an answer cost', async () => {
    const answer = await paste(find(first.output(), /^ {2}(curl -N .*)$/m));
    expect(answer).toMatch(/^data: \[DONE\]$/m);
    const cost = find(answer, /^: \{"cost":"(0\.\d+)"/m);

    const ledger = find(first.output(), /^ {2}(curl -s .*)$/m);
    await vi.waitFor(async () => expect(await paste(ledger)).toMatch(/"cost_usd":/), {
      timeout: 10_000,
      interval: 100,
    });
    expect(find(await paste(ledger), /"cost_usd":"([\d.]+)"/)).toBe(cost);
  });

  test('keeps its secrets where only its user can read them', () => {
    for (const secret of ['demo-key', 'key-pepper']) expect(statSync(join(dataDir, secret)).mode & 0o777).toBe(0o600);
  });

  test('lets no other one have its data directory', async () => {
    const second = await start({ TOKENHUB_DATA_DIR: dataDir });
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`is in use by another start (process ${first.child.pid})`);
  }, 30_000);

  test('ends with exit code 0 on Ctrl-C, and leaves nothing running', async () => {
    // Itself, accounting, gateway, and beside each of the two the watcher that ends it with us.
    expect(processesOf(dataDir).length).toBeGreaterThanOrEqual(isLinux ? 5 : 0);
    first.child.kill('SIGINT');
    expect(await first.ended).toBe(0);
    await waitUntilGone(dataDir);
  }, 30_000);

  test('comes back with the same key, and leaves nothing running when it is killed', async () => {
    const token = 'given-by-the-operator';
    const again = await start({ TOKENHUB_DATA_DIR: dataDir, TOKENHUB_ADMIN_TOKEN: token });
    await again.running;
    expect(find(again.output(), /API key +(\S+)/)).toBe(find(first.output(), /API key +(tokenhub_\w{49})$/m));
    // Who gave the token has it; the line to paste takes it from the shell.
    expect(again.output()).not.toContain(token);
    expect(again.output()).toContain('Bearer $TOKENHUB_ADMIN_TOKEN"');
    again.child.kill('SIGKILL');
    await waitUntilGone(dataDir);
  }, 60_000);
});

test.skipIf(!isLinux)(
  'one of whose processes dies stops the rest and fails',
  async () => {
    const dataDir = makeDataDir();
    const { output, running, ended } = await start({ TOKENHUB_DATA_DIR: dataDir });
    await running;
    const gateway = processesOf(dataDir).find((pid) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('apps/gateway/dist/main.js'),
    );
    if (gateway === undefined) throw new Error('no gateway');
    process.kill(gateway, 'SIGKILL');
    expect(await ended).toBe(1);
    expect(output()).toContain('gateway was ended by SIGKILL; stopping the rest.');
    await waitUntilGone(dataDir);
  },
  60_000,
);

test('one that cannot be says all that is wrong with its settings', async () => {
  const env = { TOKENHUB_DATA_DIR: makeDataDir(), GATEWAY_PORT: 'http', TOKENHUB_CONFIG: '/not/there.yaml' };
  const { output, ended } = await start(env);
  expect(await ended).toBe(1);
  expect(output()).toContain('GATEWAY_PORT must be a whole number from 0 to 65535.');
  expect(output()).toContain('TOKENHUB_CONFIG must name a file that is there.');
}, 30_000);

test('a port in use is refused by name', async () => {
  const server = createServer().listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  await expect(ensureFreePort('GATEWAY_PORT', '127.0.0.1', address.port)).rejects.toThrow(
    `127.0.0.1:${address.port} is in use by another program. Stop that, or set GATEWAY_PORT to another port`,
  );
  server.close();
  await once(server, 'close');
  await ensureFreePort('GATEWAY_PORT', '127.0.0.1', address.port);
});
