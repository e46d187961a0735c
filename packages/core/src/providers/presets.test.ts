import { describe, expect, test } from 'vitest';
import type { ChatRequest } from '../chat/chat-request.ts';
import { anthropicDialect } from '../dialects/anthropic/anthropic-dialect.ts';
import type { WrittenRequest } from '../dialects/dialect.ts';
import { createProvider, type PresetOptions } from './create-provider.ts';
import { staticCredential } from './credential.ts';
import type { HttpAnswer, HttpRequest } from './http-client.ts';
import { API_NAMES, type Preset } from './preset.ts';
import { PRESET_NAMES, PRESETS, type PresetName } from './presets.ts';
import { endpointFor, type Provider } from './provider.ts';

const ANSWER: HttpAnswer = {
  status: 200,
  headers: {},
  body: new ReadableStream<Uint8Array>(),
  discard: () => {},
  abort: () => {},
};

/** A provider of a preset at the given address or its own, with all that it sends. */
function create(name: PresetName | Preset, options: { baseUrl?: string; apis?: PresetOptions['apis'] } = {}) {
  const sent: HttpRequest[] = [];
  const preset = typeof name === 'string' ? PRESETS[name] : name;
  const address = options.baseUrl ?? preset.baseUrl ?? 'https://own.test/v1';
  const provider = createProvider(name, {
    id: 'p',
    baseUrl: new URL(`${address}/`),
    apis: options.apis,
    credential: staticCredential('secret', () => 0),
    timeouts: { firstEventMs: 1, wholeAnswerMs: 1, progressMs: 1 },
    http: {
      post: (request) => {
        sent.push(request);
        return Promise.resolve(ANSWER);
      },
    },
  });
  return { provider, sent };
}

/** What each of the provider's APIs is sent to, as `POST` of its address. */
async function addressesOf(provider: Provider, sent: readonly HttpRequest[]): Promise<string[]> {
  const { signal } = new AbortController();
  for (const endpoint of provider.endpoints) {
    await endpoint.open({ secret: { text: 'key' }, body: '{}', requestId: 'r', signal, headersTimeoutMs: 1 });
  }
  return sent.map(({ url }) => url.href);
}

/** Only the headers that say who we are and which version we speak. */
function namingHeaders({ headers }: HttpRequest): object {
  const names = ['authorization', 'api-key', 'x-api-key', 'anthropic-version'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));
}

/** A request of Anthropic's messages with what providers differ in. */
const REQUEST: ChatRequest = anthropicDialect.readRequest({
  model: 'm',
  max_tokens: 2000,
  stream: true,
  top_k: 40,
  thinking: { type: 'enabled', budget_tokens: 1500 },
  tools: [{ name: 'look', input_schema: { type: 'object' } }],
  tool_choice: { type: 'any' },
  metadata: { user_id: 'ada' },
  messages: [
    { role: 'user', content: [{ type: 'text', text: 'Look', cache_control: { type: 'ephemeral' } }] },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm', signature: 's' },
        { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'Seen' }] },
  ],
});

/** The request as it is written into the provider's first API. */
function write(name: PresetName, request: ChatRequest = REQUEST): WrittenRequest {
  const { endpoints, quirks } = create(name).provider;
  return endpoints[0].dialect.writeRequest(request, { model: 'm', quirks });
}

/** What the preset's requests say otherwise than OpenAI's. */
function differences(name: PresetName): object {
  const { stream_options: _, ...usual } = write('openai').body;
  const { body } = write(name);
  const others = Object.entries(body).filter(([member, value]) => {
    return member !== 'messages' && JSON.stringify(value) !== JSON.stringify({ ...usual }[member]);
  });
  return Object.fromEntries(others.filter(([member]) => member !== 'stream_options'));
}

