import OpenAI from 'openai';
import type { ResponseCreateParamsNonStreaming, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataOf, rawRequest, type RawAnswer } from '../test/raw-request.ts';
import { startSimulator, type Simulator } from './start-simulator.ts';

let simulator: Simulator;
let openai: OpenAI;
beforeAll(async () => {
  simulator = await startSimulator();
  openai = new OpenAI({ apiKey: 'key', baseURL: `${simulator.url}/openai/v1`, maxRetries: 0 });
});
afterAll(() => simulator.close());

const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } };
const weather = { type: 'function' as const, name: 'weather', parameters, strict: true };

/** The events of the stream and the response that the official client makes of them. */
async function stream(request: Omit<ResponseCreateParamsNonStreaming, 'model'>) {
  const running = openai.responses.stream({ model: 'sim-1', ...request, stream: true });
  const events: ResponseStreamEvent[] = [];
  for await (const event of running) events.push(event);
  return { events, types: events.map(({ type }) => type), response: await running.finalResponse() };
}
const ask = (request: Omit<ResponseCreateParamsNonStreaming, 'model'>) =>
  openai.responses.create({ model: 'sim-1', ...request });
const withoutDeltas = (types: readonly string[]): string[] => types.filter((type) => !type.endsWith('.delta'));

/** As a plain socket sees it. */
function raw(prompt: string, body: Record<string, unknown> = {}): Promise<RawAnswer> {
  return rawRequest({
    port: simulator.port,
    path: '/openai/v1/responses',
    body: { messages: undefined, max_tokens: undefined, input: prompt, ...body },
  });
}

describe('text', () => {
  it('streams typed events that are numbered, one for each token, and no [DONE]', async () => {
    const { events, types, response } = await stream({ input: 'Hi [simulate tokens=5 prompt=20 cached=4]' });
    expect(types).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      ...Array.from({ length: 5 }, () => 'response.output_text.delta'),
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map((event) => event.sequence_number)).toEqual(types.map((_, index) => index));
    expect(response).toMatchObject({ status: 'completed', output_text: expect.stringMatching(/^\[simulated\]/) });
    expect(response.usage).toMatchObject({
      input_tokens: 20,
      input_tokens_details: { cached_tokens: 4 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 25,
    });
    expect((await raw('Hi')).body.toString()).not.toContain('[DONE]');
    expect(simulator.requests.at(-1)).toMatchObject({ dialect: 'openai', tokensSent: 32, body: { input: 'Hi' } });
  });

  it('answers the same at once', async () => {
    const input = 'Count from 1 to 3.';
    const whole = await ask({ input });
    expect(whole.output_text).toBe('[simulated] 1, 2, 3.');
    expect((await stream({ input })).response.output).toMatchObject(whole.output);
  });

  it('repeats what was asked for', async () => {
    const request = { input: 'Hi', instructions: 'Be brief', temperature: 0.5, metadata: { a: 'b' }, tools: [weather] };
    expect(await ask({ ...request, tool_choice: 'none' })).toMatchObject({
      object: 'response',
      instructions: 'Be brief',
      temperature: 0.5,
      metadata: { a: 'b' },
      tools: [weather],
      tool_choice: 'none',
      text: { format: { type: 'text' } },
    });
  });

  it('ends incomplete at max_output_tokens', async () => {
    const { types, response } = await stream({ input: 'Hi', max_output_tokens: 16 });
    expect(types.at(-1)).toBe('response.incomplete');
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'message', status: 'incomplete' }],
    });
  });

  it('reads items of all kinds and counts their text', async () => {
    const answer = await ask({
      instructions: 'abcd',
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'efgh' },
            { type: 'input_image', image_url: 'data:image/png;base64,AA==', detail: 'auto' },
            { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'a.pdf' },
          ],
        },
        { type: 'reasoning', id: 'rs_1', summary: [] },
        { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'ijkl' },
      ],
      tools: [weather],
    });
    expect(answer.usage?.input_tokens).toBe(3);
    expect(answer.output.map(({ type }) => type)).toEqual(['message']);
  });
});

describe('reasoning', () => {
  it('is told as a summary, and encrypted, when the request wants it', async () => {
    const { types, response } = await stream({
      input: '[simulate reasoning=4 tokens=3]',
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    });
    expect(withoutDeltas(types).slice(2, 8)).toEqual([
      'response.output_item.added',
      'response.reasoning_summary_part.added',
      'response.reasoning_summary_text.done',
      'response.reasoning_summary_part.done',
      'response.output_item.done',
      'response.output_item.added',
    ]);
    expect(types.filter((type) => type === 'response.reasoning_summary_text.delta')).toHaveLength(4);
    expect(response.output[0]).toMatchObject({
      type: 'reasoning',
      summary: [{ type: 'summary_text', text: expect.stringMatching(/^\[simulated\]/) }],
      encrypted_content: expect.stringMatching(/./),
    });
    expect(response.usage).toMatchObject({ output_tokens: 7, output_tokens_details: { reasoning_tokens: 4 } });
  });

  it('is counted but not told otherwise', async () => {
    const answer = await ask({ input: 'Hi', reasoning: { effort: 'high' } });
    expect(answer.output[0]).toEqual({ id: expect.any(String), type: 'reasoning', summary: [] });
    expect(answer.usage?.output_tokens_details.reasoning_tokens).toBe(16);
    expect((await ask({ input: 'Hi', reasoning: { effort: 'none' } })).output).toHaveLength(1);
  });
});

