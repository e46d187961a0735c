import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_PROVIDERS, KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const TOOLS: OpenAI.ChatCompletionTool[] = [
  {
    type: 'function',
    function: {
      name: 'get_weather',
      description: 'The weather of a city',
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  },
];

let hub: TestGateway;
let openai: OpenAI;
beforeAll(async () => {
  hub = await startTestGateway({ config: ALL_PROVIDERS });
  openai = new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0 });
});
afterAll(() => hub.close());

const say = (content: string): OpenAI.ChatCompletionMessageParam[] => [{ role: 'user', content }];

describe.each(['gpt-4', 'claude-sonnet-4', 'llama'])('the official openai package with %s', (model) => {
  it('gets a whole answer with its usage and our cost', async () => {
    const answer = await openai.chat.completions.create({
      model,
      messages: say('Hello [simulate tokens=7 prompt=20]'),
    });
    expect(answer.choices[0]?.message.content).toContain('[sim');
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 });
    expect((answer.usage as unknown as { cost: number }).cost).toBeGreaterThan(0);
  });

  it('streams text and, when it asks, one usage chunk at the end', async () => {
    const messages = say('Hello [simulate tokens=7 prompt=20]');
    const stream = await openai.chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    const usages: OpenAI.CompletionUsage[] = [];
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      if (chunk.usage) usages.push(chunk.usage);
    }
    expect(text).toContain('[sim');
    expect(usages).toHaveLength(1);
    expect(usages[0]).toMatchObject({ prompt_tokens: 20, completion_tokens: 7 });
  });

  it('never sees an event without choices when it does not ask for usage', async () => {
    const stream = await openai.chat.completions.create({ model, messages: say('Hello'), stream: true });
    for await (const chunk of stream) {
      expect(chunk.choices).not.toHaveLength(0);
      expect(chunk).not.toHaveProperty('usage');
    }
  });

  it.each([1, 2])('calls %i tools and answers with their results', async (count) => {
    const messages = say(`What is the weather? [simulate tools=${count}]`);
    const stream = openai.chat.completions.stream({ model, messages, tools: TOOLS });
    const message = (await stream.finalChatCompletion()).choices[0]?.message;
    const calls = message?.tool_calls ?? [];
    expect(calls).toHaveLength(count);
    for (const call of calls) {
      expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
      if (call.type === 'function') expect(() => JSON.parse(call.function.arguments) as unknown).not.toThrow();
    }
    if (message === undefined) throw new Error('no message');
    const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'sunny' }));
    const answer = await openai.chat.completions.create({
      model,
      messages: [...messages, message, ...results],
      tools: TOOLS,
    });
    expect(answer.choices[0]?.finish_reason).toBe('stop');
    expect(answer.choices[0]?.message.content).toContain('[sim');
  });

  it('throws on a stream that breaks off after its first content', async () => {
    const messages = say('Hello [simulate tokens=50 pace=5 fault=reset after=3]');
    const stream = await openai.chat.completions.create({ model, messages, stream: true });
    let text = '';
    await expect(async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    }).rejects.toThrow(/broke off/);
    expect(text).not.toBe('');
  });

  it('gets its own error classes', async () => {
    const create = (overrides: object, client = openai): Promise<unknown> =>
      client.chat.completions.create({ model, messages: say('Hello'), ...overrides });
    await expect(create({ temperature: 5 })).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(create({ model: 'gpt-9' })).rejects.toBeInstanceOf(OpenAI.NotFoundError);
    const stranger = new OpenAI({ apiKey: 'tokenhub_nobody-0123456789', baseURL: `${hub.url}/v1`, maxRetries: 0 });
    await expect(create({}, stranger)).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
    await expect(create({ messages: say('[simulate status=429]') })).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    await expect(create({ messages: say('[simulate status=500]') })).rejects.toBeInstanceOf(OpenAI.InternalServerError);
  });

  it('cancels the provider when it aborts, streamed or not', async () => {
    for (const stream of [true, false]) {
      const controller = new AbortController();
      const messages = say('Hello [simulate tokens=500 pace=20 delay=50]');
      const pending = openai.chat.completions.create({ model, messages, stream }, { signal: controller.signal });
      await expect.poll(() => hub.simulator.activeStreams).toBe(1);
      controller.abort();
      await expect(pending).rejects.toThrow();
      await expect.poll(() => hub.simulator.activeStreams, { timeout: 2_000 }).toBe(0);
    }
  });
});

it('lists the models', async () => {
  const ids: string[] = [];
  for await (const { id } of openai.models.list()) ids.push(id);
  expect(ids).toEqual(['gpt-4', 'claude-sonnet-4', 'llama']);
  expect((await openai.models.retrieve('llama')).owned_by).toBe('vllm');
});
