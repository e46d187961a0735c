import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrice } from '../cost/parse-price.ts';
import { createCandidate, createModel } from './__fixtures__/candidates.ts';
import type { DeploymentHealth, HealthReader } from './health.ts';
import { rank, type Ranking, type RankRequest } from './rank.ts';
import type { RoutingMode } from './score.ts';

const WELL: DeploymentHealth = {
  requests: 0,
  failures: 0,
  errorRate: 0,
  ttftMs: 0,
  msPerToken: 0,
  breaker: 'closed',
  openMs: 0,
  cooldownMs: 0,
};
const ALL_WELL: HealthReader = { read: () => WELL };

/** Health by candidate id; whoever is not named is well. */
function healthOf(states: Record<string, Partial<DeploymentHealth>>): HealthReader {
  return { read: (id) => ({ ...WELL, ...states[id] }) };
}

function requestOf(members: Partial<RankRequest> = {}): RankRequest {
  return { inputTokens: 500, outputTokens: 512, allowModelFallback: false, mode: 'normal', ...members };
}

function idsOf({ ranked }: Ranking): string[] {
  return ranked.map(({ candidate }) => candidate.id);
}

// USD per million tokens: the original's default models, which are given per thousand.
const GPT_4 = createModel('gpt-4', {
  weight: 8,
  contextWindow: 128_000,
  price: parsePrice({ input: '10', output: '30' }),
});
const GPT_35 = createModel('gpt-3.5-turbo', {
  weight: 3,
  contextWindow: 16_385,
  price: parsePrice({ input: '0.5', output: '1.5' }),
});
const OPUS = createModel('claude-opus', {
  weight: 10,
  contextWindow: 200_000,
  price: parsePrice({ input: '15', output: '75' }),
});
const SONNET = createModel('claude-sonnet', {
  weight: 7,
  contextWindow: 200_000,
  price: parsePrice({ input: '3', output: '15' }),
});
const FOUR = [
  createCandidate(GPT_4, 'openai'),
  createCandidate(GPT_35, 'openai'),
  createCandidate(OPUS, 'anthropic'),
  createCandidate(SONNET, 'anthropic'),
];

describe('the original’s golden table', () => {
  test.each([
    ['cheap', 'gpt-3.5-turbo -0.0145 · claude-sonnet 0.0700 · gpt-4 0.2305 · claude-opus 0.6000'],
    ['normal', 'claude-sonnet -0.1250 · gpt-4 -0.0891 · gpt-3.5-turbo -0.0695 · claude-opus 0.0000'],
    ['high_confidence', 'claude-opus -0.6500 · gpt-4 -0.5378 · claude-sonnet -0.4800 · gpt-3.5-turbo -0.2089'],
    ['planning', 'claude-opus -0.5000 · gpt-4 -0.4356 · claude-sonnet -0.4000 · gpt-3.5-turbo -0.1778'],
    ['adversarial', 'claude-opus -0.5000 · gpt-4 -0.4356 · claude-sonnet -0.4000 · gpt-3.5-turbo -0.1778'],
  ] as const)('holds in the mode %s', (mode, expected) => {
    const { ranked, excluded } = rank(FOUR, requestOf({ mode }), ALL_WELL);
    expect(ranked.map(({ candidate, score }) => `${candidate.model.id} ${score.toFixed(4)}`).join(' · ')).toBe(
      expected,
    );
    expect(excluded).toEqual([]);
  });

  test('has these estimated costs', () => {
    const { ranked } = rank(FOUR, requestOf(), ALL_WELL);
    const costs = Object.fromEntries(ranked.map((one) => [one.candidate.model.id, one.estimatedCostNanoUsd]));
    expect(costs).toEqual({
      'gpt-4': 20_360_000n,
      'gpt-3.5-turbo': 1_018_000n,
      'claude-opus': 45_900_000n,
      'claude-sonnet': 9_180_000n,
    });
  });
});

