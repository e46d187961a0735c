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

  it('finds the id of its request, whatever became of it', async () => {
    const id = expect.stringMatching(/^req_[0-9a-f]{32}$/);
    expect(await anthropic.messages.create(ask(model, 'Hello'))).toMatchObject({ _request_id: id });
    await expect(anthropic.messages.create(ask('gpt-9', 'Hi'))).rejects.toMatchObject({ requestID: id });
    const stream = anthropic.messages.stream(ask(model, 'Hello'));
    await stream.finalMessage();
    expect(stream.request_id).toEqual(id);
    const count = await anthropic.messages.countTokens({ model, messages: ask(model, 'Hello').messages });
    expect(count).toMatchObject({ _request_id: id });
    expect(await anthropic.models.retrieve(model)).toMatchObject({ _request_id: id });
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

it('what is not there is told in the shape of Anthropic below its address', async () => {
  const answer = await hub.post('/anthropic/v1/nothing', {});
  expect(answer.status).toBe(404);
  expect(await answer.json()).toMatchObject({ type: 'error', error: { type: 'not_found_error' } });
});
