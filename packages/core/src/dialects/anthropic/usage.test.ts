import { expect, test } from 'vitest';
import { plainCost } from '../../cost/__fixtures__/plain-cost.ts';
import { mergeCounts, readCounts, readFirstCounts, toReportedUsage, toUsageJson } from './usage.ts';

const WRITES = { ephemeral_5m_input_tokens: 30, ephemeral_1h_input_tokens: 70 };

test('reads how many of the cache writes were for an hour', () => {
  const usage = { input_tokens: 5, cache_creation_input_tokens: 100, cache_creation: WRITES, output_tokens: 1 };
  expect(toReportedUsage(readCounts(usage))).toEqual({
    promptTokens: 105,
    completionTokens: 1,
    cachedTokens: undefined,
    cacheWriteTokens: 100,
    cacheWrite1hTokens: 70,
    reasoningTokens: undefined,
  });
});

test.each([[{}], [null], [{ ephemeral_1h_input_tokens: null }], [{ ephemeral_1h_input_tokens: -1 }], [5]])(
  'takes %j for no report of it',
  (cache_creation) => {
    const counts = readCounts({ input_tokens: 5, cache_creation_input_tokens: 100, cache_creation });
    expect(counts).toMatchObject({ cacheWrite: 100, cacheWrite1h: undefined });
  },
);

test('what the start of a stream said of it stands when the end, as ever, says nothing', () => {
  const start = readFirstCounts({ input_tokens: 5, cache_creation_input_tokens: 100, cache_creation: WRITES });
  const end = readCounts({ input_tokens: 5, cache_creation_input_tokens: 100, output_tokens: 7 });
  expect(mergeCounts(start, end)).toMatchObject({ cacheWrite: 100, cacheWrite1h: 70, output: 7 });
});

test('writes it back as it was read, and says nothing of it where there was none', () => {
  const counts = { promptTokens: 105, completionTokens: 7, cachedTokens: 0, cacheWriteTokens: 100, reasoningTokens: 0 };
  const receipt = { counts, cost: plainCost(1n, 0n), estimated: false };
  expect(JSON.parse(toUsageJson(receipt))).not.toHaveProperty('cache_creation');
  const withHour = { ...receipt, counts: { ...counts, cacheWrite1hTokens: 70 } };
  expect(JSON.parse(toUsageJson(withHour))).toMatchObject({ cache_creation: WRITES });
  expect(readCounts(JSON.parse(toUsageJson(withHour)))).toMatchObject({ cacheWrite: 100, cacheWrite1h: 70 });
});
