import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataOf, rawRequest } from '../test/raw-request.ts';
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

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}
const user = (content: string) => [{ role: 'user' as const, content }];
const parameters = { type: 'object', properties: { city: { type: 'string' }, days: { type: 'integer' } } };
const openaiTool = { type: 'function' as const, function: { name: 'weather', parameters } };
const anthropicTool = { name: 'weather', input_schema: { ...parameters, type: 'object' as const } };

describe('OpenAI', () => {
  it('streams its tokens, then a finish reason, then usage, as the official client reads them', async () => {
    const stream = await openai.chat.completions.create({
      model: 'sim-1',
      stream: true,
      stream_options: { include_usage: true },
      messages: user('Hi [simulate tokens=5]'),
    });
    const chunks = await collect(stream);
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '');
    expect(text.slice(0, 4)).toEqual(['', '[sim', 'ulat', 'ed]']);
    expect(chunks.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual([
      ...Array.from({ length: 6 }, () => null),
      'stop',
      undefined,
    ]);
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    // "Hi [simulate tokens=5]" has 22 characters: 5.5 tokens of 4.
    expect(chunks.at(-1)?.usage).toMatchObject({ prompt_tokens: 6, completion_tokens: 5, total_tokens: 11 });
  });

  it('says nothing of usage in a stream that did not ask for it', async () => {
    const { body } = await rawRequest({ port: simulator.port });
    expect(body.includes('usage')).toBe(false);
    expect(dataOf(body).at(-1)).toBe('[DONE]');
  });

  it('counts from 1 to 10 when asked to', async () => {
    const answer = await openai.chat.completions.create({
      model: 'sim-1',
      messages: user('Count from 1 to 10 slowly.'),
    });
    expect(answer.choices[0]?.message.content).toBe('[simulated] 1, 2, 3, 4, 5, 6, 7, 8, 9, 10.');
    expect(answer.usage?.completion_tokens).toBe(13);
  });

  it('thinks first when the model is a reasoning model', async () => {
    const stream = await openai.chat.completions.create({ model: 'sim-reasoner', stream: true, messages: user('Hi') });
    const deltas = (await collect(stream)).map((chunk) => Object.keys(chunk.choices[0]?.delta ?? {})[0]);
    expect(deltas.indexOf('content')).toBe(-1 + deltas.indexOf('reasoning_content') + 17);
    const answer = await openai.chat.completions.create({ model: 'sim-reasoner', messages: user('Hi') });
    expect(answer.choices[0]?.message).toHaveProperty('reasoning_content', expect.stringMatching(/^\[simulated\]/));
    expect(answer.usage?.completion_tokens_details?.reasoning_tokens).toBe(16);
  });

  it('calls tools in parallel, streamed in pieces of 4 bytes', async () => {
    const runner = openai.chat.completions.stream({
      model: 'sim-1',
      messages: user('Weather? [simulate tools=2]'),
      tools: [openaiTool],
    });
    const { message, finish_reason: reason } = (await runner.finalChatCompletion()).choices[0] ?? {};
    expect(reason).toBe('tool_calls');
    expect(message?.tool_calls).toHaveLength(2);
    expect(message?.tool_calls?.[1]).toMatchObject({
      function: { name: 'weather', arguments: '{"city":"simulated","days":1}' },
    });
    expect(message?.tool_calls?.[0]?.id).not.toBe(message?.tool_calls?.[1]?.id);
  });

  it('answers in text after the tool has answered, or when tools are forbidden', async () => {
    const call = { id: 'call_1', type: 'function' as const, function: { name: 'weather', arguments: '{}' } };
    const after = await openai.chat.completions.create({
      model: 'sim-1',
      tools: [openaiTool],
      messages: [
        ...user('Weather?'),
        { role: 'assistant', tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: 'Rain' },
      ],
    });
    expect(after.choices[0]?.finish_reason).toBe('stop');
    const forbidden = await openai.chat.completions.create({
      model: 'sim-1',
      tools: [openaiTool],
      tool_choice: 'none',
      messages: user('Weather?'),
    });
    expect(forbidden.choices[0]?.message.tool_calls).toBeUndefined();
  });

  it('stops at max_tokens', async () => {
    const answer = await openai.chat.completions.create({ model: 'sim-1', max_tokens: 4, messages: user('Hi') });
    expect(answer.choices[0]?.finish_reason).toBe('length');
    expect(answer.usage?.completion_tokens).toBe(4);
  });

  it('gives as many choices as asked for and counts them all', async () => {
    const answer = await openai.chat.completions.create({ model: 'sim-1', n: 3, max_tokens: 4, messages: user('Hi') });
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect(answer.usage?.completion_tokens).toBe(12);
  });

  it.each([
    ['a missing key', { headers: [] }, 401],
    ['a wrong key', { headers: ['authorization: Bearer wrong'] }, 401],
    ['no model', { body: { model: undefined } }, 400],
    ['no messages', { body: { messages: undefined } }, 400],
    ['stream_options without stream', { body: { stream: false, stream_options: { include_usage: true } } }, 400],
    ['an unknown directive', { prompt: '[simulate tokns=3]' }, 400],
    ['an unknown route', { path: '/openai/v1/messages' }, 404],
  ])('refuses %s', async (_, request, status) => {
    const answer = await rawRequest({ port: simulator.port, ...request });
    expect(answer.statusLine).toContain(` ${status} `);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect(simulator.requests.at(-1)?.outcome).toBe('refused');
  });
});

