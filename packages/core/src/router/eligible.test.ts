import { describe, expect, test } from 'vitest';
import { createCandidate, createModel } from './__fixtures__/candidates.ts';
import { type Demands, findExclusion } from './eligible.ts';

const CANDIDATE = createCandidate(createModel('gpt-4', { weight: 8, contextWindow: 1000 }));
const DEMANDS: Demands = { inputTokens: 100, allowModelFallback: false };
const WELL = { estimatedCostNanoUsd: 500n, credentialsRefused: false, unhealthy: false, coolingDown: false };

test('without demands everybody who is well may serve', () => {
  expect(findExclusion(CANDIDATE, DEMANDS, WELL)).toBeUndefined();
});

describe('excludes, with its reason,', () => {
  test('a model that the key may not use', () => {
    expect(findExclusion(CANDIDATE, { ...DEMANDS, isAllowed: () => false }, WELL)).toBe('model_not_allowed');
    expect(findExclusion(CANDIDATE, { ...DEMANDS, isAllowed: () => true }, WELL)).toBeUndefined();
  });

  test('a model that makes something else than is asked for', () => {
    const embedder = createCandidate(createModel('embed', { kind: 'embedding' }));
    expect(findExclusion(embedder, DEMANDS, WELL)).toBe('wrong_kind');
    expect(findExclusion(embedder, { ...DEMANDS, kind: 'embedding' }, WELL)).toBeUndefined();
    expect(findExclusion(CANDIDATE, { ...DEMANDS, kind: 'embedding' }, WELL)).toBe('wrong_kind');
    expect(findExclusion(CANDIDATE, { ...DEMANDS, kind: 'chat' }, WELL)).toBeUndefined();
  });

  test('other models than the named one, unless fallback is allowed', () => {
    const other = { ...DEMANDS, model: 'claude-opus' };
    expect(findExclusion(CANDIDATE, other, WELL)).toBe('model_not_named');
    expect(findExclusion(CANDIDATE, { ...other, allowModelFallback: true }, WELL)).toBeUndefined();
    expect(findExclusion(CANDIDATE, { ...DEMANDS, model: 'gpt-4' }, WELL)).toBeUndefined();
  });

  test('for callers who name no model, those that are not offered to them', () => {
    const offered = { ...DEMANDS, autoModels: ['gpt-4'] };
    const notOffered = { ...DEMANDS, autoModels: ['claude-opus'] };
    expect(findExclusion(CANDIDATE, offered, WELL)).toBeUndefined();
    expect(findExclusion(CANDIDATE, notOffered, WELL)).toBe('model_not_named');
    expect(findExclusion(CANDIDATE, { ...DEMANDS, autoModels: [] }, WELL)).toBe('model_not_named');
    // Whoever names one gets it, and fallback knows no such bounds.
    expect(findExclusion(CANDIDATE, { ...notOffered, model: 'gpt-4' }, WELL)).toBeUndefined();
    expect(findExclusion(CANDIDATE, { ...notOffered, model: 'x', allowModelFallback: true }, WELL)).toBeUndefined();
    expect(findExclusion(CANDIDATE, { ...offered, model: 'x' }, WELL)).toBe('model_not_named');
    // Allowing fallback does not name a model.
    expect(findExclusion(CANDIDATE, { ...notOffered, allowModelFallback: true }, WELL)).toBe('model_not_named');
  });

  test('a model below the least weight', () => {
    expect(findExclusion(CANDIDATE, { ...DEMANDS, minWeight: 9 }, WELL)).toBe('weight_below_minimum');
    expect(findExclusion(CANDIDATE, { ...DEMANDS, minWeight: 8 }, WELL)).toBeUndefined();
  });

  test('a window that the input with its reserve of 15 % does not fit', () => {
    // 869 × 1.15 = 999.35, 870 × 1.15 = 1000.5: both fit, rounded down; 871 × 1.15 = 1001.65 does not.
    expect(findExclusion(CANDIDATE, { ...DEMANDS, inputTokens: 870 }, WELL)).toBeUndefined();
    expect(findExclusion(CANDIDATE, { ...DEMANDS, inputTokens: 871 }, WELL)).toBe('context_overflow');
  });

  test('exactly at the window, also where doubles would be a hair below', () => {
    const fitting = createCandidate(createModel('m', { contextWindow: 115 }));
    const short = createCandidate(createModel('m', { contextWindow: 114 }));
    expect(findExclusion(fitting, { ...DEMANDS, inputTokens: 100 }, WELL)).toBeUndefined();
    expect(findExclusion(short, { ...DEMANDS, inputTokens: 100 }, WELL)).toBe('context_overflow');
  });

  test('by its longest input, not by all of them, where each has the window for itself', () => {
    expect(findExclusion(CANDIDATE, { ...DEMANDS, inputTokens: 9000, windowTokens: 870 }, WELL)).toBeUndefined();
    expect(findExclusion(CANDIDATE, { ...DEMANDS, inputTokens: 9000, windowTokens: 871 }, WELL)).toBe(
      'context_overflow',
    );
  });

  test('no model whose window is unknown', () => {
    const unknown = createCandidate(createModel('m'));
    expect(findExclusion(unknown, { ...DEMANDS, inputTokens: 10_000_000 }, WELL)).toBeUndefined();
  });

  test('a dialect that cannot carry the request', () => {
    expect(findExclusion(CANDIDATE, { ...DEMANDS, cannotCarry: () => true }, WELL)).toBe('unsupported_parameter');
    expect(findExclusion(CANDIDATE, { ...DEMANDS, cannotCarry: () => false }, WELL)).toBeUndefined();
  });

  test('a deployment whose provider refuses our credentials', () => {
    expect(findExclusion(CANDIDATE, DEMANDS, { ...WELL, credentialsRefused: true })).toBe('credentials_refused');
  });

  test('a deployment that is unhealthy', () => {
    expect(findExclusion(CANDIDATE, DEMANDS, { ...WELL, unhealthy: true })).toBe('unhealthy');
  });

  test('an estimate above the budget, not one that meets it', () => {
    expect(findExclusion(CANDIDATE, { ...DEMANDS, maxBudgetNanoUsd: 499n }, WELL)).toBe('budget_exceeded');
    expect(findExclusion(CANDIDATE, { ...DEMANDS, maxBudgetNanoUsd: 500n }, WELL)).toBeUndefined();
  });
});

