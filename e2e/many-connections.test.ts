import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRawCaller, type RawCaller } from '../apps/gateway/test/raw-caller.ts';
import { createWitness, type Witness } from '../apps/gateway/test/witness.ts';
import { ask, rawRequest, warmUp } from './ask.ts';
import { memoryOf, openFilesOf } from './process-status.ts';
import { prepareProcesses, STRANGER_KEY, type Processes, type Service } from './start-processes.ts';

let processes: Processes;
let gateway: Service;
let witness: Witness;
beforeAll(async () => {
  processes = await prepareProcesses();
  gateway = processes.gateway;
  await warmUp(gateway);
  witness = createWitness({ url: gateway.url, redis: { url: processes.redisUrl } });
});
afterAll(async () => {
  witness.close();
  await processes.stop();
});

async function expectServed(service: Service): Promise<void> {
  const response = await ask(service, 'Hello [simulate tokens=4]');
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('data: [DONE]');
}

describe('pipelined requests on one connection', () => {
  const idsIn = (text: string): string[] =>
    Array.from(text.matchAll(/x-client-request-id: (\S+)/gi), ([, id]) => id ?? '');

  it('are answered in their order, the slow first one before the quick second one (F75)', async () => {
    const caller = await connectRawCaller(gateway.url);
    caller.send(
      rawRequest('Hello [simulate tokens=4 delay=300]', { stream: false, id: 'first' }) +
        rawRequest('Hello [simulate tokens=5]', { stream: false, id: 'second' }) +
        rawRequest('Hello [simulate tokens=6]', { stream: false, id: 'third', model: 'claude' }),
    );
    await caller.until(/third[^]*"completion_tokens": ?\d+[^]*\}$/);
    expect(idsIn(caller.text)).toEqual(['first', 'second', 'third']);
    const usages = Array.from(caller.text.matchAll(/"completion_tokens": ?(\d+)/g), ([, count]) => Number(count));
    expect(usages).toEqual([4, 5, 6]);
    caller.leave();
  });

  it('of two streams the second begins when the first has ended, and neither has a byte of the other (F75)', async () => {
    const caller = await connectRawCaller(gateway.url);
    caller.send(
      rawRequest('Hello [simulate tokens=200 pace=2 seed=2]', { id: 'first' }) +
        rawRequest('Hello [simulate tokens=200 pace=0 seed=3]', { id: 'second', key: STRANGER_KEY }),
    );
    await caller.until(/\[DONE\][^]*\[DONE\]/);
    const { text } = caller;
    expect(idsIn(text)).toEqual(['first', 'second']);
    const secondHead = text.lastIndexOf('HTTP/1.1 200 OK');
    const [first, second] = [text.slice(0, secondHead), text.slice(secondHead)];
    const ids = (part: string): Set<string | undefined> =>
      new Set(Array.from(part.matchAll(/"id":"([^"]+)"/g), ([, id]) => id));
    expect(first).toContain('data: [DONE]');
    expect(ids(first).size).toBe(1);
    expect(ids(second).size).toBe(1);
    expect([...ids(first)]).not.toEqual([...ids(second)]);
    caller.leave();
  });

  it('are all cancelled when their caller leaves (F67, F75)', async () => {
    const caller = await connectRawCaller(gateway.url);
    const ids = ['pipe-1', 'pipe-2', 'pipe-3'];
    caller.send(ids.map((id) => rawRequest('Hello [simulate tokens=5000 pace=10]', { id })).join(''));
    await caller.until(/ulat/);
    caller.leave();
    for (const id of ids) expect(await witness.costEvent(id)).toMatchObject({ outcome: 'client_cancelled' });
    await expect.poll(() => witness.metric('tokenhub_open_requests'), { timeout: 5_000 }).toBe(0);
  });
});

