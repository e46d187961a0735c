import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insist } from './insist.ts';
import { startTestGateway, type TestGateway } from './test-gateway.ts';

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
models:
  - { id: gpt-4, weight: 8, max_output_tokens: 1000, deployments: [{ provider: openai, model: gpt-4 }], price: { input: "10.00", output: "30.00" } }
keys:
  - { id: rpm, key: tokenhub_rpm-0123456789ab, models: ["*"], org: a, limits: { rpm: 3 } }
  - { id: tpm, key: tokenhub_tpm-0123456789ab, models: ["*"], org: b, limits: { tpm: 500 } }
  - { id: one, key: tokenhub_one-0123456789ab, models: ["*"], org: c, limits: { concurrency: 1 } }
  - { id: day, key: tokenhub_day-0123456789ab, models: ["*"], org: d, limits: { budget_day_usd: "0.05" } }
  - { id: org, key: tokenhub_org-0123456789ab, models: ["*"], org: poor }
orgs:
  poor: { limits: { budget_month_usd: "0.000001" } }
`;

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
});
afterAll(() => hub.close());

const ask = (
  key: string,
  content = 'Hello [simulate tokens=4]',
  more: object = {},
  init: RequestInit = {},
): Promise<Response> =>
  insist(() =>
    hub.post(
      '/v1/chat/completions',
      { model: 'gpt-4', max_tokens: 100, messages: [{ role: 'user', content }], ...more },
      { ...init, headers: { authorization: `Bearer tokenhub_${key}-0123456789ab` } },
    ),
  );
const errorOf = async (response: Response): Promise<Record<string, unknown>> =>
  ((await response.json()) as { error: Record<string, unknown> }).error;

describe('requests per minute (B34)', () => {
  it('admits exactly the limit, tells what is left on every answer, and then when to come again', async () => {
    const left: (string | null)[] = [];
    for (let request = 0; request < 3; request++) {
      const response = await ask('rpm');
      await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get('x-ratelimit-limit-requests')).toBe('3');
      expect(response.headers.get('x-ratelimit-limit-tokens')).toBeNull();
      expect(response.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60');
      left.push(response.headers.get('x-ratelimit-remaining-requests'));
    }
    expect(left).toEqual(['2', '1', '0']);
    const refused = await ask('rpm');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(60);
    expect(refused.headers.get('retry-after-ms')).not.toBeNull();
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(await errorOf(refused)).toMatchObject({
      type: 'rate_limit_error',
      reason: 'rate_limit_exceeded',
      message: expect.stringContaining('key:rpm'),
    });
  });
});

it('refuses a request that alone is larger than the tokens per minute (B32), and says that waiting cannot help', async () => {
  const response = await ask('tpm', 'Hello', { max_tokens: 600 });
  expect(response.status).toBe(429);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(await errorOf(response)).toMatchObject({ reason: 'request_exceeds_limit' });
  // A refusal consumes nothing.
  expect((await ask('tpm')).status).toBe(200);
});

it('holds the tokens of running requests, and gives back what they did not use (B34)', async () => {
  const running = ask('tpm', 'Hello [simulate tokens=4 delay=1500]', { max_tokens: 300 });
  await expect.poll(() => hub.simulator.activeStreams).toBe(1);
  const refused = await ask('tpm', 'Hello', { max_tokens: 300 });
  expect(refused.status).toBe(429);
  expect(await errorOf(refused)).toMatchObject({
    reason: 'rate_limit_exceeded',
    message: expect.stringContaining('tokens per minute'),
  });
  expect((await running).status).toBe(200);
  await expect.poll(async () => (await ask('tpm', 'Hello', { max_tokens: 300 })).status, { timeout: 10_000 }).toBe(200);
});

it('frees a concurrent slot when the answer has ended, not before (B34)', async () => {
  const first = await ask('one', 'Hello [simulate tokens=20 pace=75]', { stream: true });
  const second = await ask('one');
  expect(second.status).toBe(429);
  expect((await errorOf(second))['message']).toContain('concurrent requests');
  await first.text();
  await expect.poll(async () => (await ask('one')).status, { timeout: 10_000 }).toBe(200);
});

it('refuses with 402 when the budget of the day is used up or held (B33)', async () => {
  // 100 tokens of output and a byte-bound of input hold about 0.004 USD each; the budget is 0.05.
  // Whoever is admitted holds his part until all have their answer.
  const controller = new AbortController();
  const statuses = await Promise.all(
    Array.from({ length: 30 }, async () => {
      const content = 'Hello [simulate tokens=100 pace=150]';
      return (await ask('day', content, { stream: true }, { signal: controller.signal })).status;
    }),
  );
  controller.abort();
  const admitted = statuses.filter((status) => status === 200).length;
  expect(admitted).toBeGreaterThan(5);
  expect(admitted).toBeLessThan(17);
  expect(statuses.filter((status) => status === 402)).toHaveLength(30 - admitted);
});

it('holds the organisation to its own budget (B33)', async () => {
  const response = await ask('org');
  expect(response.status).toBe(402);
  expect(response.headers.get('x-should-retry')).toBe('false');
  expect(response.headers.get('retry-after')).toBeNull();
  expect(await errorOf(response)).toMatchObject({
    type: 'insufficient_quota',
    reason: 'budget_exceeded',
    message: expect.stringContaining('org:poor'),
  });
});

describe('at the end of the process', () => {
  it('answers 503 quota_unavailable when the store is away (B35), and shutting_down while it drains (B36)', async () => {
    const other = await startTestGateway({ config: CONFIG });
    const send = (stream: boolean): Promise<Response> =>
      other.post(
        '/v1/chat/completions',
        {
          model: 'gpt-4',
          max_tokens: 100,
          stream,
          messages: [{ role: 'user', content: 'Hello [simulate tokens=20 pace=75]' }],
        },
        { headers: { authorization: 'Bearer tokenhub_day-0123456789ab' } },
      );
    const running = await send(true);
    const closing = other.gateway.close({ preStopMs: 0, drainMs: 10_000 });
    const refused = await send(false);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('connection')).toBe('close');
    expect(await errorOf(refused)).toMatchObject({ reason: 'shutting_down' });
    expect(await running.text()).toContain('[DONE]');
    await closing;
    await other.close();

    const third = await startTestGateway({ config: CONFIG });
    await third.redis.stop();
    const startedAt = performance.now();
    const unavailable = await third.post(
      '/v1/chat/completions',
      { model: 'gpt-4', messages: [{ role: 'user', content: 'Hello' }] },
      { headers: { authorization: 'Bearer tokenhub_day-0123456789ab' } },
    );
    expect(unavailable.status).toBe(503);
    expect(unavailable.headers.get('retry-after')).toBe('1');
    expect(await errorOf(unavailable)).toMatchObject({ reason: 'quota_unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await third.close();
  });
});
