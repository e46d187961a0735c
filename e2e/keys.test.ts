import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { operate } from './operate.ts';
import { prepareProcesses, type Processes, type Service } from './start-processes.ts';

interface KeyWithSecret {
  readonly key: string;
}

let processes: Processes;
let gateways: Service[];
let accounting: Service;
beforeAll(async () => {
  processes = await prepareProcesses();
  gateways = [processes.gateway, await processes.startGateway()];
  accounting = await processes.startAccounting();
});
afterAll(() => processes.stop());

const chat = async ({ url }: Service, key: string): Promise<{ status: number; reason: unknown }> => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4', max_tokens: 10, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  const { error } = (await response.json()) as { error?: { reason: unknown } };
  return { status: response.status, reason: error?.reason };
};
/** Milliseconds until all gateways answer so. */
async function timeUntil(key: string, reason: string | undefined): Promise<number> {
  const begin = performance.now();
  for (const gateway of gateways) while ((await chat(gateway, key)).reason !== reason) await sleep(2);
  return performance.now() - begin;
}

it('a key made at accounting works at two gateways, and its change, rotation and revocation hold there within a second', async () => {
  const made = await operate<KeyWithSecret>(accounting, 'keys', { body: { id: 'team', limits: { rpm: 100_000 } } });
  for (const gateway of gateways) expect(await chat(gateway, made.key)).toEqual({ status: 200, reason: undefined });

  const times: number[] = [];
  await operate(accounting, 'keys/team', { method: 'PATCH', body: { scopes: ['plan'] } });
  times.push(await timeUntil(made.key, 'forbidden'));
  await operate(accounting, 'keys/team', { method: 'PATCH', body: { scopes: ['chat'] } });
  times.push(await timeUntil(made.key, undefined));

  const rotated = await operate<KeyWithSecret>(accounting, 'keys/team/rotate', { method: 'POST' });
  times.push(await timeUntil(made.key, 'invalid_api_key'));
  for (const gateway of gateways) expect((await chat(gateway, rotated.key)).status).toBe(200);

  await operate(accounting, 'keys/team', { method: 'DELETE' });
  times.push(await timeUntil(rotated.key, 'key_revoked'));
  // Once the machine may have been busy with something else
  times.sort((one, other) => one - other);
  expect(times[2]).toBeLessThan(1000);
  expect(times[3]).toBeLessThan(5000);
  for (const { output } of [...gateways, accounting]) {
    for (const { key } of [made, rotated]) expect(output()).not.toContain(key.slice('tokenhub_'.length, -6));
  }
});