describe('vLLM', () => {
  it('reports usage on every chunk when asked, and has no system_fingerprint', async () => {
    const options = { include_usage: true, continuous_usage_stats: true };
    const stream = await vllm.chat.completions.create({
      model: 'sim-1',
      stream: true,
      stream_options: options,
      messages: user('[simulate tokens=3]'),
    });
    const chunks = await collect(stream);
    expect(chunks.map((chunk) => chunk.usage?.completion_tokens)).toEqual([0, 1, 2, 3, 3, 3]);
    expect(chunks.every((chunk) => !('system_fingerprint' in chunk))).toBe(true);
  });

  it('needs no key and words its refusals in its own way', async () => {
    const answer = await rawRequest({
      port: simulator.port,
      path: '/vllm/v1/chat/completions',
      headers: [],
      body: { messages: [] },
    });
    expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { type: 'BadRequestError', code: 400 } });
  });
});

describe('Anthropic', () => {
  it('streams text with usage split over its first and last event', async () => {
    const stream = anthropic.messages.stream({
      model: 'sim-1',
      max_tokens: 100,
      messages: user('Hi [simulate tokens=5 prompt=20 cached=15]'),
    });
    const message = await stream.finalMessage();
    expect(message.content).toEqual([
      expect.objectContaining({ type: 'text', text: expect.stringMatching(/^\[simulated\]/) }),
    ]);
    expect(message.stop_reason).toBe('end_turn');
    expect(message.usage).toMatchObject({ input_tokens: 5, cache_read_input_tokens: 15, output_tokens: 5 });
  });

  it('thinks, signs its thoughts and then answers', async () => {
    const request = { model: 'sim-reasoner', max_tokens: 100, messages: user('Hi') };
    const streamed = await anthropic.messages.stream(request).finalMessage();
    const whole = await anthropic.messages.create(request);
    expect(streamed.content.map((block) => block.type)).toEqual(['thinking', 'text']);
    expect(streamed.content[0]).toHaveProperty('signature', expect.stringMatching(/./));
    expect(whole.content).toEqual(streamed.content);
  });

  it('calls tools as chosen', async () => {
    const request = {
      model: 'sim-1',
      max_tokens: 100,
      tools: [anthropicTool],
      messages: user('Weather? [simulate tools=2]'),
    };
    const message = await anthropic.messages.stream(request).finalMessage();
    const input = { city: 'simulated', days: 1 };
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content).toMatchObject([
      { type: 'tool_use', name: 'weather', input },
      { type: 'tool_use', name: 'weather', input },
    ]);
    const single = await anthropic.messages.create({
      ...request,
      tool_choice: { type: 'any', disable_parallel_tool_use: true },
    });
    expect(single.content).toHaveLength(1);
    const result = { type: 'tool_result' as const, tool_use_id: 'toolu_1', content: 'Rain' };
    const after = await anthropic.messages.create({ ...request, messages: [{ role: 'user', content: [result] }] });
    expect(after.stop_reason).toBe('end_turn');
  });

  it('stops at max_tokens', async () => {
    const answer = await anthropic.messages.create({ model: 'sim-1', max_tokens: 4, messages: user('Hi') });
    expect(answer.stop_reason).toBe('max_tokens');
  });

  it.each([
    ['a missing key', { headers: ['anthropic-version: 2023-06-01'] }, 401, 'authentication_error'],
    ['a wrong key', { headers: ['x-api-key: wrong', 'anthropic-version: 2023-06-01'] }, 401, 'authentication_error'],
    ['no version', { headers: ['x-api-key: key'] }, 400, 'invalid_request_error'],
    ['no max_tokens', { body: { max_tokens: undefined } }, 400, 'invalid_request_error'],
    ['a system message among the others', { body: { messages: [{ role: 'system' }] } }, 400, 'invalid_request_error'],
  ])('refuses %s', async (...[, request, status, type]) => {
    const answer = await rawRequest({ port: simulator.port, path: '/anthropic/v1/messages', ...request });
    expect(answer.statusLine).toContain(` ${status} `);
    expect(JSON.parse(answer.body.toString())).toMatchObject({ type: 'error', error: { type } });
  });
});

