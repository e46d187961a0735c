import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCostEvents, type CostEvents } from './cost-events.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const CONFIG = `
providers:
  - { id: down, type: openai, base_url: "\${SIMULATOR}/sim/status=503/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: first, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: second, type: vllm, base_url: "\${SIMULATOR}/vllm/v1", allow_private: true }
  - { id: anthropic, type: anthropic, base_url: "\${SIMULATOR}/anthropic", api_key: sk-simulated, allow_private: true }
models:
  - id: embed
    kind: embedding
    context_window: 100
    deployments: [{ provider: first, model: text-embedding-3-small }, { provider: second, model: sim-embedding }]
    price: { input: "0.02", output: "0" }
  - id: listed
    kind: embedding
    deployments: [{ provider: first, model: text-embedding-3-large }]
  - id: shaky
    kind: embedding
    deployments: [{ provider: down, model: e }, { provider: second, model: e }]
    price: { input: "0.02", output: "0" }
  - { id: broken, kind: embedding, deployments: [{ provider: down, model: e }], price: { input: "0.02", output: "0" } }
  - id: misplaced
    kind: embedding
    deployments: [{ provider: anthropic, model: voyage }]
    price: { input: "0.02", output: "0" }
  - { id: chat, deployments: [{ provider: first, model: gpt-4 }], price: { input: "1", output: "1" } }
keys:
  - { id: test, key: "\${KEY}", scopes: [chat, embeddings], org: acme }
  - { id: plain, key: tokenhub_plain-0123456789ab, org: acme }
  - { id: poor, key: tokenhub_poor-0123456789abc, scopes: [embeddings], org: poor, limits: { budget_day_usd: "0.000000001" } }
`;

let hub: TestGateway;
let events: CostEvents;
let openai: OpenAI;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
  events = readCostEvents(hub);
  openai = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0 });
});
afterAll(async () => {
  events.close();
  await hub.close();
});

const embed = (more: object = {}, init?: RequestInit): Promise<Response> =>
  hub.post('/v1/embeddings', { model: 'embed', input: 'Hello', ...more }, init);
const errorOf = async (response: Response): Promise<Record<string, unknown>> =>
  ((await response.json()) as { error: Record<string, unknown> }).error;
const withKey = (key: string): RequestInit => ({ headers: { authorization: `Bearer ${key}` } });

describe('the official openai package', () => {
  it('gets numbers, and the same from base64, which is its default', async () => {
    const asked = { model: 'embed', input: 'Hello' };
    const floats = await openai.embeddings.create({ ...asked, encoding_format: 'float' });
    const decoded = await openai.embeddings.create(asked);
    expect(floats.data[0]?.embedding).toHaveLength(8);
    for (const [index, value] of (floats.data[0]?.embedding ?? []).entries()) {
      expect(decoded.data[0]?.embedding[index]).toBeCloseTo(value, 5);
    }
  });

  it('gets as many dimensions as it asks for, and a vector for each input in its order', async () => {
    const { data } = await openai.embeddings.create({ model: 'embed', input: ['a', 'b', 'a'], dimensions: 16 });
    expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(data[0]?.embedding).toHaveLength(16);
    expect(data[2]?.embedding).toEqual(data[0]?.embedding);
    expect(data[1]?.embedding).not.toEqual(data[0]?.embedding);
  });

  it('may send tokens, one list or several', async () => {
    expect((await openai.embeddings.create({ model: 'embed', input: [1, 2, 3] })).usage.prompt_tokens).toBe(3);
    expect((await openai.embeddings.create({ model: 'embed', input: [[1], [2, 3]] })).data).toHaveLength(2);
  });

  it('gets its own error classes', async () => {
    await expect(openai.embeddings.create({ model: 'nobody', input: 'x' })).rejects.toBeInstanceOf(
      OpenAI.NotFoundError,
    );
    await expect(openai.embeddings.create({ model: 'embed', input: '' })).rejects.toBeInstanceOf(
      OpenAI.BadRequestError,
    );
  });
});

describe('the bill', () => {
  it('is exact in the answer and in the cost event', async () => {
    const response = await embed({ input: 'x'.repeat(40) });
    expect(response.headers.get('x-tokenhub-model')).toBe('embed');
    const { usage } = (await response.json()) as { usage: object };
    // 10 tokens of 4 characters.
    expect(usage).toMatchObject({ prompt_tokens: 10, total_tokens: 10, cost: 0.0000002 });
    expect(await events.of(response)).toMatchObject({
      surface: 'embeddings',
      outcome: 'completed',
      model: 'embed',
      streamed: false,
      costNanoUsd: 200n,
      outputCostNanoUsd: 0n,
      estimated: false,
      counts: { promptTokens: 10, completionTokens: 0 },
    });
  });

  it('has the list price where the configuration names none', async () => {
    const response = await embed({ model: 'listed', input: 'x'.repeat(40) });
    expect(await response.json()).toMatchObject({ usage: { cost: 0.0000013 } });
  });

  it('believes a sum that is larger than the window of each input', async () => {
    const response = await embed({ input: Array.from({ length: 10 }, () => 'x'.repeat(200)) });
    expect(await response.json()).toMatchObject({ usage: { prompt_tokens: 500 } });
    expect(await events.of(response)).toMatchObject({ estimated: false, counts: { promptTokens: 500 } });
  });

  it('is kept within the budget', async () => {
    const response = await embed({}, withKey('tokenhub_poor-0123456789abc'));
    expect(response.status).toBe(402);
    expect(await errorOf(response)).toMatchObject({ reason: 'budget_exceeded' });
  });
});

it('fails over to the next deployment, and never to another model', async () => {
  const response = await embed({ model: 'shaky' });
  expect(response.status).toBe(200);
  expect(response.headers.get('x-tokenhub-provider')).toBe('second');
  expect(response.headers.get('x-tokenhub-attempts')).toBe('2');
  const alone = await embed({ model: 'broken' }, { headers: { 'x-tokenhub-allow-fallback': 'true' } });
  expect(alone.status).toBe(502);
  expect(await errorOf(alone)).toMatchObject({ reason: 'upstream_unavailable' });
});

describe('refuses', () => {
  it('a key without the scope', async () => {
    const response = await embed({}, withKey('tokenhub_plain-0123456789ab'));
    expect(response.status).toBe(403);
    expect(await errorOf(response)).toMatchObject({
      reason: 'forbidden',
      message: expect.stringContaining('embeddings'),
    });
  });

  it.each([
    ['/v1/embeddings', { model: 'chat', input: 'x' }, 'POST /v1/chat/completions'],
    ['/v1/chat/completions', { model: 'embed', messages: [{ role: 'user', content: 'x' }] }, 'POST /v1/embeddings'],
  ])('at %s a model of the other kind, and says where it belongs', async (path, body, place) => {
    const response = await hub.post(path, body, { headers: { 'x-tokenhub-allow-fallback': 'true' } });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({
      reason: 'invalid_parameter',
      param: 'model',
      message: expect.stringContaining(place),
    });
  });

  it('an input that is longer than the window', async () => {
    const response = await embed({ input: ['x', 'x'.repeat(1000)] });
    expect(await errorOf(response)).toMatchObject({ reason: 'context_length_exceeded' });
  });

  it('a member that names a host', async () => {
    const response = await embed({ api_base: 'http://elsewhere.test' });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ reason: 'unknown_parameter', param: 'api_base' });
  });

  it('a model whose provider offers no embeddings', async () => {
    const response = await embed({ model: 'misplaced' });
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toMatchObject({ message: 'The provider anthropic offers no embeddings.' });
  });
});

it('offers no embedding model to chats that name none', async () => {
  const response = await hub.post('/v1/chat/completions', { messages: [{ role: 'user', content: 'Hello' }] });
  expect(response.headers.get('x-tokenhub-model')).toBe('chat');
});
