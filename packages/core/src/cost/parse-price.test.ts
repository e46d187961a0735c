import { describe, expect, test } from 'vitest';
import { FREE, parsePrice } from './parse-price.ts';

test('reads six figures as nano-USD per million tokens', () => {
  const price = parsePrice({
    input: '3',
    output: '15.00',
    cached_input: '0.30',
    cache_write: '3.75',
    cache_write_1h: '6.5',
    reasoning: '20',
  });
  expect(price).toEqual({
    input: 3_000_000_000n,
    output: 15_000_000_000n,
    cachedInput: 300_000_000n,
    cacheWrite: 3_750_000_000n,
    cacheWrite1h: 6_500_000_000n,
    reasoning: 20_000_000_000n,
    version: '3/0.3/3.75/6.5/15/20',
  });
});

test('bills cached input and cache writes as input, and reasoning as output, where they have no price', () => {
  const { cachedInput, cacheWrite, cacheWrite1h, reasoning } = parsePrice({ input: '0.5', output: '1.5' });
  expect([cachedInput, cacheWrite, cacheWrite1h]).toEqual([500_000_000n, 500_000_000n, 500_000_000n]);
  expect(reasoning).toBe(1_500_000_000n);
});

test('bills cache writes of an hour, where only cache writes have a price, as twice the input, or as those if they cost more', () => {
  const price = { input: '3', output: '15' };
  expect(parsePrice({ ...price, cache_write: '3.75' }).cacheWrite1h).toBe(6_000_000_000n);
  expect(parsePrice({ ...price, cache_write: '7' }).cacheWrite1h).toBe(7_000_000_000n);
});

describe('tiers', () => {
  const price = { input: '3', output: '15', cached_input: '0.3' };

  test('have rates of their own, with the same defaults, and are part of the version', () => {
    const tiers = [
      { above_input_tokens: 100_000, input: '4', output: '20', cache_write: '5' },
      { above_input_tokens: 200_000, input: '6', output: '22.5' },
    ];
    const parsed = parsePrice({ ...price, tiers });
    expect(parsed.tiers?.[0]).toEqual({
      aboveInputTokens: 100_000,
      input: 4_000_000_000n,
      output: 20_000_000_000n,
      cachedInput: 4_000_000_000n,
      cacheWrite: 5_000_000_000n,
      cacheWrite1h: 8_000_000_000n,
      reasoning: 20_000_000_000n,
    });
    expect(parsed.version).toBe('3/0.3/3/3/15/15 >100000:4/4/5/8/20/20 >200000:6/6/6/6/22.5/22.5');
  });

  test.each([
    [[0], 'tiers[0].above_input_tokens must be a whole number above 0'],
    [[1.5], 'tiers[0].above_input_tokens must be a whole number above 0'],
    [[200, 200], 'tiers[1].above_input_tokens must be a whole number above 200'],
    [[200, 100], 'tiers[1].above_input_tokens must be a whole number above 200'],
  ])('are refused above %j', (thresholds, message) => {
    const tiers = thresholds.map((above_input_tokens) => ({ above_input_tokens, input: '1', output: '2' }));
    expect(() => parsePrice({ ...price, tiers })).toThrow(message);
  });

  test('with a figure that is wrong are refused by its name', () => {
    const tiers = [{ above_input_tokens: 1, input: '1', output: '2', cache_write_1h: '-1' }];
    expect(() => parsePrice({ ...price, tiers })).toThrow('tiers[0].cache_write_1h must be a plain decimal string');
  });
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
  expect(Object.values(figures)).toEqual([0n, 0n, 0n, 0n, 0n, 0n]);
});
