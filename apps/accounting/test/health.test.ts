import { createHealthBoard, type HealthBoard } from '@tokenhub/cluster';
import type { DeploymentHealth } from '@tokenhub/core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Accounting } from '../src/index.ts';
import { ADMIN_TOKEN, createTestBench, type TestBench } from './test-accounting.ts';

let bench: TestBench;
let accounting: Accounting;
let board: HealthBoard;
beforeAll(async () => {
  bench = await createTestBench();
  accounting = await bench.startAccounting();
  board = createHealthBoard({ redis: bench.client });
});
afterAll(() => bench.close());
beforeEach(async () => {
  for (const { gatewayId } of await board.read()) await board.remove(gatewayId);
});

const getHealth = (headers: Record<string, string> = { authorization: `Bearer ${ADMIN_TOKEN}` }) =>
  fetch(`${accounting.url}/admin/v1/health`, { headers });

/** Never asked, as a gateway that has just started finds it. */
const NEW: DeploymentHealth = {
  breaker: 'closed',
  openMs: 0,
  cooldownMs: 0,
  requests: 0,
  failures: 0,
  errorRate: 0,
  ttftMs: 0,
  msPerToken: 0,
};
const write = (gatewayId: string, deployments: Record<string, Partial<DeploymentHealth>>) =>
  board.write(
    gatewayId,
    new Map(Object.entries(deployments).map(([deployment, health]) => [deployment, { ...NEW, ...health }])),
  );

test('without a gateway there is nothing to show', async () => {
  const answer = await getHealth();
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ items: [], gateways: 0, next_cursor: null });
});

test('gateways that have heard of no deployment are counted all the same', async () => {
  await write('gw-1', {});
  expect(await (await getHealth()).json()).toEqual({ items: [], gateways: 1, next_cursor: null });
});

test('a deployment is shown as its gateways find it, and as the worst and the sum of that', async () => {
  await write('gw-2', {
    'openai/gpt-4': { requests: 10, failures: 1, errorRate: 0.1, ttftMs: 200, msPerToken: 10 },
    'anthropic/opus': {},
  });
  await write('gw-1', {
    'openai/gpt-4': {
      breaker: 'open',
      openMs: 4000,
      cooldownMs: 250,
      requests: 30,
      failures: 15,
      errorRate: 0.5,
      ttftMs: 400,
      msPerToken: 30,
    },
  });
  expect(await (await getHealth()).json()).toEqual({
    items: [
      {
        deployment: 'anthropic/opus',
        breaker: 'closed',
        open_ms: 0,
        cooldown_ms: 0,
        requests: 0,
        failures: 0,
        error_rate: 0,
        ttft_ms: null,
        ms_per_token: null,
        gateways: [
          {
            gateway: 'gw-2',
            breaker: 'closed',
            open_ms: 0,
            cooldown_ms: 0,
            requests: 0,
            failures: 0,
            error_rate: 0,
            ttft_ms: null,
            ms_per_token: null,
          },
        ],
      },
      {
        deployment: 'openai/gpt-4',
        breaker: 'open',
        open_ms: 4000,
        cooldown_ms: 250,
        requests: 40,
        failures: 16,
        error_rate: 0.4,
        ttft_ms: 350,
        ms_per_token: 25,
        gateways: [
          {
            gateway: 'gw-1',
            breaker: 'open',
            open_ms: 4000,
            cooldown_ms: 250,
            requests: 30,
            failures: 15,
            error_rate: 0.5,
            ttft_ms: 400,
            ms_per_token: 30,
          },
          {
            gateway: 'gw-2',
            breaker: 'closed',
            open_ms: 0,
            cooldown_ms: 0,
            requests: 10,
            failures: 1,
            error_rate: 0.1,
            ttft_ms: 200,
            ms_per_token: 10,
          },
        ],
      },
    ],
    gateways: 2,
    next_cursor: null,
  });
});

test.each<[string, Partial<DeploymentHealth>[], Record<string, unknown>]>([
  ['half open is worse than closed', [{}, { breaker: 'half_open' }], { breaker: 'half_open' }],
  ['open is worse than half open', [{ breaker: 'half_open' }, { breaker: 'open' }], { breaker: 'open' }],
  [
    'the longest rest counts',
    [
      { openMs: 10, cooldownMs: 5 },
      { openMs: 7, cooldownMs: 9 },
    ],
    { open_ms: 10, cooldown_ms: 9 },
  ],
  [
    'a time that one has not measured does not count',
    [{ requests: 9 }, { requests: 1, ttftMs: 300 }],
    { ttft_ms: 300 },
  ],
  [
    'a time that outlives its requests counts as one of them',
    [{ ttftMs: 100 }, { requests: 3, ttftMs: 300 }],
    { ttft_ms: 250 },
  ],
])('of several views %s', async (_, views, expected) => {
  for (const [index, view] of views.entries()) await write(`gw-${index}`, { 'openai/gpt-4': view });
  expect(await (await getHealth()).json()).toMatchObject({ items: [expected], gateways: views.length });
});

test('a gateway that has ended is not shown', async () => {
  await write('gw-1', { 'openai/gpt-4': {} });
  await write('gw-2', { 'openai/gpt-4': {} });
  await board.remove('gw-1');
  expect(await (await getHealth()).json()).toMatchObject({ items: [{ gateways: [{ gateway: 'gw-2' }] }], gateways: 1 });
});

test.each([
  ['no token', {}, 401, 'missing_api_key'],
  ['a wrong token', { authorization: 'Bearer wrong' }, 401, 'invalid_api_key'],
  ['a key of the gateway', { authorization: 'Bearer tokenhub_abc' }, 403, 'forbidden'],
])('with %s nothing is shown', async (_, headers: Record<string, string>, status, reason) => {
  const answer = await getHealth(headers);
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ error: { reason } });
});

test('while Redis is away the answer is 503, and says nothing of where it is', async () => {
  const own = await createTestBench();
  try {
    const { url } = await own.startAccounting();
    await own.redis.stop();
    const answer = await fetch(`${url}/admin/v1/health`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(answer.status).toBe(503);
    const body: unknown = await answer.json();
    expect(body).toMatchObject({ error: { reason: 'quota_unavailable' } });
    expect(JSON.stringify(body)).not.toContain('redis.sock');
  } finally {
    await own.close();
  }
});
