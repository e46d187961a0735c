import { describe, expect, test } from 'vitest';
import { GatewayError, type ErrorCode } from '../errors.ts';
import { createCandidate, createModel } from '../router/__fixtures__/candidates.ts';
import type { RankedCandidate } from '../router/rank.ts';
import { failOver } from './fail-over.ts';

/** Candidates by name, with the size of their context window where it is known. */
function rankedOf(windows: Readonly<Record<string, number | undefined>>): RankedCandidate[] {
  return Object.entries(windows).map(([id, contextWindow]) => ({
    candidate: createCandidate(createModel(id, { contextWindow })),
    score: 0,
    terms: { cost: 0, latency: 0, failure: 0, capability: 0 },
    estimatedCostNanoUsd: 0n,
    ttftMs: 0,
    errorRate: 0,
  }));
}

interface Run {
  readonly windows?: Readonly<Record<string, number | undefined>>;
  readonly maxAttempts?: number;
  readonly mayGoOn?: () => boolean;
}

/** Lets candidates fail with these codes, one after the other, then serve. */
async function run(codes: readonly ErrorCode[], options: Run = {}) {
  const { windows = { a: undefined, b: undefined, c: undefined, d: undefined }, maxAttempts = 3 } = options;
  const tried: string[] = [];
  const heard: string[] = [];
  const outcome = await failOver({
    ranked: rankedOf(windows),
    maxAttempts,
    mayGoOn: options.mayGoOn ?? (() => true),
    onFailure: ({ candidate, error, status }) => heard.push(`${candidate.candidate.model.id} ${error?.code} ${status}`),
    attempt: ({ candidate: { model } }) => {
      const code = codes[tried.length];
      tried.push(model.id);
      if (code === undefined) return Promise.resolve(model.id);
      return Promise.reject(new GatewayError(code, `${model.id} failed`, { upstreamStatus: 500 }));
    },
  }).catch((error: unknown) => error);
  return { outcome, tried, heard };
}

test('the best candidate serves, and nobody else is asked', async () => {
  expect(await run([])).toEqual({ outcome: 'a', tried: ['a'], heard: [] });
});

test('candidates get their turn in order until one serves, and each failure is heard of', async () => {
  expect(await run(['upstream_unavailable', 'upstream_timeout'])).toEqual({
    outcome: 'c',
    tried: ['a', 'b', 'c'],
    heard: ['a upstream_unavailable 500', 'b upstream_timeout 500'],
  });
});

test('after the last attempt its error is thrown', async () => {
  const { outcome, tried } = await run(['upstream_unavailable', 'upstream_timeout'], { maxAttempts: 2 });
  expect(tried).toEqual(['a', 'b']);
  expect(outcome).toMatchObject({ code: 'upstream_timeout', message: 'b failed' });
});

test('after the last candidate its error is thrown, however many attempts are left', async () => {
  const { outcome, tried } = await run(['upstream_auth', 'upstream_protocol'], {
    windows: { a: 1, b: 1 },
    maxAttempts: 9,
  });
  expect(tried).toEqual(['a', 'b']);
  expect(outcome).toMatchObject({ code: 'upstream_protocol' });
});

test('with no candidate at all there is nobody who can serve', async () => {
  expect((await run([], { windows: {} })).outcome).toMatchObject({ code: 'no_upstream' });
});

test('what the caller did wrong is wrong everywhere', async () => {
  const { outcome, tried } = await run(['upstream_rejected']);
  expect(tried).toEqual(['a']);
  expect(outcome).toMatchObject({ code: 'upstream_rejected' });
});

test('a request that one dialect cannot carry goes to the next candidate', async () => {
  expect((await run(['unsupported_parameter'])).tried).toEqual(['a', 'b']);
});

describe('an input that is too long', () => {
  const windows = { a: 8_000, b: 4_000, c: 8_000, d: 32_000, e: undefined };

  test('goes to larger models only', async () => {
    expect(await run(['context_length_exceeded'], { windows })).toMatchObject({ outcome: 'd', tried: ['a', 'd'] });
  });

  test('keeps to larger models for the rest of its tries', async () => {
    const { outcome, tried } = await run(['context_length_exceeded', 'upstream_unavailable'], { windows });
    expect(tried).toEqual(['a', 'd']);
    expect(outcome).toMatchObject({ code: 'upstream_unavailable' });
  });

  test('goes nowhere when nobody is known to be larger', async () => {
    const unknown = { a: undefined, b: 32_000 };
    expect((await run(['context_length_exceeded'], { windows: unknown })).tried).toEqual(['a']);
  });
});

test('nobody else is tried when there is no going on', async () => {
  const { outcome, tried, heard } = await run(['upstream_unavailable'], { mayGoOn: () => false });
  expect(tried).toEqual(['a']);
  expect(heard).toHaveLength(1);
  expect(outcome).toMatchObject({ code: 'upstream_unavailable' });
});

test("an error that is not ours ends it at once and is nobody's failure", async () => {
  const mistake = new TypeError('a mistake of ours');
  const heard: unknown[] = [];
  const result = failOver({
    ranked: rankedOf({ a: 1, b: 1 }),
    maxAttempts: 3,
    mayGoOn: () => true,
    onFailure: (attempt) => heard.push(attempt),
    attempt: () => Promise.reject(mistake),
  });
  await expect(result).rejects.toBe(mistake);
  expect(heard).toEqual([]);
});
