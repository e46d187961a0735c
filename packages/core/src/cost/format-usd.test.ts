import { expect, test } from 'vitest';
import { formatUsd } from './format-usd.ts';

test.each([
  [0n, '0'],
  [1n, '0.000000001'],
  [1_200_000n, '0.0012'],
  [1_000_000_000n, '1'],
  [10_000_000_000n, '10'],
  [1_010_000_000n, '1.01'],
  [123_456_789_012_345_678_901n, '123456789012.345678901'],
  [-1n, '-0.000000001'],
  [-2_500_000_000n, '-2.5'],
])('%d nano-USD are %s USD', (nano, usd) => {
  expect(formatUsd(nano)).toBe(usd);
  expect(usd).toMatch(/^-?(0|[1-9]\d*)(\.\d{1,9})?$/);
});