test('shows what each score was made of', () => {
  const health = healthOf({
    'gpt-4@openai': { ttftMs: 300, errorRate: 0.1 },
    'claude-opus@anthropic': { ttftMs: 1200, errorRate: 0.4 },
  });
  const [first] = rank(FOUR, requestOf({ model: 'gpt-4', allowModelFallback: true }), health).ranked;
  expect(first).toMatchObject({ ttftMs: 300, errorRate: 0.1, estimatedCostNanoUsd: 20_360_000n });
  // 0.25 × 0.02036 / 0.0459, 0.25 × 300 / 1200, 0.25 × 0.1 / 0.4, 0.25 × 8 / 10
  expect(first?.terms.cost).toBeCloseTo(0.110893, 6);
  expect(first?.terms.latency).toBeCloseTo(0.0625, 12);
  expect(first?.terms.failure).toBeCloseTo(0.0625, 12);
  expect(first?.terms.capability).toBeCloseTo(0.2, 12);
});

test('a slow or failing deployment falls behind', () => {
  const twins = ['a', 'b'].map((provider) => createCandidate(GPT_4, provider));
  expect(idsOf(rank(twins, requestOf(), healthOf({ 'gpt-4@a': { ttftMs: 900 }, 'gpt-4@b': { ttftMs: 300 } })))).toEqual(
    ['gpt-4@b', 'gpt-4@a'],
  );
  expect(idsOf(rank(twins, requestOf(), healthOf({ 'gpt-4@a': { errorRate: 0.01 } })))).toEqual(['gpt-4@b', 'gpt-4@a']);
});

test('measures against the eligible only', () => {
  // Without claude-opus, gpt-4 is the dearest and the most capable: 0.25 × 1 − 0.25 × 1.
  const { ranked, excluded } = rank(FOUR, requestOf({ maxBudgetNanoUsd: 45_000_000n }), ALL_WELL);
  expect(ranked.find(({ candidate }) => candidate.model === GPT_4)?.score).toBe(0);
  expect(excluded.map(({ candidate, reason }) => [candidate.id, reason])).toEqual([
    ['claude-opus@anthropic', 'budget_exceeded'],
  ]);
});

test('names the reason for everyone excluded, and when it passes by itself', () => {
  const { ranked, excluded } = rank(
    FOUR,
    requestOf({ inputTokens: 20_000, minWeight: 3, maxBudgetNanoUsd: 100_000_000_000n }),
    healthOf({
      'claude-opus@anthropic': { breaker: 'open', openMs: 4_000 },
      'gpt-4@openai': { cooldownMs: 60_000 },
    }),
  );
  expect(ranked.map(({ candidate }) => candidate.model.id)).toEqual(['claude-sonnet']);
  const reasons = excluded.map(({ candidate, ...why }) => [candidate.model.id, why.reason, why.retryInMs] as const);
  expect(new Set(reasons)).toEqual(
    new Set([
      ['claude-opus', 'unhealthy', 4_000],
      ['gpt-3.5-turbo', 'context_overflow', undefined],
      ['gpt-4', 'cooling_down', 60_000],
    ]),
  );
});

test('a deployment whose breaker is half-open has the place it would have without its failures', () => {
  const request = requestOf({ mode: 'cheap' });
  const failures = { errorRate: 1, requests: 9, failures: 9 };
  const best = idsOf(rank(FOUR, request, ALL_WELL))[0] ?? '';
  const failing = rank(FOUR, request, healthOf({ [best]: { ...failures, breaker: 'closed' } }));
  const recovering = rank(FOUR, request, healthOf({ [best]: { ...failures, breaker: 'half_open' } }));
  expect(failing.ranked.find(({ candidate }) => candidate.id === best)?.terms.failure).toBeGreaterThan(0);
  expect(idsOf(recovering)[0]).toBe(best);
});

test('with nobody there, nobody is ranked', () => {
  expect(rank([], requestOf(), ALL_WELL)).toEqual({ ranked: [], excluded: [] });
});

