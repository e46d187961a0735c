import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from './ask.ts';
import { operate } from './operate.ts';
import { KEY, prepareProcesses, type Processes, type Service } from './start-processes.ts';

let processes: Processes;
let accounting: Service;
beforeAll(async () => {
  processes = await prepareProcesses();
  accounting = await processes.startAccounting();
});
afterAll(() => processes.stop());

describe.each(['gateway', 'accounting'] as const)('%s that cannot start says in words what to put right', (app) => {
  const start = (env: Record<string, string>) =>
    expect(app === 'gateway' ? processes.startGateway(env) : processes.startAccounting(env)).rejects;
  const withoutStack = (words: string): RegExp =>
    new RegExp(`ended with 1:\n(?!.*\n +at )[^]*Cannot start:\n${RegExp.escape(words)}`);

  it('without Redis', async () => {
    await start({ REDIS_URL: 'redis://127.0.0.1:1' }).toThrow(withoutStack('No Redis answers at REDIS_URL. '));
  });

  it('without its configuration file', async () => {
    const words = 'The configuration file /nowhere.yaml is not there. Name another one with TOKENHUB_CONFIG';
    await start({ TOKENHUB_CONFIG: '/nowhere.yaml' }).toThrow(withoutStack(words));
  });

  it('when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const variable = `${app.toUpperCase()}_PORT`;
    const words = `127.0.0.1:${port} is in use by another program. Stop that, or set ${variable} to another port.`;
    await start({ [variable]: String(port) }).toThrow(withoutStack(words));
    other.close();
  });
});

it('what a caller was given back is in what the request has cost, and beside it', async () => {
  const response = await ask(processes.gateway, 'Hello [simulate tokens=42 prompt=15]', { key: KEY });
  await response.text();
  const id = response.headers.get('x-request-id') ?? '';
  const generation = async (): Promise<unknown> => {
    const headers = { authorization: `Bearer ${KEY}` };
    return (await fetch(`${processes.gateway.url}/v1/generations/${id}`, { headers })).json();
  };
  await expect.poll(generation).toMatchObject({ id, cost_usd: '0.00141', adjustments_usd: '0' });
  const { admitted_at, created_at, cost_usd } = await operate<Record<string, unknown>>(accounting, `ledger/${id}`);
  expect(await generation()).toMatchObject({ admitted_at, created_at, cost_usd });

  await operate(accounting, `ledger/${id}/corrections`, { body: { delta_usd: '-0.00041' } });
  await expect.poll(generation).toMatchObject({
    cost_usd: '0.001',
    costs: { input: '0.00015', output: '0.00126' },
    adjustments_usd: '-0.00041',
  });
});

it('the log and the ledger of a request that nobody served name what was asked for', async () => {
  const response = await ask(processes.gateway, 'Hello [simulate status=400]', { key: KEY });
  expect(response.ok).toBe(false);
  const id = response.headers.get('x-request-id') ?? '';
  const lines = () => processes.gateway.output().split('\n');
  const line = () => lines().find((text) => text.includes(id) && text.includes('"msg":"chat"'));
  await expect.poll(line).toBeDefined();
  expect(JSON.parse(line() ?? '')).toMatchObject({ model: 'gpt-4', provider: 'openai' });
  await expect.poll(() => operate(accounting, `ledger/${id}`)).toMatchObject({ requested_model: 'gpt-4', model: null });
});

it('all that they print are lines of JSON with a time, a level and a name, also of a bad configuration', async () => {
  writeFileSync(processes.configFile, 'models: 1\nkees: []');
  for (const [name, { process, output }] of Object.entries({ gateway: processes.gateway, accounting })) {
    process.kill('SIGHUP');
    await expect.poll(output).toContain('The configuration stays as it was');
    const lines = output().trim().split('\n');
    for (const line of lines) {
      expect(JSON.parse(line)).toMatchObject({ name, time: expect.any(Number), level: expect.any(Number) });
    }
    expect(lines.filter((line) => line.includes('listening'))).toHaveLength(1);
  }
});
