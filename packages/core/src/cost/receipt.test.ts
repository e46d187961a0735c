import { expect, test } from 'vitest';
import { plainCost } from './__fixtures__/plain-cost.ts';
import { parsePrice } from './parse-price.ts';
import { createReceipt } from './receipt.ts';

test('a receipt holds the settled counts, their cost, and whether any of it is an estimate', () => {
  const evidence = {
    usage: { promptTokens: 15, completionTokens: 42 },
    countedTokens: 40,
    estimatedInputTokens: 12,
  };
  const price = parsePrice({ input: '10', output: '30' });
  expect(createReceipt({ ...evidence, complete: true }, price)).toEqual({
    counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    cost: plainCost(150_000n, 1_260_000n),
    estimated: false,
  });
  expect(createReceipt({ ...evidence, usage: undefined, complete: false }, price)).toMatchObject({
    cost: plainCost(120_000n, 1_200_000n),
    estimated: true,
  });
});
