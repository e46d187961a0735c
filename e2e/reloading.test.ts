import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insist } from '../apps/gateway/test/insist.ts';
import { KEY, prepareProcesses, type Processes, type Service } from './start-processes.ts';

let processes: Processes;
let gateway: Service;
let config: string;
beforeAll(async () => {
  processes = await prepareProcesses();
  gateway = await processes.startGateway();
  config = readFileSync(processes.configFile, 'utf8');
});
afterAll(() => processes.stop());

const ask = (content: string, model = 'gpt-4'): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: true, messages: [{ role: 'user', content }] }),
  });

const reloads = (): number => gateway.output().split('configuration reloaded').length - 1;

it('no stream is dropped when the configuration is read again and again under load', async () => {
  const reloaded = new AbortController();
  const ends = Array.from({ length: 40 }, async (_, index) => {
    const ended: boolean[] = [];
    do {
      const model = index % 2 === 0 ? 'gpt-4' : 'claude';
      const response = await insist(() => ask(`Hello [simulate tokens=${20 + index} pace=10]`, model));
      ended.push(response.ok && (await response.text()).includes('data: [DONE]'));
    } while (!reloaded.signal.aborted);
    return ended;
  });
  for (let times = 1; times <= 10; times++) {
    gateway.process.kill('SIGHUP');
    await expect.poll(reloads).toBe(times);
  }
  reloaded.abort();
  const all = (await Promise.all(ends)).flat();
  expect(all.length).toBeGreaterThanOrEqual(40);
  expect(all.every(Boolean)).toBe(true);
});

it('a changed file is read by itself, and a bad one is refused with its reason while the old one stays (F12)', async () => {
  const before = reloads();
  writeFileSync(processes.configFile, config.replace('id: gpt-4,', 'id: gpt-5,'));
  await expect.poll(reloads, { timeout: 10_000 }).toBe(before + 1);
  expect((await ask('Hello', 'gpt-5')).status).toBe(200);
  expect((await ask('Hello', 'gpt-4')).status).toBe(404);

  writeFileSync(processes.configFile, config.replace('weight: 8', 'weight: 80'));
  await expect.poll(() => gateway.output(), { timeout: 10_000 }).toContain('The configuration stays as it was');
  expect(gateway.output()).toMatch(/models\[0\]\.weight/);
  expect((await ask('Hello', 'gpt-5')).status).toBe(200);
});
