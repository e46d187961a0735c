import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCostEvents, type CostEvents } from './cost-events.ts';
import { parseStream, type OpenaiChunk } from './sse-client.ts';
import { ALL_PROVIDERS, startTestGateway, type TestGateway } from './test-gateway.ts';

let hub: TestGateway;
let costs: CostEvents;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
  costs = readCostEvents(hub);
});
afterAll(async () => {
  costs.close();
  await hub.close();
});

const say = (content: string): { role: string; content: string }[] => [{ role: 'user', content }];
const chat = (content: string, more: object = {}): Promise<Response> =>
  hub.post('/v1/chat/completions', { model: 'gpt-4', messages: say(content), stream: true, ...more });

describe('a good stream', () => {
  it('has exactly the headers that callers rely on', async () => {
    const response = await chat('Hello [simulate tokens=3]', {});
    await response.text();
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('connection')).toBe('keep-alive');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect(response.headers.get('content-length')).toBeNull();
    expect(response.headers.get('content-encoding')).toBeNull();
    expect(response.headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    expect(response.headers.get('x-tokenhub-model')).toBe('gpt-4');
    expect(response.headers.get('x-tokenhub-provider')).toBe('openai');
    expect(response.headers.get('x-tokenhub-reason')).toBe('model-hint');
    expect(response.headers.get('x-tokenhub-attempts')).toBe('1');
  });

  it('gives a caller its own well-formed request id back, and ignores any other', async () => {
    const send = async (id: string): Promise<string | null> => {
      const response = await hub.post(
        '/v1/chat/completions',
        { model: 'gpt-4', messages: say('Hi') },
        { headers: { 'x-request-id': id } },
      );
      await response.text();
      return response.headers.get('x-client-request-id');
    };
    expect(await send('order-17.a')).toBe('order-17.a');
    expect(await send('a'.repeat(65))).toBeNull();
    expect(await send('no spaces')).toBeNull();
  });

  it('ends with one [DONE] and then the cost comment, in one piece', async () => {
    const text = await (await chat('Hello [simulate tokens=3 pace=0]')).text();
    expect(text).toMatch(/\n\ndata: \[DONE\]\n\n: \{"cost":"[\d.]+",.*\}\n\n$/);
    expect(text.match(/\[DONE\]/g)).toHaveLength(1);
  });

  it('keeps text byte for byte, whatever way its bytes are cut', async () => {
    const plain = parseStream(await (await chat('Hello [simulate tokens=30 seed=4 multibyte=1]')).text());
    const split = parseStream(await (await chat('Hello [simulate tokens=30 seed=4 multibyte=1 fault=split]')).text());
    const textOf = (data: readonly string[]): string =>
      data
        .slice(0, -1)
        .map((item) => (JSON.parse(item) as OpenaiChunk).choices?.[0]?.delta?.content ?? '')
        .join('');
    expect(textOf(plain.data)).toMatch(/[^\0-\x7f]/);
    expect(textOf(split.data)).toBe(textOf(plain.data));
  });

  it('is completed, not cancelled, when its caller hangs up at [DONE]', async () => {
    const response = await chat('Hello [simulate tokens=5 pace=5]');
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    for (let text = ''; !text.includes('[DONE]');) text += decoder.decode((await reader?.read())?.value);
    await reader?.cancel();
    expect(await costs.of(response)).toMatchObject({ outcome: 'completed', estimated: false });
  });

  it('speaks the format that a caller of /v1/chat asks for', async () => {
    const ask = (streamFormat?: string): Promise<Response> =>
      hub.post('/v1/chat', {
        request: {
          model_hint: 'claude-sonnet-4',
          messages: say('Hello [simulate tokens=3]'),
          stream: true,
          stream_format: streamFormat,
        },
      });
    const native = await ask();
    expect(native.headers.get('x-tokenhub-stream-format')).toBe('anthropic');
    expect(await native.text()).toMatch(/event: message_stop\ndata: .*\n\ndata: \[DONE\]\n\n: \{/);
    const openai = await ask('openai');
    expect(openai.headers.get('x-tokenhub-stream-format')).toBe('openai');
    expect(await openai.text()).not.toContain('event:');
  });
});

it('bills a caller that leaves for what it got, and stops the provider at once', async () => {
  const controller = new AbortController();
  const body = { model: 'gpt-4', messages: say('Hello [simulate tokens=1000 pace=10]'), stream: true };
  const response = await hub.post('/v1/chat/completions', body, { signal: controller.signal });
  const reader = response.body?.getReader();
  for (let reads = 0; reads < 5; reads++) await reader?.read();
  controller.abort();
  await expect.poll(() => hub.simulator.activeStreams, { timeout: 10_000 }).toBe(0);
  const event = await costs.of(response);
  expect(event).toMatchObject({ outcome: 'client_cancelled', estimated: true });
  expect(event.counts.completionTokens).toBeGreaterThan(0);
  expect(event.counts.completionTokens).toBeLessThan(100);
});

it('answers the same decision streamed and not', async () => {
  // One model is left, so that how fast it was the first time has no influence.
  const policy = { mode: 'high_confidence', min_weight: 8 };
  const streamed = await hub.post('/v1/chat', {
    request: { messages: say('Hi'), stream: true },
    policy,
  });
  await streamed.text();
  const whole = await hub.post('/v1/chat', { request: { messages: say('Hi') }, policy });
  const envelope = (await whole.json()) as Record<string, unknown>;
  expect(envelope).toMatchObject({
    negotiated_model: streamed.headers.get('x-tokenhub-model'),
    provider: streamed.headers.get('x-tokenhub-provider'),
    routing_reason: streamed.headers.get('x-tokenhub-reason'),
    request_id: whole.headers.get('x-request-id'),
    response: { object: 'chat.completion' },
  });
  expect(envelope['cost_usd']).toBe(String(envelope['estimated_cost_usd']));
});

it('a long answer that is not streamed arrives whole, however it is cut for writing', async () => {
  const response = await hub.post('/v1/chat/completions', {
    model: 'gpt-4',
    messages: say('Hello [simulate tokens=100000 prompt=15]'),
  });
  const text = await response.text();
  expect(Buffer.byteLength(text)).toBe(Number(response.headers.get('content-length')));
  expect(text.length).toBeGreaterThan(4 * 64 * 1024);
  expect((JSON.parse(text) as { usage: object }).usage).toMatchObject({ completion_tokens: 100_000 });
});
