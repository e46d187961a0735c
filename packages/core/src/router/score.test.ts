import { expect, test } from 'vitest';
import { findMaxima, MODE_WEIGHTS, scoreTerms, sumTerms } from './score.ts';

const MAXIMA = { cost: 200, ttftMs: 1000, errorRate: 0.5, weight: 10 };

test.each([
  // 0.7 × 0.5 + 0.1 × 0.25 + 0.1 × 0.2 − 0.1 × 0.8
  ['cheap', 0.315],
  // 0.25 × (0.5 + 0.25 + 0.2 − 0.8)
  ['normal', 0.0375],
  // 0.05 × 0.5 + 0.1 × 0.25 + 0.15 × 0.2 − 0.7 × 0.8
  ['high_confidence', -0.48],
  // 0.1 × 0.5 + 0.1 × 0.25 + 0.2 × 0.2 − 0.6 × 0.8
  ['planning', -0.365],
  ['adversarial', -0.365],
] as const)('weighs the four terms as the mode %s says', (mode, score) => {
  const merits = { cost: 100, ttftMs: 250, errorRate: 0.1, weight: 8 };
  expect(sumTerms(scoreTerms(merits, MAXIMA, mode))).toBeCloseTo(score, 12);
});

test('gives each term, not only the sum', () => {
  const merits = { cost: 100, ttftMs: 250, errorRate: 0.25, weight: 5 };
  expect(scoreTerms(merits, MAXIMA, 'normal')).toEqual({
    cost: 0.125,
    latency: 0.0625,
    failure: 0.125,
    capability: 0.125,
  });
});

test('a merit that nobody has counts nothing', () => {
  const nothing = { cost: 0, ttftMs: 0, errorRate: 0, weight: 0 };
  const terms = scoreTerms(nothing, findMaxima([nothing, nothing]), 'normal');
  expect(terms).toEqual({ cost: 0, latency: 0, failure: 0, capability: 0 });
});

test('takes each maximum from whoever has it', () => {
  const compared = [
    { cost: 200, ttftMs: 3, errorRate: 0, weight: 1 },
    { cost: 1, ttftMs: 1000, errorRate: 0.5, weight: 10 },
  ];
  expect(findMaxima(compared)).toEqual(MAXIMA);
  expect(findMaxima([])).toEqual({ cost: 0, ttftMs: 0, errorRate: 0, weight: 0 });
});

test('the weights of every mode add up to 1', () => {
  for (const { cost, latency, failure, capability } of Object.values(MODE_WEIGHTS)) {
    expect(cost + latency + failure + capability).toBeCloseTo(1, 12);
  }
});
