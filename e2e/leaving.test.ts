import { redisOptions } from '@tokenhub/config';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insist } from '../apps/gateway/test/insist.ts';
import { KEY, prepareProcesses, type Processes, type Service } from './start-processes.ts';

let processes: Processes;
let redis: Redis;
beforeAll(async () => {
  processes = await prepareProcesses();
  redis = new Redis({ ...redisOptions(processes.redisUrl) });
});
afterAll(async () => {
  redis.disconnect();
  await processes.stop();
});

const ask = (gateway: { readonly url: string }, content: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', stream: true, messages: [{ role: 'user', content }] }),
    ...init,
  });

const openStreams = (gateway: Service, count: number, content: string): Promise<Response[]> =>
  Promise.all(Array.from({ length: count }, () => insist(() => ask(gateway, content))));

const leases = async (): Promise<number> => {
  const keys = await redis.keys('*lease*');
  const counts = await Promise.all(keys.map((key) => redis.zcard(key)));
  return counts.reduce((sum, count) => sum + count, 0);
};

/** What a stream's reader sees at its end. */
function endOf(text: string): 'complete' | 'shutdown' | 'truncated' {
  if (text.includes('data: [DONE]')) return 'complete';
  return /"reason":"gateway_shutdown".*\n\n: \{"cost".*"partial":true.*\}\n\n$/s.test(text) ? 'shutdown' : 'truncated';
}

describe('SIGTERM under load (F8)', () => {
  it('lets short streams end, tells long ones at the deadline, settles all, and exits with 0', async () => {
    const gateway = await processes.startGateway({ GATEWAY_DRAIN_MS: '6000' });
    const [short, long] = await Promise.all([
      openStreams(gateway, 100, 'Hello [simulate tokens=30 pace=100]'),
      openStreams(gateway, 100, 'Hello [simulate tokens=2000 pace=100]'),
    ]);
    await expect.poll(leases, { timeout: 2_000 }).toBe(200);
    const startedAt = performance.now();
    gateway.process.kill('SIGTERM');
    const ends = await Promise.all([...short, ...long].map(async (response) => endOf(await response.text())));
    expect(await gateway.ended).toBe(0);
    const tookMs = performance.now() - startedAt;
    expect(ends).toEqual([...Array<string>(100).fill('complete'), ...Array<string>(100).fill('shutdown')]);
    expect(await leases()).toBe(0);
    expect(tookMs).toBeGreaterThan(5_900);
    expect(tookMs).toBeLessThan(6_000 + 5_000);
  }, 60_000);

  it('a second one waits for nothing (F9)', async () => {
    const gateway = await processes.startGateway();
    const streams = await openStreams(gateway, 50, 'Hello [simulate tokens=5000 pace=30]');
    const startedAt = performance.now();
    gateway.process.kill('SIGTERM');
    await new Promise((resolve) => setTimeout(resolve, 300));
    gateway.process.kill('SIGTERM');
    const ends = await Promise.all(streams.map(async (response) => endOf(await response.text())));
    expect(ends).toEqual(Array<string>(50).fill('shutdown'));
    expect(await gateway.ended).toBe(0);
    // Far from the 30 s that streams have by default.
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(await leases()).toBe(0);
  });

  it('is not ready at once, still serves while load balancers notice, and then refuses', async () => {
    const gateway = await processes.startGateway({ GATEWAY_PRE_STOP_MS: '4000', GATEWAY_DRAIN_MS: '20000' });
    const readiness = async (): Promise<number> => (await fetch(`${gateway.url}/readyz`)).status;
    expect(await readiness()).toBe(200);
    const running = await ask(gateway, 'Hello [simulate tokens=100 pace=60]');
    gateway.process.kill('SIGTERM');
    await expect.poll(readiness).toBe(503);
    const late = await ask(gateway, 'Hello [simulate tokens=3]');
    expect(late.status).toBe(200);
    // The next request should find another process.
    expect(late.headers.get('connection')).toBe('close');
    expect(endOf(await late.text())).toBe('complete');
    await expect.poll(async () => (await ask(gateway, 'Hello')).status, { timeout: 10_000 }).toBe(503);
    expect(endOf(await running.text())).toBe('complete');
    expect(await gateway.ended).toBe(0);
  }, 60_000);

  it('ends in time although a caller does not read (F69)', async () => {
    const gateway = await processes.startGateway({ GATEWAY_DRAIN_MS: '500' });
    // More than all buffers between the two hold, and so slowly that the provider notices when they are full.
    const response = await ask(gateway, 'Hello [simulate tokens=60000 pace=1 burst=400]');
    expect(response.status).toBe(200);
    const provided = processes.simulator.requests.at(-1);
    let sent = 0;
    const isStuck = (): boolean => {
      const before = sent;
      sent = provided?.tokensSent ?? 0;
      return sent > 0 && sent === before;
    };
    await expect.poll(isStuck, { timeout: 15_000, interval: 250 }).toBe(true);
    expect(sent).toBeLessThan(60_000);
    gateway.process.kill('SIGTERM');
    expect(await gateway.ended).toBe(0);
    await expect(response.text()).rejects.toThrow();
    expect(await leases()).toBe(0);
  }, 60_000);
});

describe('a rolling restart (F10)', () => {
  it('of two gateways fails no request of a caller that tries twice', async () => {
    const env = { GATEWAY_PRE_STOP_MS: '300', GATEWAY_DRAIN_MS: '5000' };
    const gateways = [await processes.startGateway(env), await processes.startGateway(env)];
    let failed = 0;
    let served = 0;
    const restarted = new AbortController();
    const caller = async (index: number): Promise<void> => {
      for (let request = index; !restarted.signal.aborted; request++) {
        let ok = false;
        for (let tries = 0; tries < 2 && !ok; tries++) {
          const gateway = gateways[(request + tries) % 2] ?? gateways[0];
          if (gateway === undefined) throw new Error('no gateway');
          ok = await ask(gateway, 'Hello [simulate tokens=5 pace=5]').then(
            async (response) => response.ok && endOf(await response.text()) === 'complete',
            () => false,
          );
        }
        if (ok) served++;
        else failed++;
      }
    };
    const callers = Array.from({ length: 10 }, (_, index) => caller(index));
    for (let restart = 0; restart < 2; restart++) {
      const replaced = gateways[restart % 2];
      const fresh = await processes.startGateway(env);
      gateways[restart % 2] = fresh;
      replaced?.process.kill('SIGTERM');
      expect(await replaced?.ended).toBe(0);
    }
    restarted.abort();
    await Promise.all(callers);
    expect(served).toBeGreaterThan(50);
    expect(failed).toBe(0);
    for (const gateway of gateways) gateway.process.kill('SIGKILL');
  }, 60_000);
});
