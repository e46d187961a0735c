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

describe('embeddings', () => {
  const model = 'sim-embedding';

  it('are vectors of length 1, the same for the same input, floats or base64', async () => {
    const input = ['one', 'two', 'one'];
    const floats = await openai.embeddings.create({ model, input, encoding_format: 'float' });
    const vectors = floats.data.map(({ embedding }) => embedding);
    expect(floats.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(vectors[0]).toHaveLength(8);
    expect(Math.hypot(...(vectors[0] ?? []))).toBeCloseTo(1, 5);
    expect(vectors[2]).toEqual(vectors[0]);
    expect(vectors[1]).not.toEqual(vectors[0]);
    // Without a format the official client asks for base64 and reads it.
    const decoded = await openai.embeddings.create({ model, input });
    expect(simulator.requests.at(-1)?.body).toMatchObject({ encoding_format: 'base64' });
    expect(decoded.data.map(({ embedding }) => [...embedding])).toEqual(vectors);
  });

  it('take texts and tokens, and count them', async () => {
    const ask = (input: string | number[] | number[][]) => openai.embeddings.create({ model, input, dimensions: 3 });
    expect(await ask('eight ch')).toMatchObject({ usage: { prompt_tokens: 2, total_tokens: 2 } });
    expect(await ask([1, 2, 3])).toMatchObject({ usage: { prompt_tokens: 3 }, data: [{ index: 0 }] });
    const lists = await ask([[1, 2], [3]]);
    expect(lists).toMatchObject({ usage: { prompt_tokens: 3 }, data: [{ index: 0 }, { index: 1 }] });
    expect(lists.data[0]?.embedding).toHaveLength(3);
    expect(await ask('[simulate prompt=7]')).toMatchObject({ usage: { prompt_tokens: 7 } });
  });

  it('heed directives in any of their inputs', async () => {
    const input = ['first', '[simulate status=503]'];
    await expect(openai.embeddings.create({ model, input })).rejects.toMatchObject({ status: 503 });
    await expect(vllm.embeddings.create({ model, input: '[simulate fault=reset]' })).rejects.toThrow(
      /[Cc]onnection|terminated/,
    );
  });

  it('are also spoken by vLLM', async () => {
    const answer = await vllm.embeddings.create({ model, input: 'Hi' });
    expect(answer).toMatchObject({
      id: expect.stringMatching(/^embd-/),
      object: 'list',
      usage: { completion_tokens: 0 },
    });
  });

  it.each([
    [{ input: undefined }],
    [{ input: [] }],
    [{ input: '' }],
    [{ input: [{}] }],
    [{ model: undefined }],
    [{ dimensions: 0 }],
    [{ dimensions: 1e9 }],
    [{ encoding_format: 'hex' }],
  ])('refuse %j', async (wrong) => {
    const body = { model, input: 'Hi', ...wrong };
    await expect(openai.post('/embeddings', { body })).rejects.toMatchObject({
      status: 400,
      type: 'invalid_request_error',
    });
    await expect(vllm.post('/embeddings', { body })).rejects.toMatchObject({ status: 400, type: 'BadRequestError' });
  });
});

describe('count_tokens', () => {
  it('counts as the usage of the message does', async () => {
    const request = {
      model: 'sim-1',
      system: 'Be brief',
      messages: [{ role: 'user' as const, content: 'Hello there' }],
    };
    const { input_tokens: counted } = await anthropic.messages.countTokens(request);
    const message = await anthropic.messages.create({ ...request, max_tokens: 1 });
    expect(counted).toBe(5);
    expect(message.usage.input_tokens).toBe(counted);
  });

  it('heeds directives and refuses what is wrong', async () => {
    const counted = await anthropic.messages.countTokens({
      model: 'sim-1',
      messages: [{ role: 'user', content: '[simulate prompt=123]' }],
    });
    expect(counted.input_tokens).toBe(123);
    await expect(anthropic.messages.countTokens({ model: 'sim-1', messages: [] })).rejects.toMatchObject({
      status: 400,
    });
  });
});

describe('models', () => {
  it('are listed as each provider lists them', async () => {
    expect((await openai.models.list()).data[0]).toEqual({
      id: 'sim-1',
      object: 'model',
      created: expect.any(Number),
      owned_by: 'simulator',
    });
    expect((await vllm.models.list()).data[0]).toMatchObject({ owned_by: 'vllm', max_model_len: 8_192 });
    const page = await anthropic.models.list();
    expect(page).toMatchObject({ has_more: false, first_id: 'sim-1', last_id: 'sim-reasoner' });
    expect(page.data[0]).toMatchObject({
      type: 'model',
      id: 'sim-1',
      display_name: 'Simulated 1',
      created_at: '2025-10-09T08:53:20Z',
    });
  });

  it('need a key, and fail when the provider does', async () => {
    expect((await fetch(`${simulator.url}/openai/v1/models`)).status).toBe(401);
    simulator.impose('/openai', 'status=503');
    await expect(openai.models.list()).rejects.toMatchObject({ status: 503 });
    simulator.impose('/openai', undefined);
    expect((await fetch(`${simulator.url}/openai/v1/models`, { method: 'POST' })).status).toBe(404);
  });
});

describe('logprobs of chat completions', () => {
  const request = { model: 'sim-1', messages: [{ role: 'user' as const, content: '[simulate tokens=3]' }] };

  it.each(['openai', 'vllm'])('are told by %s when asked for', async (provider) => {
    const client = provider === 'openai' ? openai : vllm;
    const wanted = { ...request, logprobs: true, top_logprobs: 2, n: 2 };
    const whole = await client.chat.completions.create(wanted);
    expect(whole.choices).toHaveLength(2);
    const content = whole.choices[1]?.logprobs?.content;
    expect(content?.map(({ token }) => token)).toEqual(['[sim', 'ulat', 'ed]']);
    expect(content?.[0]).toMatchObject({ bytes: [...Buffer.from('[sim')], top_logprobs: [{ token: '[sim' }, {}] });
    const streamed = await client.chat.completions.stream(wanted).finalChatCompletion();
    expect(streamed.choices[0]?.logprobs?.content).toEqual(content);
    expect((await client.chat.completions.create(request)).choices[0]?.logprobs).toBeNull();
  });

  it('refuses top_logprobs alone and too many of them', async () => {
    const alone = openai.chat.completions.create({ ...request, top_logprobs: 2 });
    await expect(alone).rejects.toMatchObject({ status: 400, param: 'top_logprobs' });
    const many = openai.chat.completions.create({ ...request, logprobs: true, top_logprobs: 21 });
    await expect(many).rejects.toMatchObject({ status: 400, param: 'top_logprobs' });
  });
});

describe('messages', () => {
  it('sign their thoughts when thinking is enabled', async () => {
    const running = anthropic.messages.stream({
      model: 'sim-1',
      max_tokens: 2_000,
      thinking: { type: 'enabled', budget_tokens: 1_024 },
      messages: [{ role: 'user', content: 'Hi' }],
    });
    const deltas: string[] = [];
    running.on('streamEvent', (event) => {
      if (event.type === 'content_block_delta') deltas.push(event.delta.type);
    });
    const message = await running.finalMessage();
    expect(deltas.slice(15, 18)).toEqual(['thinking_delta', 'signature_delta', 'text_delta']);
    expect(message.content[0]).toMatchObject({ type: 'thinking', signature: expect.stringMatching(/./) });
  });

  it('take images and documents', async () => {
    const message = await anthropic.messages.create({
      model: 'sim-1',
      max_tokens: 100,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AA==' } },
            { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AA==' } },
            { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Hi' } },
            { type: 'text', text: 'What is it?' },
          ],
        },
      ],
    });
    expect(message.stop_reason).toBe('end_turn');
  });
});