test('gives the first reason where several hold', () => {
  const unfit = { ...WELL, credentialsRefused: true, unhealthy: true, coolingDown: true };
  const reasons: (string | undefined)[] = [];
  let demands: Demands = {
    inputTokens: 5000,
    allowModelFallback: false,
    model: 'claude-opus',
    maxBudgetNanoUsd: 1n,
    minWeight: 9,
    isAllowed: () => false,
    cannotCarry: () => true,
  };
  const relaxations: Partial<Demands>[] = [
    {},
    { isAllowed: undefined },
    { model: undefined },
    { minWeight: undefined },
    { inputTokens: 1 },
    { cannotCarry: undefined },
  ];
  for (const relaxation of relaxations) {
    demands = { ...demands, ...relaxation };
    reasons.push(findExclusion(CANDIDATE, demands, unfit));
  }
  reasons.push(findExclusion(CANDIDATE, demands, { ...unfit, credentialsRefused: false }));
  reasons.push(findExclusion(CANDIDATE, demands, { ...WELL, coolingDown: true }));
  reasons.push(findExclusion(CANDIDATE, demands, WELL));
  expect(reasons).toEqual([
    'model_not_allowed',
    'model_not_named',
    'weight_below_minimum',
    'context_overflow',
    'unsupported_parameter',
    'credentials_refused',
    'unhealthy',
    'cooling_down',
    'budget_exceeded',
  ]);
});
