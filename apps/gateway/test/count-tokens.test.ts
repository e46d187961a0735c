import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_PROVIDERS, KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
});
afterAll(() => hub.close());

describe('counted tokens', () => {
  const body = { messages: [{ role: 'user' as const, content: 'Hello [simulate prompt=42]' }] };

  it('are the provider’s own where it counts, and an estimate that says so elsewhere', async () => {
    const anthropic = new Anthropic({ apiKey: KEY, baseURL: hub.url, maxRetries: 0 });
    const { input_tokens: counted } = await anthropic.messages.countTokens({ ...body, model: 'claude-sonnet-4' });
    expect(counted).toBe(42);
    const estimated = await hub.post('/v1/messages/count_tokens', { ...body, model: 'gpt-4' });
    expect(estimated.headers.get('x-tokenhub-estimated')).toBe('true');
    expect(((await estimated.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(0);
  });

  it('are estimated of an answer that has begun too', async () => {
    const begun = { model: 'gpt-4', messages: [...body.messages, { role: 'assistant', content: '{' }] };
    expect((await hub.post('/v1/messages/count_tokens', begun)).status).toBe(200);
  });

  it('are estimated when the provider does not answer', async () => {
    hub.simulator.impose('/anthropic', 'status=503');
    const answer = await hub.post('/anthropic/v1/messages/count_tokens', { ...body, model: 'claude-sonnet-4' });
    hub.simulator.impose('/anthropic', undefined);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-tokenhub-estimated')).toBe('true');
  });

  it('are there for a prompt that is longer than the window, which is what the caller wants to know', async () => {
    const content = 'many words '.repeat(30_000);
    const answer = await hub.post('/v1/messages/count_tokens', {
      model: 'llama',
      messages: [{ role: 'user', content }],
    });
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { input_tokens: number }).input_tokens).toBeGreaterThan(32_000);
  });

  it('are there while every provider of the model rests', async () => {
    const message = { ...body, model: 'llama', max_tokens: 9 };
    hub.simulator.impose('/vllm', 'status=503');
    await expect
      .poll(async () => (await (await hub.post('/v1/messages', message)).json()) as object)
      .toMatchObject({ error: { message: expect.stringContaining('failing now') } });
    expect((await hub.post('/v1/messages/count_tokens', { ...body, model: 'llama' })).status).toBe(200);
    hub.simulator.impose('/vllm', undefined);
  });

  it('of an unknown model are refused in Anthropic’s shape', async () => {
    const refused = await hub.post('/v1/messages/count_tokens', { ...body, model: 'claude-9' });
    expect(refused.status).toBe(404);
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
  });
});