describe('every provider', () => {
  it('takes directives from the path, and those of the message before them', async () => {
    const path = '/sim/tokens=7,seed=3/openai/v1/chat/completions';
    const fromPath = await rawRequest({ port: simulator.port, path });
    const fromBoth = await rawRequest({ port: simulator.port, path, prompt: '[simulate tokens=9]' });
    // A role, the tokens, a finish reason and the terminator.
    expect(dataOf(fromPath.body)).toHaveLength(7 + 3);
    expect(dataOf(fromBoth.body)).toHaveLength(9 + 3);
    expect(simulator.requests.at(-1)?.directives).toMatchObject({ tokens: 9, seed: 3 });
  });

  it('gives the same bytes for the same seed and others for another', async () => {
    const [one, same, other] = await Promise.all(
      [5, 5, 6].map((seed) => rawRequest({ port: simulator.port, prompt: `[simulate seed=${seed}]` })),
    );
    expect(same?.body).toEqual(one?.body);
    expect(other?.body).not.toEqual(one?.body);
  });

  it('writes a whole answer in one chunk without pace, and the same bytes little by little with it', async () => {
    const burst = await rawRequest({ port: simulator.port, prompt: '[simulate tokens=5]' });
    expect(burst.chunks).toHaveLength(1);
    const paced = await rawRequest({ port: simulator.port, prompt: '[simulate tokens=5 pace=10]' });
    expect(paced.body).toEqual(burst.body);
    expect(paced.chunks.length).toBeGreaterThan(1);
    const groups = await rawRequest({ port: simulator.port, prompt: '[simulate tokens=5 pace=10 burst=6]' });
    expect(groups.body).toEqual(burst.body);
    expect(dataOf(groups.chunks[0] ?? burst.body)).toHaveLength(6);
  });

  it('logs what was asked, what was sent and how it ended', async () => {
    await rawRequest({ port: simulator.port, path: '/vllm/v1/chat/completions', prompt: '[simulate tokens=5]' });
    const entry = simulator.requests.at(-1);
    expect(entry).toMatchObject({
      path: '/vllm/v1/chat/completions',
      dialect: 'vllm',
      body: { model: 'sim-1' },
      status: 200,
      tokensSent: 5,
      outcome: 'answered',
    });
    expect(entry?.closedAtMs).toBeGreaterThan(entry?.receivedAtMs ?? Infinity);
  });

  it('notices a client that leaves, and how many tokens it had been sent', async () => {
    await rawRequest({ port: simulator.port, prompt: '[simulate tokens=1000 pace=20]', until: '"ulat"' });
    await expect.poll(() => simulator.requests.at(-1)?.outcome).toBe('client_closed');
    expect(simulator.requests.at(-1)?.tokensSent).toBeGreaterThanOrEqual(2);
    expect(simulator.requests.at(-1)?.tokensSent).toBeLessThan(1_000);
  });
});

describe('impose', () => {
  const statusOf = async (path: string, prompt?: string): Promise<string> =>
    (await rawRequest({ port: simulator.port, path, ...(prompt !== undefined && { prompt }) })).statusLine.slice(9, 12);
  const openaiPath = '/openai/v1/chat/completions';
  const vllmPath = '/vllm/v1/chat/completions';

  it('takes a provider down and up again, whatever path and message ask for', async () => {
    simulator.impose('/openai', 'status=503');
    expect(await statusOf(openaiPath)).toBe('503');
    expect(await statusOf(`/sim/status=429/${openaiPath.slice(1)}`, '[simulate status=500 times=1]')).toBe('503');
    expect(simulator.requests.at(-1)).toMatchObject({ outcome: 'answered', directives: { status: 503 } });
    expect(await statusOf(vllmPath)).toBe('200');
    simulator.impose('/openai', undefined);
    expect(await statusOf(openaiPath)).toBe('200');
  });

  it('holds for the longest prefix, and counts anew each time', async () => {
    const labelled = `/sim/label=b${vllmPath}`;
    simulator.impose('/vllm', 'status=502');
    simulator.impose('/sim/label=b/vllm', 'status=503 times=1');
    expect([await statusOf(labelled), await statusOf(labelled), await statusOf(vllmPath)]).toEqual([
      '503',
      '200',
      '502',
    ]);
    simulator.impose('/sim/label=b/vllm', 'status=503 times=1');
    expect(await statusOf(labelled)).toBe('503');
    simulator.impose('/sim/label=b/vllm', undefined);
    expect(await statusOf(labelled)).toBe('502');
    simulator.impose('/vllm', undefined);
  });

  it('refuses what it does not know at once', () => {
    expect(() => simulator.impose('/openai', 'stauts=503')).toThrow('unknown directive');
  });
});

describe('close', () => {
  it('leaves neither sockets nor timers behind', async () => {
    const doomed = await startSimulator();
    const cut = rawRequest({ port: doomed.port, prompt: '[simulate tokens=1000 pace=20]' });
    await expect.poll(() => doomed.activeStreams).toBe(1);
    await doomed.close();
    expect((await cut).end).not.toBe('whole');
    expect(doomed.requests[0]?.outcome).toBe('shutdown');
    expect(doomed.openSockets).toBe(0);
    await expect(rawRequest({ port: doomed.port })).rejects.toThrow('ECONNREFUSED');
  });
});
