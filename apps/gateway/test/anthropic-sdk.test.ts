import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_PROVIDERS, KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

let hub: TestGateway;
let anthropic: Anthropic;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
  anthropic = new Anthropic({ apiKey: KEY, baseURL: hub.url, maxRetries: 0 });
});
afterAll(() => hub.close());

const ask = (model: string, content: string): Anthropic.MessageCreateParamsNonStreaming => ({
  model,
  max_tokens: 1000,
  messages: [{ role: 'user', content }],
});

describe.each(['claude-sonnet-4', 'gpt-4'])('the official @anthropic-ai/sdk package with %s', (model) => {
  it('gets a whole message with its usage', async () => {
    const message = await anthropic.messages.create(ask(model, 'Hello [simulate tokens=7 prompt=20]'));
    expect(message).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn' });
    expect(message.usage).toMatchObject({ input_tokens: 20, output_tokens: 7 });
  });

  it('streams text and usage', async () => {
    const stream = anthropic.messages.stream(ask(model, 'Hello [simulate tokens=7 prompt=20]'));
    let text = '';
    stream.on('text', (delta) => (text += delta));
    const { usage, content } = await stream.finalMessage();
    expect(content).toMatchObject([{ type: 'text', text }]);
    expect(text).toContain('[sim');
    expect(usage.output_tokens).toBe(7);
  });

  it('throws on a stream that breaks off after its first content', async () => {
    const stream = anthropic.messages.stream(ask(model, 'Hello [simulate tokens=50 pace=5 fault=reset after=3]'));
    await expect(stream.finalMessage()).rejects.toThrow(/broke off/);
  });

  it('gets its own error classes', async () => {
    await expect(anthropic.messages.create({ ...ask(model, 'Hi'), max_tokens: -1 })).rejects.toBeInstanceOf(
      Anthropic.BadRequestError,
    );
    await expect(anthropic.messages.create(ask('gpt-9', 'Hi'))).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    const stranger = new Anthropic({ apiKey: 'tokenhub_nobody-0123456789', baseURL: hub.url, maxRetries: 0 });
    await expect(stranger.messages.create(ask(model, 'Hi'))).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
  });
});