describe('each preset is asked at these addresses, the preferred API first', () => {
  const EXPECTED: Readonly<Record<PresetName, readonly [string, ...string[]]>> = {
    openai: ['https://api.openai.com/v1/', 'chat/completions', 'responses', 'embeddings'],
    'azure-openai': ['https://own.test/v1/', 'chat/completions', 'responses', 'embeddings'],
    anthropic: ['https://api.anthropic.com/', 'v1/messages'],
    vllm: ['https://own.test/v1/', 'chat/completions', 'embeddings'],
    deepseek: ['https://api.deepseek.com/', 'v1/chat/completions', 'anthropic/v1/messages'],
    mistral: ['https://api.mistral.ai/v1/', 'chat/completions', 'embeddings'],
    groq: ['https://api.groq.com/openai/v1/', 'chat/completions', 'responses'],
    xai: ['https://api.x.ai/v1/', 'chat/completions', 'responses'],
    openrouter: ['https://openrouter.ai/api/v1/', 'chat/completions', 'responses', 'messages', 'embeddings'],
    together: ['https://api.together.xyz/v1/', 'chat/completions', 'embeddings'],
    fireworks: ['https://api.fireworks.ai/inference/v1/', 'chat/completions', 'embeddings'],
    ollama: ['http://localhost:11434/v1/', 'chat/completions', 'messages', 'embeddings'],
    llamacpp: ['http://localhost:8080/v1/', 'chat/completions', 'messages', 'embeddings'],
    'nvidia-nim': ['https://integrate.api.nvidia.com/v1/', 'chat/completions', 'embeddings'],
  };

  test.each(PRESET_NAMES)('%s', async (name) => {
    const [origin, ...paths] = EXPECTED[name];
    const { provider, sent } = create(name);
    expect(await addressesOf(provider, sent)).toEqual(paths.map((path) => origin + path));
  });

  test('DeepSeek behind a path keeps its two APIs side by side', async () => {
    const { provider, sent } = create('deepseek', { baseUrl: 'https://proxy.test/deepseek/v1' });
    expect(await addressesOf(provider, sent)).toEqual([
      'https://proxy.test/deepseek/v1/chat/completions',
      'https://proxy.test/deepseek/anthropic/v1/messages',
    ]);
  });
});

describe('the key stands in', () => {
  test.each<[PresetName, object]>([
    ...PRESET_NAMES.filter((name) => name !== 'azure-openai' && name !== 'anthropic').map(
      (name): [PresetName, object] => [name, { authorization: 'Bearer key' }],
    ),
    ['azure-openai', { 'api-key': 'key' }],
    ['anthropic', { 'x-api-key': 'key', 'anthropic-version': '2023-06-01' }],
  ])('the header of %s', async (name, headers) => {
    const { provider, sent } = create(name);
    await addressesOf(provider, sent);
    expect(sent.map(namingHeaders)[0]).toEqual(headers);
  });

  test('the header of the provider in its messages API too, with the version of that API', async () => {
    const { provider, sent } = create('openrouter', { apis: ['messages'] });
    await addressesOf(provider, sent);
    expect(sent.map(namingHeaders)).toEqual([{ authorization: 'Bearer key', 'anthropic-version': '2023-06-01' }]);
  });
});