describe('a named model', () => {
  test('is alone when fallback is not allowed', () => {
    const { ranked, excluded } = rank(FOUR, requestOf({ model: 'claude-opus' }), ALL_WELL);
    expect(ranked.map(({ candidate }) => candidate.model)).toEqual([OPUS]);
    expect(excluded.map(({ reason }) => reason)).toEqual(Array(3).fill('model_not_named'));
  });

  test('comes first, and the others in scored order, when fallback is allowed', () => {
    const ranking = rank(FOUR, requestOf({ model: 'claude-opus', allowModelFallback: true }), ALL_WELL);
    expect(ranking.ranked.map(({ candidate }) => candidate.model)).toEqual([OPUS, SONNET, GPT_4, GPT_35]);
  });

  test('leaves the others in order when it cannot serve', () => {
    const named = requestOf({ model: 'gpt-3.5-turbo', allowModelFallback: true, minWeight: 7 });
    const { ranked, excluded } = rank(FOUR, named, ALL_WELL);
    expect(ranked.map(({ candidate }) => candidate.model)).toEqual([SONNET, GPT_4, OPUS]);
    expect(excluded.map(({ candidate, reason }) => [candidate.model, reason])).toEqual([
      [GPT_35, 'weight_below_minimum'],
    ]);
  });
});

test('keeps the deployments of a model together, at the place of its best one', () => {
  const candidates = [
    createCandidate(SONNET, 'a'),
    createCandidate(GPT_4, 'a'),
    createCandidate(SONNET, 'b'),
    createCandidate(GPT_4, 'b'),
  ];
  // By score alone: sonnet@b, gpt-4@a, gpt-4@b, sonnet@a.
  const health = healthOf({ 'claude-sonnet@a': { errorRate: 1 }, 'gpt-4@b': { errorRate: 0.1 } });
  expect(idsOf(rank(candidates, requestOf(), health))).toEqual([
    'claude-sonnet@b',
    'claude-sonnet@a',
    'gpt-4@a',
    'gpt-4@b',
  ]);
});

test('ties go to the lower cost, then to the id', () => {
  // In both models cost and weight cancel out: 0.25 × 1 − 0.25 × 1 = 0.25 × 0.5 − 0.25 × 0.5.
  const dear = createModel('a-dear', { weight: 10, price: parsePrice({ input: '2', output: '2' }) });
  const cheap = createModel('z-cheap', { weight: 5, price: parsePrice({ input: '1', output: '1' }) });
  const candidates = [createCandidate(dear), createCandidate(cheap, 'q'), createCandidate(cheap, 'p')];
  const ranking = rank(candidates, requestOf(), ALL_WELL);
  expect(new Set(ranking.ranked.map(({ score }) => score)).size).toBe(1);
  expect(idsOf(ranking)).toEqual(['z-cheap@p', 'z-cheap@q', 'a-dear@openai']);
});

test('the order of the candidates has no influence', () => {
  const twins = ['twin-a', 'twin-b', 'twin-c'].map((id) => createModel(id));
  const everyone = [GPT_4, GPT_35, OPUS, SONNET, ...twins].flatMap((model) =>
    ['a', 'b', 'c'].map((provider) => createCandidate(model, provider)),
  );
  const twoOrders = fc
    .subarray(everyone)
    .chain((some) => fc.tuple(fc.constant(some), fc.shuffledSubarray(some, { minLength: some.length })));
  const anyMode = fc.constantFrom<RoutingMode>('cheap', 'normal', 'high_confidence', 'planning', 'adversarial');
  const health = healthOf(Object.fromEntries(everyone.map(({ id }) => [id, { errorRate: (id.length % 3) / 10 }])));
  fc.assert(
    fc.property(twoOrders, anyMode, fc.boolean(), ([some, shuffled], mode, isNamed) => {
      const request = requestOf({ mode, model: isNamed ? 'gpt-4' : undefined, allowModelFallback: true });
      expect(idsOf(rank(shuffled, request, health))).toEqual(idsOf(rank(some, request, health)));
    }),
  );
});

test('whoever refuses our credentials is left out, and that does not pass by itself', async () => {
  const refused = createCandidate(GPT_4, 'openai');
  const { credential } = refused.provider;
  credential.reject(await credential.load());
  const { ranked, excluded } = rank([refused, createCandidate(SONNET, 'anthropic')], requestOf(), ALL_WELL);
  expect(ranked.map(({ candidate }) => candidate.model.id)).toEqual(['claude-sonnet']);
  expect(excluded).toEqual([{ candidate: refused, reason: 'credentials_refused' }]);
});
