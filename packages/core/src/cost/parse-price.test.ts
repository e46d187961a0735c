import { expect, test } from 'vitest';
import { FREE, parsePrice } from './parse-price.ts';

test('reads five figures as nano-USD per million tokens', () => {
  const price = parsePrice({ input: '3', output: '15.00', cached_input: '0.30', cache_write: '3.75', reasoning: '20' });
  expect(price).toEqual({
    input: 3_000_000_000n,
    output: 15_000_000_000n,
    cachedInput: 300_000_000n,
    cacheWrite: 3_750_000_000n,
    reasoning: 20_000_000_000n,
    version: '3/0.3/3.75/15/20',
  });
});

test('bills cached input and cache writes as input, and reasoning as output, where they have no price', () => {
  const { cachedInput, cacheWrite, reasoning } = parsePrice({ input: '0.5', output: '1.5' });
  expect([cachedInput, cacheWrite, reasoning]).toEqual([500_000_000n, 500_000_000n, 1_500_000_000n]);
});

test('gives the same version to the same figures however they are written, and another to others', () => {
  const { version } = parsePrice({ input: '0.50', output: '1.5' });
  expect(parsePrice({ input: '0.5', output: '1.500', reasoning: '1.5' }).version).toBe(version);
  expect(parsePrice({ input: '0.5', output: '1.5', cached_input: '0.1' }).version).not.toBe(version);
});

test('keeps a version that is given', () => {
  expect(parsePrice({ input: '1', output: '2' }, '2026-11').version).toBe('2026-11');
});

test.each([
  [{ input: '1e3', output: '1' }, 'input must be a plain decimal string'],
  [{ input: '1', output: '-1' }, 'output must be a plain decimal string'],
  [{ input: '1', output: '1', cached_input: '0.0000000001' }, 'cached_input must have at most 9 decimals'],
  [{ input: '1', output: '1', cache_write: '9000000' }, 'cache_write must be below 9000000 USD'],
  [{ input: '1', output: '1', reasoning: '' }, 'reasoning must be a plain decimal string'],
])('refuses %j and names the figure', (figures, message) => {
  expect(() => parsePrice(figures)).toThrow(message);
});

test('what is free costs nothing', () => {
  const { version, ...figures } = FREE;
  expect(version).toBe('free');
  expect(Object.values(figures)).toEqual([0n, 0n, 0n, 0n, 0n]);
});
