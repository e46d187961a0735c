import { PRESET_NAMES } from '@tokenhub/core';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import type { ProviderConfig } from './config.ts';
import { loadConfig } from './load-config.ts';

/** A configuration of one provider with these fields besides its id, and a model that it serves for nothing. */
function text(provider: string, { model = 'm', price = ', price: free' } = {}): string {
  return `providers: [{ id: p, ${provider} }]
models: [{ id: m, deployments: [{ provider: p, model: "${model}" }]${price} }]`;
}

function load(provider: string): ProviderConfig | undefined {
  return loadConfig(text(provider), { env: {}, fileName: 'tokenhub.yaml' }).providers[0];
}

function problemsOf(provider: string): string[] {
  try {
    load(provider);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
  return [];
}

function priceOf(provider: string, model: string) {
  return loadConfig(text(provider, { model, price: '' }), { env: {}, fileName: 'tokenhub.yaml' }).models[0]?.price;
}

describe('the type of a provider', () => {
  test.each(PRESET_NAMES)('may be %s', (type) => {
    const provider = load(`type: ${type}, api_key: x, base_url: "https://llm.example.com"`);
    expect(provider?.type).toBe(type);
    expect(provider?.baseUrl.href).toBe(`https://llm.example.com/${type === 'anthropic' ? '' : 'v1/'}`);
  });

  test.each([
    ['mistral', 'https://api.mistral.ai/v1/'],
    ['groq', 'https://api.groq.com/openai/v1/'],
    ['openrouter', 'https://openrouter.ai/api/v1/'],
    ['fireworks', 'https://api.fireworks.ai/inference/v1/'],
    ['anthropic', 'https://api.anthropic.com/'],
  ])('gives %s its public address', (type, address) => {
    expect(load(`type: ${type}, api_key: x`)?.baseUrl.href).toBe(address);
  });

  test.each([
    ['ollama', 'http://localhost:11434/v1/'],
    ['llamacpp', 'http://localhost:8080/v1/'],
  ])('gives %s its address on this machine, which allow_private must permit', (type, address) => {
    expect(load(`type: ${type}, allow_private: true`)?.baseUrl.href).toBe(address);
    expect(problemsOf(`type: ${type}`)).toEqual([
      'providers[0].base_url is on loopback or in a private range; if that is meant, say allow_private: true',
    ]);
  });

  test.each(['azure-openai', 'vllm'])('%s has no address of its own', (type) => {
    expect(problemsOf(`type: ${type}, api_key: x`)).toEqual([
      `providers[0].base_url is required, since ${type} has no public address`,
    ]);
  });

  test('takes Azure’s address with the path under which its API is', () => {
    const provider = load('type: azure-openai, api_key: x, base_url: "https://me.openai.azure.com/openai/v1/"');
    expect(provider?.baseUrl.href).toBe('https://me.openai.azure.com/openai/v1/');
  });
});

describe('a key', () => {
  test.each(['openai', 'azure-openai', 'mistral', 'groq', 'xai', 'openrouter', 'together', 'fireworks', 'deepseek'])(
    'is required by %s wherever it is',
    (type) => {
      expect(problemsOf(`type: ${type}, base_url: "https://llm.example.com"`)).toEqual([
        `providers[0].api_key is required, since ${type} serves nobody without; or give credentials`,
      ]);
    },
  );

  test.each(['vllm', 'ollama', 'llamacpp', 'nvidia-nim'])('is not required by a server of one’s own: %s', (type) => {
    expect(load(`type: ${type}, base_url: "https://llm.example.com"`)?.apiKey).toBeUndefined();
  });

  test('is required by NVIDIA’s public address', () => {
    expect(problemsOf('type: nvidia-nim')).toEqual([
      'providers[0].api_key is required, since nvidia-nim serves nobody without; or give credentials',
    ]);
    expect(load('type: nvidia-nim, api_key: x')?.baseUrl.href).toBe('https://integrate.api.nvidia.com/v1/');
  });
});

describe('the APIs of a provider', () => {
  const SERVER = 'type: vllm, base_url: "https://llm.example.com"';

  test('are those of its type unless it says otherwise', () => {
    expect(load(SERVER)?.apis).toBeUndefined();
    expect(load(`${SERVER}, apis: [messages, chat]`)?.apis).toEqual(['messages', 'chat']);
  });

  test('are known ones, at least one', () => {
    expect(problemsOf(`${SERVER}, apis: []`)).toEqual(['providers[0].apis must have at least one entry']);
    expect(problemsOf(`${SERVER}, apis: [chat, completions]`)).toEqual([
      'providers[0].apis[1] must be one of chat, messages, responses, embeddings',
    ]);
    expect(problemsOf(`${SERVER}, apis: chat`)).toEqual(['providers[0].apis must be a list, is text']);
  });
});

describe('the list price', () => {
  test.each([
    ['openai', 'gpt-4o'],
    ['anthropic', 'claude-haiku-4-5'],
    ['mistral', 'mistral-large'],
    ['groq', 'gemma2-9b-it'],
    ['deepseek', 'deepseek-chat'],
    ['azure-openai', 'o3-mini'],
    ['xai', 'grok-3'],
    ['openrouter', '01-ai/yi-large'],
    ['fireworks', 'accounts/fireworks/models/deepseek-v3p2'],
    ['together', 'Austism/chronos-hermes-13b'],
  ])('of %s is in the catalogue: %s', (type, model) => {
    expect(priceOf(`type: ${type}, api_key: x, base_url: "https://llm.example.com"`, model)?.input).toBeGreaterThan(0n);
  });

  test('is nobody’s where a server of one’s own serves the model', () => {
    expect(() => priceOf('type: ollama, allow_private: true', 'gpt-4o')).toThrow('models[0].price is required');
  });
});