describe('connections', () => {
  it('5,000 that come and go leave no file open (F73)', async () => {
    const before = openFilesOf(gateway);
    let left = 5_000;
    const ways: readonly ((caller: RawCaller) => Promise<unknown> | void)[] = [
      () => {},
      (caller) => caller.send('GET /heal'),
      (caller) => {
        caller.send('GET /healthz HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n');
        return caller.closed;
      },
      (caller) => {
        caller.send('GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n');
        return caller.until(/"ok"/);
      },
      (caller) => {
        caller.send('nonsense\r\n\r\n');
        return caller.closed;
      },
    ];
    await Promise.all(
      Array.from({ length: 100 }, async () => {
        while (left-- > 0) {
          const caller = await connectRawCaller(gateway.url);
          await ways[left % ways.length]?.(caller);
          caller.leave();
        }
      }),
    );
    await expect.poll(() => openFilesOf(gateway), { timeout: 5_000 }).toBeLessThanOrEqual(before + 5);
    await expectServed(gateway);
  }, 60_000);

  it('2,000 idle ones cost little memory, and a new one is served (F72)', async ({ skip }) => {
    const limit = Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
    skip(limit < 6_000, 'needs 6,000 open files');
    const before = memoryOf(gateway, 'VmRSS');
    const idle: RawCaller[] = [];
    for (let batch = 0; batch < 20; batch++) {
      idle.push(
        ...(await Promise.all(
          Array.from({ length: 100 }, async () => {
            const caller = await connectRawCaller(gateway.url);
            caller.send('GET /healthz HTTP/1.1\r\nhost: gateway\r\n\r\n');
            await caller.until(/"ok"/);
            return caller;
          }),
        )),
      );
    }
    expect(idle.filter(({ ended }) => !ended)).toHaveLength(2_000);
    const each = (memoryOf(gateway, 'VmRSS') - before) / idle.length;
    expect(each).toBeLessThan(50 * 1024);
    await expectServed(gateway);
    for (const caller of idle) caller.leave();
    await expect.poll(() => openFilesOf(gateway), { timeout: 5_000 }).toBeLessThan(1_000);
  }, 60_000);

  it('a caller that leaves in the middle of its upload is no fault of ours (F67)', async () => {
    const caller = await connectRawCaller(gateway.url);
    caller.send(rawRequest('Hello').slice(0, -10));
    await sleep(100);
    caller.leave();
    await sleep(100);
    expect(gateway.output()).not.toContain('fault of ours');
  });
});

function hasPrlimit(): boolean {
  try {
    execFileSync('prlimit', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasPrlimit())('a process that may open only 256 files (F11; needs prlimit)', () => {
  let limited: Service;
  beforeAll(async () => {
    limited = await processes.startGateway({}, ['prlimit', '--nofile=256']);
  });

  /** What becomes of so many streams at once: the status of each, 0 for a connection that was closed. */
  async function crowd(size: number): Promise<Map<number, number>> {
    const statuses = new Map<number, number>();
    await Promise.all(
      Array.from({ length: size }, async () => {
        const caller = await connectRawCaller(limited.url).catch(() => undefined);
        caller?.send(rawRequest('Hello [simulate tokens=30 pace=50]'));
        await Promise.race([caller?.closed, caller?.until(/HTTP\/1.1 503|\[DONE\]/).catch(() => {})]);
        const status = Number(caller?.text.slice(9, 12) ?? 0);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        caller?.leave();
      }),
    );
    return statuses;
  }

  async function expectRecovered(): Promise<void> {
    expect(limited.process.exitCode).toBeNull();
    const response = await fetch(`${limited.url}/healthz`);
    expect(response.status).toBe(200);
    await expectServed(limited);
  }

  it('serves as many as it can, refuses or closes the rest, and serves again afterwards', async () => {
    const statuses = await crowd(400);
    expect([...statuses.keys()].filter((status) => ![200, 503, 0].includes(status))).toEqual([]);
    expect(statuses.get(200)).toBeGreaterThan(30);
    expect((statuses.get(503) ?? 0) + (statuses.get(0) ?? 0)).toBeGreaterThan(100);
    await expectRecovered();
  }, 60_000);

  it('also when it runs out of files by surprise', async () => {
    const { pid } = limited.process;
    // Fewer than its own bounds are for.
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${openFilesOf(limited) + 20}:256`]);
    const statuses = await crowd(100);
    expect([...statuses.keys()].filter((status) => ![200, 503, 0].includes(status))).toEqual([]);
    expect((statuses.get(503) ?? 0) + (statuses.get(0) ?? 0)).toBeGreaterThan(20);
    execFileSync('prlimit', ['--pid', String(pid), '--nofile=256:256']);
    await expectRecovered();
  }, 60_000);
});
