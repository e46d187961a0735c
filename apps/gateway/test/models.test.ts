import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, startTestGateway, type TestGateway } from './test-gateway.ts';

const CONFIG = `
providers:
  - { id: openai, type: openai, base_url: "\${SIMULATOR}/openai/v1", api_key: sk-simulated, allow_private: true }
models:
  - id: gpt/large
    context_window: 128000
    max_output_tokens: 16384
    deployments: [{ provider: openai, model: gpt-4 }]
    price: { input: "2.50", output: "10", cached_input: "1.25", tiers: [{ above_input_tokens: 200000, input: "5", output: "20" }] }
    capabilities: [images, tools]
  - { id: free, deployments: [{ provider: openai, model: gpt-4 }], price: free }
  - { id: hidden, deployments: [{ provider: openai, model: gpt-4 }], price: free }
  - { id: third, deployments: [{ provider: openai, model: gpt-4 }], price: free, capabilities: [documents, structured_output, reasoning] }
  - { id: embed, kind: embedding, deployments: [{ provider: openai, model: e }], price: { input: "0.02", output: "0" } }
keys:
  - { id: test, key: "\${KEY}", models: [gpt/large, free, third, embed], org: acme }
`;

let hub: TestGateway;
beforeAll(async () => {
  hub = await startTestGateway({ config: CONFIG });
});
afterAll(() => hub.close());

describe('the official openai package', () => {
  const createClient = () => new OpenAI({ apiKey: KEY, baseURL: `${hub.url}/v1`, maxRetries: 0 });

  it('lists the models open to the key', async () => {
    const ids: string[] = [];
    for await (const { id } of createClient().models.list()) ids.push(id);
    expect(ids).toEqual(['gpt/large', 'free', 'third', 'embed']);
  });

  it('finds one, with all that it costs and can do', async () => {
    expect(await createClient().models.retrieve('gpt/large')).toEqual({
      id: 'gpt/large',
      object: 'model',
      created: 0,
      owned_by: 'openai',
      kind: 'chat',
      context_length: 128_000,
      max_model_len: 128_000,
      max_output_tokens: 16_384,
      weight: 5,
      pricing: {
        prompt: '0.0000025',
        completion: '0.00001',
        input_cache_read: '0.00000125',
        input_cache_write: '0.0000025',
        input_cache_write_1h: '0.0000025',
        internal_reasoning: '0.00001',
        tiers: [
          {
            above_input_tokens: 200_000,
            prompt: '0.000005',
            completion: '0.00002',
            input_cache_read: '0.000005',
            input_cache_write: '0.000005',
            input_cache_write_1h: '0.000005',
            internal_reasoning: '0.00002',
          },
        ],
      },
      capabilities: ['images', 'tools'],
    });
    expect(await createClient().models.retrieve('embed')).toMatchObject({
      kind: 'embedding',
      context_length: null,
      pricing: { prompt: '0.00000002', completion: '0' },
      capabilities: null,
    });
  });

  it('does not find one that is not open to the key', async () => {
    await expect(createClient().models.retrieve('hidden')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });
});

describe.each(['', '/anthropic'])('the official @anthropic-ai/sdk package at "%s"', (path) => {
  const createClient = () => new Anthropic({ apiKey: KEY, baseURL: hub.url + path, maxRetries: 0 });

  it('lists the models for chat, over several pages', async () => {
    const ids: string[] = [];
    for await (const { id } of createClient().models.list({ limit: 2 })) ids.push(id);
    expect(ids).toEqual(['gpt/large', 'free', 'third']);
  });

  it('turns pages both ways', async () => {
    const { models } = createClient();
    expect(await models.list({ limit: 2 })).toMatchObject({ has_more: true, first_id: 'gpt/large', last_id: 'free' });
    expect(await models.list({ limit: 1, after_id: 'free' })).toMatchObject({ has_more: false, first_id: 'third' });
    expect(await models.list({ limit: 1, before_id: 'third' })).toMatchObject({ has_more: true, first_id: 'free' });
    expect(await models.list({ after_id: 'third' })).toMatchObject({ has_more: false, first_id: null, data: [] });
  });

  it('finds one, with all that the package knows of a model and what it costs', async () => {
    const yes = { supported: true };
    const no = { supported: false };
    const model: Anthropic.ModelInfo = {
      type: 'model',
      id: 'gpt/large',
      display_name: 'gpt/large',
      created_at: '1970-01-01T00:00:00Z',
      max_input_tokens: 128_000,
      max_tokens: 16_384,
      lifecycle: 'active',
      deprecated_at: null,
      retires_at: null,
      line: null,
      capabilities: {
        batch: no,
        citations: no,
        code_execution: no,
        context_management: {
          ...no,
          clear_thinking_20251015: no,
          clear_tool_uses_20250919: no,
          compact_20260112: no,
        },
        effort: { ...no, low: no, medium: no, high: no, xhigh: no, max: no },
        image_input: yes,
        pdf_input: no,
        server_tools: { ...no, code_execution: no, web_search: no },
        structured_outputs: no,
        thinking: { ...no, types: { adaptive: no, between_tools: no, disabled: yes, enabled: no } },
      },
    };
    expect(await createClient().models.retrieve('gpt/large')).toEqual({
      ...model,
      pricing: expect.objectContaining({
        prompt: '0.0000025',
        tiers: [expect.objectContaining({ prompt: '0.000005' })],
      }),
    });
  });

  it('is told what a model can do', async () => {
    const { capabilities } = await createClient().models.retrieve('third');
    expect(capabilities).toMatchObject({
      image_input: { supported: false },
      pdf_input: { supported: true },
      structured_outputs: { supported: true },
      effort: { supported: true, low: { supported: true }, max: { supported: true } },
      thinking: { supported: true, types: { adaptive: { supported: true }, enabled: { supported: true } } },
    });
  });

  it('is told nothing of what is not known', async () => {
    expect(await createClient().models.retrieve('free')).toMatchObject({
      max_input_tokens: null,
      max_tokens: null,
      capabilities: null,
      pricing: { prompt: '0', completion: '0' },
    });
  });

  it('gets its own errors', async () => {
    const { models } = createClient();
    for (const id of ['hidden', 'embed']) {
      await expect(models.retrieve(id)).rejects.toMatchObject({
        status: 404,
        error: { type: 'error', error: { type: 'not_found_error' } },
      });
    }
    await expect(models.list({ limit: 0 })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await expect(models.list({ after_id: 'nobody' })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await expect(models.list({ after_id: 'free', before_id: 'free' })).rejects.toThrow('after_id');
    const stranger = new Anthropic({ apiKey: 'tokenhub_nobody-0123456789', baseURL: hub.url, maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toMatchObject({ error: { type: 'error' } });
  });
});

it('answers without the header as OpenAI does, errors too', async () => {
  const response = await hub.get('/v1/models/hidden');
  expect(response.status).toBe(404);
  expect(await response.json()).toMatchObject({ error: { reason: 'model_not_found' } });
});
