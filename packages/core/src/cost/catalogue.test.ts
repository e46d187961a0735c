import { findProvider } from '@pydantic/genai-prices';
import { describe, expect, test } from 'vitest';
import { findCatalogPrice, findCatalogWindow } from './catalogue.ts';

const AT = new Date('2026-11-20T12:00:00Z');

test('finds a list price, exact to the nano, with its cache rates', () => {
  expect(findCatalogPrice('anthropic', 'claude-haiku-4-5', AT)).toMatchObject({
    input: 1_000_000_000n,
    output: 5_000_000_000n,
    cachedInput: 100_000_000n,
    cacheWrite: 1_250_000_000n,
    cacheWrite1h: 2_000_000_000n,
    reasoning: 5_000_000_000n,
  });
  expect(findCatalogPrice('openai', 'gpt-4o', AT)).toMatchObject({
    input: 2_500_000_000n,
    cachedInput: 1_250_000_000n,
    cacheWrite: 2_500_000_000n,
  });
});

test('finds a dated name of a model', () => {
  const dated = findCatalogPrice('anthropic', 'claude-sonnet-4-20250514', AT);
  expect(dated?.version).toBe('3/0.3/3.75/6/15/15');
});

test('takes the price that was in force at the time', () => {
  expect(findCatalogPrice('openai', 'o3', new Date('2025-06-01T00:00:00Z'))?.input).toBe(10_000_000_000n);
  expect(findCatalogPrice('openai', 'o3', AT)?.input).toBe(2_000_000_000n);
});

test('finds the price of embeddings, which have no output', () => {
  expect(findCatalogPrice('openai', 'text-embedding-3-large', AT)).toMatchObject({ input: 130_000_000n, output: 0n });
});

test('finds the tiers of long prompts', () => {
  expect(findCatalogPrice('anthropic', 'claude-sonnet-4-5', AT)?.version).toBe(
    '3/0.3/3.75/6/15/15 >200000:6/0.6/7.5/12/22.5/22.5',
  );
  // "From 272K tokens on" is above one token less
  expect(findCatalogPrice('openai', 'gpt-5.5', AT)?.version).toBe('5/0.5/5/5/30/30 >271999:10/1/10/10/45/45');
});

test('bills no write for an hour too little: whatever of Anthropic has cache writes lists both', () => {
  const models = findProvider({ providerId: 'anthropic' })?.models ?? [];
  for (const { id } of models) {
    const { input = 0n, cacheWrite = 0n, cacheWrite1h } = findCatalogPrice('anthropic', id, AT) ?? {};
    if (cacheWrite > input) expect(cacheWrite1h, id).toBe(2n * input);
  }
});

test('finds the context window', () => {
  expect(findCatalogWindow('openai', 'gpt-4o-2024-08-06')).toBe(128_000);
  expect(findCatalogWindow('openai', 'no-such-model')).toBeUndefined();
  expect(findCatalogWindow('vllm', 'gpt-4o')).toBeUndefined();
});

describe('has no price', () => {
  test.each([
    ['openai', 'no-such-model', 'an unknown model'],
    ['anthropic', 'gpt-4o', 'a model of somebody else'],
    ['openai', 'gpt-audio', 'a price for audio'],
    ['openai', 'gpt-image-2', 'a price for pictures'],
    ['vllm', 'gpt-4o', 'a server of one’s own'],
  ] as const)('for %s %s: %s', (type, model, _why) => {
    expect(findCatalogPrice(type, model, AT)).toBeUndefined();
  });
});

test('every entry of the catalogue is either a price or none, never an error', () => {
  for (const type of ['openai', 'anthropic'] as const) {
    const models = findProvider({ providerId: type })?.models ?? [];
    const priced = models.filter(({ id }) => findCatalogPrice(type, id, AT) !== undefined);
    expect(priced.length).toBeGreaterThan(15);
  }
});
