import { redisOptions } from '@tokenhub/config';
import { createHealthBoard } from '@tokenhub/cluster';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from './test-gateway.ts';

const CONFIG = `
providers:
  - { id: shaky, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: chats-only, type: openai, base_url: "\${SIMULATOR}/vllm/v1", api_key: sk-simulated, allow_private: true }
models:
  - { id: gpt-4, deployments: [{ provider: shaky, model: gpt-4 }], price: free }
  - { id: plain, deployments: [{ provider: chats-only, model: plain }], price: free }
keys:
  - { id: test, key: "\${KEY}", models: ["*"] }
routing: { max_attempts: 1 }
`;

let first: TestGateway;
let second: TestGateway;
beforeAll(async () => {
  first = await startTestGateway({ config: CONFIG });
  second = await startTestGateway({ config: CONFIG, beside: first });
});
afterAll(async () => {
  await second.close();
  await first.close();
});

const ask = (hub: TestGateway, content = 'Hello [simulate tokens=3]'): Promise<Response> =>
  hub.post('/v1/chat/completions', { model: 'gpt-4', messages: [{ role: 'user', content }] });

interface Explained {
  readonly ranked: readonly { readonly health: { readonly breaker: string } }[];
  readonly excluded: readonly { readonly reason: string; readonly health: { readonly breaker: string } }[];
}

async function explain(hub: TestGateway): Promise<{ reason: string | undefined; breaker: string | undefined }> {
  const body = { model: 'gpt-4', messages: [{ role: 'user', content: 'Hi' }] };
  const { ranked, excluded } = (await (await hub.post('/v1/route/explain', body)).json()) as Explained;
  const [one] = [...ranked, ...excluded];
  return { reason: excluded[0]?.reason, breaker: one?.health.breaker };
}

it('a breaker that is open anywhere closes everywhere, by one probe of the whole cluster', async () => {
  first.simulator.impose('/openai', 'status=503');
  for (const hub of [first, second]) {
    for (let tries = 0; tries < 5; tries++) await (await ask(hub)).text();
    expect(await explain(hub)).toEqual({ reason: 'unhealthy', breaker: 'open' });
  }
  const asked = first.simulator.requests.length;
  const refused = await ask(first);
  expect(refused.status).toBe(503);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(5);
  expect(first.simulator.requests).toHaveLength(asked);

  const metrics = await (await first.get('/metrics')).text();
  expect(metrics).toContain('tokenhub_deployment_breaker_state{deployment="gpt-4@shaky"} 2');

  // Healed, but slow, so that the probe takes until all have asked. The second breaker opened last.
  first.simulator.impose('/openai', undefined);
  await expect.poll(async () => (await explain(second)).breaker, { timeout: 10_000 }).toBe('half_open');
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      ask(index % 2 === 0 ? first : second, 'Hello [simulate tokens=3 delay=2000]'),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  expect(first.simulator.requests).toHaveLength(asked + 1);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 503)).toHaveLength(19);

  for (const hub of [first, second]) {
    await expect.poll(async () => (await explain(hub)).breaker).toBe('closed');
    expect((await ask(hub)).status).toBe(200);
  }
});

it('both gateways show their view to operators', async () => {
  const redis = new Redis({ ...redisOptions(first.redis.url) });
  try {
    const board = createHealthBoard({ redis });
    await expect
      .poll(
        async () => (await board.read()).map(({ deployments }) => deployments.map(({ deployment }) => deployment)),
        {
          timeout: 10_000,
        },
      )
      .toEqual([['gpt-4@shaky'], ['gpt-4@shaky']]);
  } finally {
    redis.disconnect();
  }
});

it('a server that lacks one of its APIs goes on serving the others, however often it is asked for that one', async () => {
  for (let i = 0; i < 30; i++) {
    expect((await first.post('/v1/responses', { model: 'plain', input: 'Hello' })).status).toBe(502);
  }
  const messages = [{ role: 'user', content: 'Hello [simulate tokens=3]' }];
  expect((await first.post('/v1/chat/completions', { model: 'plain', messages })).status).toBe(200);
});