describe('function calls', () => {
  it('come in parallel, their arguments in pieces', async () => {
    const { types, response } = await stream({ input: '[simulate tools=2]', tools: [weather] });
    const call = ['response.output_item.added', 'response.function_call_arguments.done', 'response.output_item.done'];
    expect(withoutDeltas(types).slice(2, -1)).toEqual([...call, ...call]);
    expect(types).toContain('response.function_call_arguments.delta');
    expect(response.output).toMatchObject([
      { type: 'function_call', name: 'weather', arguments: '{"city":"simulated","days":1}', status: 'completed' },
      { type: 'function_call', name: 'weather', call_id: expect.stringMatching(/^call_/) },
    ]);
    const single = await ask({ input: '[simulate tools=2]', tools: [weather], parallel_tool_calls: false });
    expect(single.output).toHaveLength(1);
  });

  it('are of the tool that is chosen', async () => {
    const other = { ...weather, name: 'other' };
    const answer = await ask({
      input: 'Hi',
      tools: [weather, other],
      tool_choice: { type: 'function', name: 'other' },
    });
    expect(answer.output).toMatchObject([{ type: 'function_call', name: 'other' }]);
  });
});

it('gives the probabilities of its tokens', async () => {
  const request = { input: '[simulate tokens=3]', top_logprobs: 2 };
  const { events, response } = await stream({ ...request, include: ['message.output_text.logprobs'] });
  const delta = events.find((event) => event.type === 'response.output_text.delta');
  expect(delta?.logprobs).toEqual([
    {
      token: '[sim',
      logprob: expect.any(Number),
      top_logprobs: [expect.objectContaining({ token: '[sim' }), expect.anything()],
    },
  ]);
  expect(response.output).toMatchObject([
    { content: [{ logprobs: [{ token: '[sim' }, { token: 'ulat' }, { token: 'ed]' }] }] },
  ]);
  expect((await ask(request)).output).toMatchObject([{ content: [{ logprobs: [] }] }]);
});

describe('refusals', () => {
  const output = { type: 'function_call_output', call_id: 'call_1', output: '' };
  const call = { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{}' };

  it.each([
    ['no model', { model: undefined }, 'model'],
    ['no input', { input: undefined }, 'input'],
    ['input that is no list', { input: 1 }, 'input'],
    ['a role of chat completions', { input: [{ role: 'tool', content: '' }] }, 'input[0].role'],
    [
      'a part of chat completions',
      { input: [{ role: 'user', content: [{ type: 'text' }] }] },
      'input[0].content[0].type',
    ],
    [
      'a question within an answer',
      { input: [{ role: 'assistant', content: [{ type: 'input_text', text: '' }] }] },
      'input[0].content[0].type',
    ],
    ['an output without its call', { input: [output] }, 'input'],
    ['a call without its output', { input: [call] }, 'input'],
    ['too few tokens', { max_output_tokens: 4 }, 'max_output_tokens'],
    ['a response before this one', { previous_response_id: 'resp_1' }, 'previous_response_id'],
    ['a format without a schema', { text: { format: { type: 'json_schema', name: 'a' } } }, 'text.format.schema'],
  ])('refuses %s', async (_, body, param) => {
    const answer = await raw('Hi', body);
    expect(answer.statusLine).toContain(' 400 ');
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { type: 'invalid_request_error', param } });
  });
});

describe('faults', () => {
  const types = async (directives: string): Promise<string[]> => {
    const { body } = await raw(`[simulate ${directives}]`);
    return Array.from(body.toString().matchAll(/^event: (.*)$/gm), (match) => match[1] ?? '');
  };

  it('mean the same as elsewhere', async () => {
    expect(JSON.parse((await raw('[simulate status=429]')).body.toString())).toHaveProperty('error.code');
    expect((await raw('[simulate fault=context-length]')).body.toString()).toContain('context_length_exceeded');
    expect(await types('fault=first-event-error')).toEqual(['error']);
    expect(await types('fault=role-then-error')).toEqual(['response.created', 'error']);
    expect(await types('fault=done-without-finish')).not.toContain('response.completed');
    expect(await types('fault=truncate after=2')).toHaveLength(4 + 2);
    expect(await types('fault=truncate after=99')).not.toContain('response.completed');
    const reset = await raw('[simulate fault=reset after=2 pace=5]');
    expect(reset.end).toBe('reset');
    const split = await raw('[simulate fault=split tokens=3 delay=5]');
    expect(dataOf(split.body)).toHaveLength(4 + 3 + 4);
    const broken = dataOf((await raw('[simulate fault=bad-json]')).body);
    expect(() => broken.map((data): unknown => JSON.parse(data))).toThrow(SyntaxError);
  });

  it('mid-stream-error: the response fails', async () => {
    const failed = dataOf((await raw('[simulate fault=mid-stream-error after=2]')).body).at(-1) ?? '';
    expect(JSON.parse(failed)).toMatchObject({
      type: 'response.failed',
      sequence_number: 6,
      response: { status: 'failed', error: { code: 'server_error' } },
    });
  });

  it('json-on-stream and usage that lies', async () => {
    expect(JSON.parse((await raw('[simulate fault=json-on-stream]')).body.toString())).toMatchObject({
      object: 'response',
    });
    expect((await ask({ input: '[simulate usage=absent]' })).usage).toBeNull();
    expect((await ask({ input: '[simulate usage=huge]' })).usage?.output_tokens).toBe(1e12);
  });
});
