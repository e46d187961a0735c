import type { UsageGroup } from '@tokenhub/metering';
import { expect, test } from 'vitest';
import { toUsageCsv } from './usage-csv.ts';

const HEADER =
  'group,requests,prompt_tokens,cached_tokens,cache_write_tokens,completion_tokens,reasoning_tokens,cost_usd,' +
  'costs.input,costs.cached,costs.cache_write,costs.output,costs.reasoning,adjustments_usd\r\n';

function usageOf(group: string): UsageGroup {
  return {
    group,
    requests: 2,
    promptTokens: 30,
    cachedTokens: 6,
    cacheWriteTokens: 4,
    completionTokens: 84,
    reasoningTokens: 14,
    costNanoUsd: 9_007_199_254_740_993n,
    costsNanoUsd: { input: 1n, cached: 2n, cacheWrite: 3n, output: 9_007_199_254_740_989n, reasoning: 0n },
    adjustmentsNanoUsd: -2n,
  };
}

test('has the members’ names first, also where there is no usage', () => {
  expect(toUsageCsv([])).toBe(HEADER);
});

test('has money to the nano', () => {
  expect(toUsageCsv([usageOf('20261120')])).toBe(
    `${HEADER}20261120,2,30,6,4,84,14,9007199.254740993,0.000000001,0.000000002,0.000000003,9007199.254740989,0,-0.000000002\r\n`,
  );
});

test.each([
  ['gpt-4', 'gpt-4'],
  ['Größe 模型 🙂', 'Größe 模型 🙂'],
  ['a,b', '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\tx', "'\tx"],
  ['\rx', '"\'\rx"'],
  ['=HYPERLINK("https://x.example","y")', '"\'=HYPERLINK(""https://x.example"",""y"")"'],
])('writes the name %j so that it stays text and one cell', (name, cell) => {
  expect(toUsageCsv([usageOf(name)]).slice(HEADER.length)).toMatch(new RegExp(`^${RegExp.escape(cell)},2,30,`));
});
