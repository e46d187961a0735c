import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatUsd } from './format-usd.ts';
import { parseUsd } from './parse-usd.ts';

test.each([
  ['0', 0n],
  ['0.0', 0n],
  ['1', 1_000_000_000n],
  ['5.00', 5_000_000_000n],
  ['0.05', 50_000_000n],
  ['0.000000001', 1n],
  ['12.345678901', 12_345_678_901n],
  ['8999999.999999999', 8_999_999_999_999_999n],
])('reads %s USD', (text, nano) => {
  expect(parseUsd(text)).toBe(nano);
});

test.each([
  '',
  ' 1',
  '1 ',
  '-1',
  '+1',
  '1e3',
  '.5',
  '5.',
  '1,5',
  '01',
  '0x10',
  '١',
  'NaN',
  'Infinity',
  '1_000',
  '1.2.3',
])('refuses %j and says how an amount is written', (text) => {
  expect(() => parseUsd(text)).toThrow(
    new RangeError('an amount of USD must be a plain decimal string without sign or exponent, such as "12.50"'),
  );
});

test('refuses a tenth decimal, even a zero, and says how many there may be', () => {
  expect(() => parseUsd('1.0000000000', 'budget_day_usd')).toThrow('budget_day_usd must have at most 9 decimals');
});

test.each(['9000000', '9000000.000000001', '10000000', '9'.repeat(100_000)])(
  'refuses %.12s and says the limit',
  (text) => {
    expect(() => parseUsd(text)).toThrow('an amount of USD must be below 9000000 USD');
  },
);

test('is the inverse of formatUsd', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 8_999_999_999_999_999n), (nano) => {
      expect(parseUsd(formatUsd(nano))).toBe(nano);
    }),
  );
});
