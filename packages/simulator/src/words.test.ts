import { expect, it } from 'vitest';
import { countingTokens, simulatedTokens } from './words.ts';

it('makes as many token groups as asked for, none longer than 4 bytes, beginning with the label', () => {
  for (const multibyte of [false, true]) {
    const tokens = simulatedTokens(500, 7, multibyte);
    expect(tokens).toHaveLength(500);
    expect(tokens.join('')).toMatch(/^\[simulated\]/);
    expect(Math.max(...tokens.map((token) => Buffer.byteLength(token)))).toBe(4);
  }
});

it('counts up to the largest number that fits into 4 bytes', () => {
  const tokens = countingTokens(1, 99);
  expect(tokens).toHaveLength(3 + 99);
  expect(tokens.at(-1)).toBe(' 99.');
  expect(tokens.every((token) => token.length <= 4)).toBe(true);
});
