import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from './test-gateway.ts';

const at = (path: string): string =>
  `base_url: "\${SIMULATOR}${path}/openai/v1", api_key: sk-simulated, allow_private: true`;
const CONFIG = `
providers:
  - { id: failing, type: openai, ${at('/sim/status=500')} }
  - { id: failing-too, type: openai, ${at('/sim/status=503')} }
  - { id: limited, type: openai, ${at('/sim/status=429')} }
  - { id: whole, type: openai, ${at('')} }
models:
  - { id: hopeless, weight: 1, deployments: [{ provider: failing, model: m }, { provider: failing-too, model: m }], price: free }
  - { id: dead, weight: 1, deployments: [{ provider: failing, model: dead }], price: free }
  - { id: limited, weight: 1, deployments: [{ provider: limited, model: m }], price: free }
  - { id: good, weight: 9, deployments: [{ provider: whole, model: good }], price: free }
keys:
  - { id: test, key: "\${KEY}", models: ["*"] }
`;

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
});
afterAll(() => hub.close());

const ask = (model: string, more: object = {}, headers: Record<string, string> = {}): Promise<Response> =>
  hub.post(
    '/v1/chat/completions',
    { model, messages: [{ role: 'user', content: 'Hello [simulate tokens=4]' }], ...more },
    { headers },
  );

it('answers with the last cause when all have failed, and leaves out what the providers said', async () => {
  const response = await ask('hopeless', { stream: true });
  const text = await response.text();
  expect(response.status).toBe(502);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect((JSON.parse(text) as { error: object }).error).toMatchObject({
    type: 'upstream_error',
    reason: 'upstream_unavailable',
  });
  expect(text).not.toContain('simulat');
});

it('answers 503 without asking anybody once no deployment is healthy any more (B37)', async () => {
  // Each of these is tried three times, since there is nobody else.
  for (let tries = 0; tries < 2; tries++) expect((await ask('dead')).status).toBe(502);
  const asked = hub.simulator.requests.length;
  const response = await ask('dead');
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('5');
  expect(((await response.json()) as { error: object }).error).toMatchObject({ reason: 'no_upstream' });
  expect(hub.simulator.requests).toHaveLength(asked);
});

it('stays 429 when all are rate limited', async () => {
  expect((await ask('limited')).status).toBe(429);
});

it('lets other models serve a named one only when asked to', async () => {
  expect((await ask('hopeless')).headers.get('x-tokenhub-model')).toBeNull();
  const response = await ask('hopeless', {}, { 'x-tokenhub-allow-fallback': 'true' });
  await response.text();
  expect(response.status).toBe(200);
  expect(response.headers.get('x-tokenhub-model')).not.toBe('hopeless');
});
