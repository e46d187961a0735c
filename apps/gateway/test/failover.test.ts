import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTestConfig, startTestGateway, type TestGateway } from './test-gateway.ts';

const FAULTS = [
  'status=500',
  'status=503',
  'status=529',
  'status=408',
  'status=429',
  'status=401',
  'fault=first-event-error',
  'fault=role-then-error',
  'fault=empty-body',
  'fault=html',
  'fault=headers-only',
  'fault=silent',
];

// Of one model a faulty deployment and a good one. The faulty one goes first: it has the smaller id.
const CONFIG = `
providers:
${FAULTS.map((fault, index) => `  - { id: faulty-${index}, type: openai, base_url: "\${SIMULATOR}/sim/${fault}/openai/v1", api_key: sk-simulated, allow_private: true, timeouts: { first_event_ms: 300 } }`).join('\n')}
  - { id: refusing, type: openai, base_url: "http://127.0.0.1:1/v1", api_key: sk-simulated, allow_private: true }
  - { id: whole, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: whole-anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
models:
${FAULTS.map((_fault, index) => `  - { id: model-${index}, weight: 5, deployments: [{ provider: faulty-${index}, model: m }, { provider: whole, model: m }], price: free }`).join('\n')}
  - { id: refused, weight: 5, deployments: [{ provider: refusing, model: m }, { provider: whole, model: m }], price: free }
  - { id: two-dialects, weight: 5, deployments: [{ provider: faulty-0, model: m }, { provider: whole-anthropic, model: m }], price: free }
  - { id: hopeless, weight: 1, deployments: [{ provider: faulty-0, model: m }, { provider: faulty-1, model: m }], price: free }
  - { id: dead, weight: 1, deployments: [{ provider: faulty-0, model: dead }], price: free }
  - { id: limited, weight: 1, deployments: [{ provider: faulty-4, model: m }], price: free }
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

describe.each([true, false])('before the first content (stream: %s)', (stream) => {
  // A reload forgets which credentials were refused.
  beforeAll(() => hub.gateway.reload(readTestConfig(CONFIG, hub.simulator.url)));

  const faults = FAULTS.map((fault, index) => [fault, `model-${index}`] as const);
  // What shows only in a stream cannot happen to a whole answer, and credentials are refused only once.
  const streamOnly = /first-event|role-then|headers-only|html|401/;
  const apply = stream ? faults : faults.filter(([fault]) => !streamOnly.test(fault));

  it.each([...apply, ['a refused connection', 'refused'] as const])(
    'the next deployment serves after %s',
    async (_fault, model) => {
      const response = await ask(model, { stream });
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get('x-tokenhub-provider')).toBe('whole');
      expect(response.headers.get('x-tokenhub-reason')).toBe('failover-weight-5');
      expect(response.headers.get('x-tokenhub-attempts')).toBe('2');
      if (stream) expect(text.match(/data: \[DONE\]/g)).toHaveLength(1);
      expect(text).not.toContain('error');
    },
  );

  it('a deployment of another dialect may be the next', async () => {
    const response = await ask('two-dialects', { stream });
    await response.text();
    expect(response.headers.get('x-tokenhub-provider')).toBe('whole-anthropic');
  });
});

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

it("passes a caller's own mistake on as 400, tries nobody else, and blames nobody", async () => {
  const body = { model: 'good', messages: [{ role: 'user', content: '[simulate status=400]' }] };
  for (let tries = 0; tries < 6; tries++) {
    const response = await hub.post('/v1/chat/completions', body);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: object }).error).toMatchObject({ reason: 'upstream_rejected' });
  }
  expect((await ask('good')).status).toBe(200);
});
