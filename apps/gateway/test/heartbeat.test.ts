import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { parseStream } from './sse-client.ts';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const QUIET_KEY = 'tokenhub_quiet-key-0123456789';

// The first deployments keep silent for longer than a heartbeat takes; each model's second one serves or fails.
const CONFIG = `
providers:
  - { id: silent, type: openai, base_url: "\${SIMULATOR}/sim/fault=silent/openai/v1", api_key: sk-simulated, allow_private: true, timeouts: { first_event_ms: 16500 } }
  - { id: whole, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
  - { id: unwilling, type: openai, base_url: "\${SIMULATOR}/sim/status=400/openai/v1", api_key: sk-simulated, allow_private: true }
models:
  - { id: late, deployments: [{ provider: silent, model: late }, { provider: whole, model: late }], price: { input: "1", output: "2" } }
  - { id: prompt, deployments: [{ provider: whole, model: prompt }], price: free }
  - { id: hopeless, deployments: [{ provider: silent, model: hopeless }, { provider: unwilling, model: hopeless }], price: free }
keys:
  - { id: test, key: "\${KEY}", models: ["*"] }
  - { id: quiet, key: ${QUIET_KEY}, models: ["*"], heartbeat: false }
`;

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
});
afterAll(() => hub.close());

const ask = (model: string, content: string, headers: Record<string, string> = {}): Promise<Response> =>
  hub.post('/v1/chat/completions', { model, stream: true, messages: [{ role: 'user', content }] }, { headers });

// They wait for the same 15 s, so they wait together.
vi.setConfig({ testTimeout: 60_000 });

it.concurrent('a stream that is silent before its first token gets a heartbeat, and may still fail over', async () => {
  const response = await ask('late', 'Hello [simulate tokens=4]');
  // The headers came with the heartbeat, too early to say who would serve.
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/event-stream');
  expect(response.headers.get('x-tokenhub-provider')).toBeNull();
  const text = await response.text();
  expect(text).toMatch(/^: keep-alive\n\n: \{"X-TokenHub-Model":"late","X-TokenHub-Provider":"whole",/);
  const { data, cost } = parseStream(text);
  expect(data.at(-1)).toBe('[DONE]');
  expect(data.filter((item) => item.includes('"content"')).length).toBeGreaterThanOrEqual(4);
  expect(cost).toMatchObject({ completion_tokens: 4 });
});

it.concurrent("on messages it is Anthropic's own ping, on responses a comment, and the clients read on", async () => {
  const anthropic = new Anthropic({ apiKey: KEY, baseURL: hub.url, maxRetries: 0 });
  const body = { max_tokens: 50, messages: [{ role: 'user' as const, content: 'Hello [simulate tokens=4]' }] };
  const openai = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0 });
  const raw = hub.post('/v1/messages', { ...body, model: 'late', stream: true });
  const response = openai.responses.stream({ model: 'late', input: 'Hello [simulate tokens=4]' }).finalResponse();
  const message = await anthropic.messages.stream({ ...body, model: 'late' }).finalMessage();
  expect(message.usage.output_tokens).toBe(4);
  expect((await response).usage?.output_tokens).toBe(4);
  expect(await (await raw).text()).toMatch(/^event: ping\ndata: \{"type": "ping"\}\n\n/);
});

it.concurrent('when nobody serves after a heartbeat, the stream says so in its one error event', async () => {
  const response = await ask('hopeless', 'Hello');
  expect(response.status).toBe(200);
  const { data, cost } = parseStream(await response.text());
  expect(data).toHaveLength(1);
  expect(JSON.parse(data[0] ?? '')).toMatchObject({ error: { code: 400, reason: 'upstream_rejected' } });
  expect(cost).toMatchObject({ cost: '0', partial: true });
});

it.concurrent('a key without heartbeats gets none, and its failures keep their status', async () => {
  const headers = { authorization: `Bearer ${QUIET_KEY}` };
  const [late, hopeless] = await Promise.all([ask('late', 'Hi', headers), ask('hopeless', 'Hi', headers)]);
  expect(late.headers.get('x-tokenhub-provider')).toBe('whole');
  expect(await late.text()).not.toContain('keep-alive');
  expect(hopeless.status).toBe(400);
});

it.concurrent('a stream that falls silent in its middle gets one within 16 s, between two events', async () => {
  // The opening event and three tokens, then the rest.
  const response = await ask('prompt', 'Hello [simulate tokens=3 burst=4 pace=17000]');
  const text = await response.text();
  expect(text).toMatch(/^data: .*\n\n: keep-alive\n\ndata: /s);
  expect(text.match(/: keep-alive/g)).toHaveLength(1);
  expect(parseStream(text).data.at(-1)).toBe('[DONE]');
});
