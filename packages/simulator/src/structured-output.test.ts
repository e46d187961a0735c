import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator, type Simulator } from './start-simulator.ts';

let simulator: Simulator;
let openai: OpenAI;
let vllm: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  simulator = await startSimulator();
  openai = new OpenAI({ apiKey: 'key', baseURL: `${simulator.url}/openai/v1`, maxRetries: 0 });
  vllm = new OpenAI({ apiKey: 'none', baseURL: `${simulator.url}/vllm/v1`, maxRetries: 0 });
  anthropic = new Anthropic({ apiKey: 'key', baseURL: `${simulator.url}/anthropic`, maxRetries: 0 });
});
afterAll(() => simulator.close());

const schema = {
  type: 'object' as const,
  properties: { 'naïve 😀': { type: 'string' }, steps: { type: 'array', items: { type: 'integer' } } },
  required: ['naïve 😀', 'steps'],
  additionalProperties: false,
};
const fitting = { 'naïve 😀': 'simulated', steps: [1] };
const messages = [{ role: 'user' as const, content: 'Hi' }];
const format = { type: 'json_schema' as const, json_schema: { name: 'answer', schema, strict: true } };

describe('a JSON schema', () => {
  it.each(['openai', 'vllm'])('is followed by chat completions of %s', async (provider) => {
    const client = provider === 'openai' ? openai : vllm;
    const request = { model: 'sim-1', messages, response_format: format };
    const whole = await client.chat.completions.create(request);
    expect(JSON.parse(whole.choices[0]?.message.content ?? '')).toEqual(fitting);
    const streamed = await client.chat.completions.stream(request).finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
  });

  it('is followed by responses', async () => {
    const request = {
      model: 'sim-1',
      input: 'Hi',
      text: { format: { type: 'json_schema' as const, name: 'answer', schema, strict: true } },
    };
    expect((await openai.responses.parse(request)).output_parsed).toEqual(fitting);
    const streamed = await openai.responses.stream({ ...request, stream: true }).finalResponse();
    expect(streamed.output_parsed).toEqual(fitting);
  });

  it('is followed by messages, asked for in both ways', async () => {
    const request = { model: 'sim-1', max_tokens: 100, messages };
    const jsonFormat = { type: 'json_schema' as const, schema };
    const streamed = await anthropic.messages
      .stream({ ...request, output_config: { format: jsonFormat } })
      .finalMessage();
    const older = { ...request, output_format: jsonFormat };
    const beta = await anthropic.messages.create(older);
    for (const { content } of [streamed, beta]) {
      expect(JSON.parse(content[0]?.type === 'text' ? content[0].text : '')).toEqual(fitting);
    }
  });

  it('may be padded with blanks, and is cut by the limit alone', async () => {
    const request = { model: 'sim-1', response_format: format };
    const padded = await openai.chat.completions.create({
      ...request,
      messages: [{ role: 'user', content: '[simulate tokens=50]' }],
    });
    expect(padded.usage?.completion_tokens).toBe(50);
    expect(JSON.parse(padded.choices[0]?.message.content ?? '')).toEqual(fitting);
    const cut = await openai.chat.completions.create({ ...request, messages, max_tokens: 3 });
    expect(cut.choices[0]).toMatchObject({ finish_reason: 'length', message: { content: '{"na\\u00efve' } });
  });
});

it('gives some object for json_object', async () => {
  const answer = await openai.chat.completions.create({
    model: 'sim-1',
    messages,
    response_format: { type: 'json_object' },
  });
  expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({ answer: 'simulated' });
});

it('refuses a JSON schema without a name', async () => {
  const nameless = { type: 'json_schema' as const, json_schema: { schema } };
  const asked = openai.chat.completions.create({
    model: 'sim-1',
    messages,
    // @ts-expect-error -- the name is missing
    response_format: nameless,
  });
  await expect(asked).rejects.toMatchObject({ status: 400, param: 'response_format.json_schema.name' });
});

describe('a tool by force', () => {
  it('is called with fitting arguments, also after a result', async () => {
    const tool = (name: string) => ({ type: 'function' as const, function: { name, parameters: schema } });
    const call = { id: 'call_1', type: 'function' as const, function: { name: 'a', arguments: '{}' } };
    const answer = await openai.chat.completions.create({
      model: 'sim-1',
      messages: [
        ...messages,
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: '' },
      ],
      tools: [tool('a'), tool('b')],
      tool_choice: { type: 'function', function: { name: 'b' } },
    });
    const [made] = answer.choices[0]?.message.tool_calls ?? [];
    expect(made).toMatchObject({ function: { name: 'b' } });
    expect(JSON.parse(made?.type === 'function' ? made.function.arguments : '')).toEqual(fitting);
  });

  it('is called by messages', async () => {
    const answer = await anthropic.messages.create({
      model: 'sim-1',
      max_tokens: 100,
      messages,
      tools: [
        { name: 'a', input_schema: schema },
        { name: 'b', input_schema: schema },
      ],
      tool_choice: { type: 'tool', name: 'b' },
    });
    expect(answer.content).toMatchObject([{ type: 'tool_use', name: 'b', input: fitting }]);
  });
});