describe('a request of another dialect is written', () => {
  test('for Mistral with its words, without what it refuses, and with ids of nine characters', () => {
    const { body, losses } = write('mistral');
    expect(body).toMatchObject({ max_tokens: 2000, tool_choice: 'any' });
    for (const member of ['stream_options', 'user', 'max_completion_tokens', 'top_k']) {
      expect(body).not.toHaveProperty(member);
    }
    const { messages } = body as { messages: { tool_calls?: { id: string }[]; tool_call_id?: string }[] };
    const id = messages[1]?.tool_calls?.[0]?.id;
    expect(id).toMatch(/^[A-Za-z0-9]{9}$/);
    expect(messages[2]?.tool_call_id).toBe(id);
    expect(losses.map(({ path }) => path)).toContain('top_k');
  });

  test('for DeepSeek with thinking, and with the thoughts of earlier turns', () => {
    expect(differences('deepseek')).toEqual({ max_tokens: 2000, thinking: { type: 'enabled' } });
    expect(write('deepseek').body).toMatchObject({ messages: [{}, { reasoning_content: 'Hm' }, {}] });
    const without = { ...REQUEST, reasoning: { budgetTokens: 0 } };
    expect(write('deepseek', without).body).toMatchObject({ thinking: { type: 'disabled' } });
  });

  test('for OpenRouter with a budget of reasoning, the signed thoughts, the marks of the cache, and top_k', () => {
    const { body, losses } = write('openrouter');
    expect(losses).toEqual([]);
    expect(differences('openrouter')).toEqual({ top_k: 40, reasoning: { max_tokens: 1500 } });
    expect(body).toMatchObject({
      messages: [
        { content: [{ type: 'text', text: 'Look', cache_control: { type: 'ephemeral' } }] },
        { reasoning_details: [{ text: 'Hm', signature: 's' }] },
        {},
      ],
    });
  });

  test.each<[PresetName, object]>([
    ['azure-openai', {}],
    ['vllm', { top_k: 40 }],
    ['groq', {}],
    ['xai', {}],
    ['together', { max_tokens: 2000, top_k: 40 }],
    ['fireworks', { max_tokens: 2000, top_k: 40 }],
    ['ollama', { max_tokens: 2000 }],
    ['llamacpp', { max_tokens: 2000, top_k: 40 }],
    ['nvidia-nim', { max_tokens: 2000 }],
  ])('for %s with these differences from OpenAI', (name, expected) => {
    expect(differences(name)).toEqual(expected);
    expect(write(name).body).toMatchObject({ stream_options: { include_usage: true } });
  });

  test.each<[PresetName, object]>([
    ['vllm', { reasoning: 'Hm' }],
    ['groq', { reasoning: 'Hm' }],
    ['ollama', { reasoning: 'Hm' }],
    ['fireworks', { reasoning_content: 'Hm' }],
    ['llamacpp', { reasoning_content: 'Hm' }],
  ])('for %s with the thoughts of earlier turns', (name, expected) => {
    expect(write(name).body).toMatchObject({ messages: [{}, expected, {}] });
  });

  test.each<[PresetName, readonly string[]]>([
    ['groq', ['logprobs', 'top_logprobs', 'n']],
    ['together', ['logprobs', 'top_logprobs']],
    ['mistral', ['logprobs', 'top_logprobs', 'verbosity']],
    ['fireworks', ['verbosity']],
  ])('for %s without the members that it refuses, which count as lost', (name, refused) => {
    const request = { ...REQUEST, choices: 2, logprobs: 3, openai: { verbosity: 'low' } };
    const { body, losses } = write(name, request);
    for (const member of refused) expect(body).not.toHaveProperty(member);
    expect(losses.map(({ path }) => path)).toEqual(expect.arrayContaining([...refused]));
  });

  test('for Anthropic in its own dialect, as it would be without a preset', () => {
    expect(write('anthropic')).toEqual(anthropicDialect.writeRequest(REQUEST, { model: 'm' }));
  });
});

describe('a server that offers other APIs than its preset', () => {
  test('is asked for those alone, the first of them for all other dialects', () => {
    const { provider } = create('vllm', { apis: ['messages', 'chat'] });
    expect(provider.endpoints.map(({ dialect }) => dialect.name)).toEqual(['anthropic', 'openai']);
    expect(endpointFor(provider, 'responses').dialect.name).toBe('anthropic');
    expect(endpointFor(provider, 'openai').dialect.name).toBe('openai');
  });

  test('may have a preset of its own', async () => {
    const preset: Preset = {
      needsKey: true,
      keyHeader: 'api-key',
      apis: ['chat'],
      paths: { chat: 'talk' },
      quirks: { topK: true },
      docs: 'https://own.test/docs',
    };
    const { provider, sent } = create(preset);
    expect(provider.quirks).toEqual({ topK: true });
    expect(await addressesOf(provider, sent)).toEqual(['https://own.test/v1/talk']);
    expect(sent.map(namingHeaders)).toEqual([{ 'api-key': 'key' }]);
  });
});

test('every preset names known APIs, each once, and says where all this is from', () => {
  for (const { apis, docs, baseUrl } of Object.values(PRESETS)) {
    expect(new Set(apis).size).toBe(apis.length);
    expect(API_NAMES).toEqual(expect.arrayContaining([...apis]));
    expect(docs).toMatch(/^https:\/\//);
    expect(baseUrl ?? '').not.toMatch(/\/$/);
  }
});
