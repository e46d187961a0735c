import { expect, test } from 'vitest';
import { formatPerToken } from './format-per-token.ts';
import { parsePrice } from './parse-price.ts';

test.each([
  ['0', '0'],
  ['2.50', '0.0000025'],
  ['0.02', '0.00000002'],
  ['0.000000001', '0.000000000000001'],
  ['1000000', '1'],
  ['1234567.000000001', '1.234567000000001'],
  ['75', '0.000075'],
])('%s USD per million tokens is %s per token', (perMillion, perToken) => {
  expect(formatPerToken(parsePrice({ input: perMillion, output: '0' }).input)).toBe(perToken);
});
