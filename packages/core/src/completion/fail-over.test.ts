import { describe, expect, test } from 'vitest';
import { GatewayError, type ErrorCode } from '../errors.ts';
import { createCandidate, createModel } from '../router/__fixtures__/candidates.ts';
import type { RankedCandidate } from '../router/rank.ts';
import { failOver } from './fail-over.ts';
import { createRetryBudget, UNLIMITED_RETRIES, type RetryBudget } from './retry-budget.ts';

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

/** Of the one provider that most candidates are at, the model's name is enough. */
function nameOf({ candidate }: RankedCandidate): string {
  return candidate.id.replace('@openai', '');
}

interface Run {
  readonly windows?: Readonly<Record<string, number | undefined>>;
  readonly ranked?: readonly RankedCandidate[];
  readonly maxAttempts?: number;
  readonly timeLeftMs?: () => number;
  readonly retryAfterMs?: number;
  readonly upstreamStatus?: number;
  /** Those who may not be asked. */
  readonly refused?: readonly string[];
  readonly budget?: RetryBudget;
  /** Those that have not done well lately. */
  readonly failing?: readonly string[];
  /** Those whose breaker is open. */
  readonly resting?: readonly string[];
}

/** Lets candidates fail with these codes, one after the other, then serve. */
async function run(codes: readonly ErrorCode[], options: Run = {}) {
  const { windows = { a: undefined, b: undefined, c: undefined, d: undefined }, maxAttempts = 3 } = options;
  const {
    retryAfterMs,
    upstreamStatus = 500,
    refused = [],
    failing = [],
    resting = [],
    budget = UNLIMITED_RETRIES,
  } = options;
  const tried: string[] = [];
  const heard: string[] = [];
  const pauses: number[] = [];
  const cooled: [string, number][] = [];
  const outcome = await failOver({
    ranked: options.ranked ?? rankedOf(windows),
    maxAttempts,
    budget,
    stateOf: (candidate) => {
      if (resting.includes(nameOf(candidate))) return 'resting';
      return failing.includes(nameOf(candidate)) ? 'failing' : 'well';
    },
    onMistake: () => {},
    admit: (candidate) => !refused.includes(nameOf(candidate)),
    timeLeftMs: options.timeLeftMs ?? (() => 60_000),
    pause: (ms) => Promise.resolve(void pauses.push(ms)),
    coolDown: (candidate, forMs) => cooled.push([nameOf(candidate), forMs]),
    random: () => 0.5,
    onFailure: ({ candidate, error, status }) => heard.push(`${candidate.candidate.model.id} ${error?.code} ${status}`),
    attempt: (candidate) => {
      const id = nameOf(candidate);
      const code = codes[tried.length];
      tried.push(id);
      if (code === undefined) return Promise.resolve(id);
      return Promise.reject(new GatewayError(code, `${id} failed`, { upstreamStatus, retryAfterMs }));
    },
  }).catch((error: unknown) => error);
  return { outcome, tried, heard, pauses, cooled };
}

test('the best candidate serves, and nobody else is asked', async () => {
  expect(await run([])).toEqual({ outcome: 'a', tried: ['a'], heard: [], pauses: [], cooled: [] });
});

test('candidates get their turn in order until one serves, and each failure is heard of', async () => {
  expect(await run(['upstream_unavailable', 'upstream_timeout'])).toEqual({
    outcome: 'c',
    tried: ['a', 'b', 'c'],
    heard: ['a upstream_unavailable 500', 'b upstream_timeout 500'],
    // Nobody waits while there is another to ask.
    pauses: [],
    cooled: [],
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
    const { outcome, tried } = await run(['context_length_exceeded', 'upstream_protocol'], { windows });
    expect(tried).toEqual(['a', 'd']);
    expect(outcome).toMatchObject({ code: 'upstream_protocol' });
  });

  test('goes nowhere when nobody is known to be larger', async () => {
    const unknown = { a: undefined, b: 32_000 };
    expect((await run(['context_length_exceeded'], { windows: unknown })).tried).toEqual(['a']);
  });
});

test('nobody else is tried when the caller has no more time', async () => {
  const { outcome, tried, heard } = await run(['upstream_unavailable'], { timeLeftMs: () => 0 });
  expect(tried).toEqual(['a']);
  expect(heard).toHaveLength(1);
  expect(outcome).toMatchObject({ code: 'upstream_unavailable' });
});

describe('when nobody is left', () => {
  const alone = { windows: { a: 1 } };

  test('what may pass is tried again, after a pause of random length that grows', async () => {
    const { outcome, tried, pauses } = await run(['upstream_unavailable', 'upstream_disconnected'], alone);
    expect(outcome).toBe('a');
    expect(tried).toEqual(['a', 'a', 'a']);
    expect(pauses).toEqual([150, 275]);
  });

  test('the best of those whose failure may pass is the one', async () => {
    const { tried } = await run(['upstream_auth', 'upstream_error', 'upstream_unavailable'], {
      windows: { a: 1, b: 1, c: 1 },
      maxAttempts: 4,
    });
    expect(tried).toEqual(['a', 'b', 'c', 'b']);
  });

  test.each(['upstream_auth', 'upstream_protocol', 'upstream_timeout', 'upstream_rate_limited'] as const)(
    '%s is not tried again: it would be the same',
    async (code) => {
      expect((await run([code], alone)).tried).toEqual(['a']);
    },
  );

  test('nor is an error of the 400s: it is a matter of configuration', async () => {
    expect((await run(['upstream_unavailable'], { ...alone, upstreamStatus: 404 })).tried).toEqual(['a']);
  });

  test('nor is one whose breaker is open by now', async () => {
    const { tried, pauses } = await run(['upstream_unavailable'], { ...alone, resting: ['a'] });
    expect(tried).toEqual(['a']);
    expect(pauses).toEqual([]);
  });

  test('nor is there a pause that the caller has no time for', async () => {
    const { tried, pauses } = await run(['upstream_unavailable'], { ...alone, timeLeftMs: () => 100 });
    expect(tried).toEqual(['a']);
    expect(pauses).toEqual([]);
  });
});

describe('a provider that says when to come again', () => {
  test('is waited for when it is soon and no other has the model', async () => {
    const { outcome, tried, pauses, cooled } = await run(['upstream_rate_limited'], { retryAfterMs: 1_000 });
    expect(outcome).toBe('a');
    expect(tried).toEqual(['a', 'a']);
    expect(pauses).toEqual([1_000]);
    expect(cooled).toEqual([]);
  });

  test('is left alone so long when it is not soon, and the next is asked at once', async () => {
    const { outcome, tried, pauses, cooled } = await run(['upstream_rate_limited'], { retryAfterMs: 120_000 });
    expect(outcome).toBe('b');
    expect(tried).toEqual(['a', 'b']);
    expect(pauses).toEqual([]);
    expect(cooled).toEqual([['a', 120_000]]);
  });

  test('is not waited for when the caller has not so much time', async () => {
    const { tried } = await run(['upstream_rate_limited'], { retryAfterMs: 2_000, timeLeftMs: () => 1_500 });
    expect(tried).toEqual(['a', 'b']);
  });

  test('is remembered when no attempt is left to wait for, and when there is no time', async () => {
    const lastAttempt = await run(['upstream_rate_limited'], {
      retryAfterMs: 3_000,
      windows: { a: 1 },
      maxAttempts: 1,
    });
    expect(lastAttempt.cooled).toEqual([['a', 3_000]]);
    const noTime = await run(['upstream_rate_limited'], { retryAfterMs: 3_000, timeLeftMs: () => 0 });
    expect(noTime.cooled).toEqual([['a', 3_000]]);
  });

  test('is not believed by whoever it refuses', async () => {
    expect((await run(['upstream_rejected'], { retryAfterMs: 120_000 })).cooled).toEqual([]);
  });

  test('is not waited for while another deployment of the model can be asked', async () => {
    const model = createModel('m', {});
    const ranked = ['one', 'two'].map((provider) => ({ ...first(), candidate: createCandidate(model, provider) }));
    const { tried, pauses, cooled } = await run(['upstream_rate_limited'], { ranked, retryAfterMs: 1_000 });
    expect(tried).toEqual(['m@one', 'm@two']);
    expect(pauses).toEqual([]);
    expect(cooled).toEqual([['m@one', 1_000]]);
  });

  function first(): RankedCandidate {
    const [ranked] = rankedOf({ a: 1 });
    if (ranked === undefined) throw new Error('nobody');
    return ranked;
  }
});

describe('one that may not be asked now', () => {
  test('is passed over, and that is no attempt', async () => {
    const { outcome, tried } = await run(['upstream_timeout'], { refused: ['a', 'c'], maxAttempts: 2 });
    expect(tried).toEqual(['b', 'd']);
    expect(outcome).toBe('d');
  });

  test('leaves nobody when all are so', async () => {
    const { outcome, tried } = await run([], { refused: ['a', 'b', 'c', 'd'] });
    expect(tried).toEqual([]);
    expect(outcome).toMatchObject({ code: 'no_upstream' });
  });
});

describe('the budget of a process', () => {
  test('bounds what a lasting outage of everything costs to 1.2 times the requests and a reserve', async () => {
    const budget = createRetryBudget();
    let calls = 0;
    for (let request = 0; request < 1_000; request++) {
      const failing = ['a', 'b', 'c', 'd'];
      const { tried } = await run(Array<ErrorCode>(3).fill('upstream_unavailable'), { budget, failing });
      calls += tried.length;
    }
    expect(calls).toBeLessThanOrEqual(1_220);
    expect(calls).toBeGreaterThan(1_200);
  });

  test('never keeps a request from a deployment that does well, however many need it at once', async () => {
    const budget = createRetryBudget();
    for (let request = 0; request < 1_000; request++) {
      expect((await run(['upstream_unavailable'], { budget })).outcome).toBe('b');
    }
  });

  test('that is used up leaves the others their turns', async () => {
    const budget: RetryBudget = { countRequest: () => {}, take: () => false };
    const { outcome, tried } = await run(['upstream_unavailable'], { budget, failing: ['b'] });
    expect(tried).toEqual(['a', 'c']);
    expect(outcome).toBe('c');
  });

  test('allows one repetition for five requests when the only deployment fails every other time', async () => {
    const budget = createRetryBudget();
    let repetitions = 0;
    for (let request = 0; request < 1_000; request++) {
      const codes: ErrorCode[] = request % 2 === 0 ? ['upstream_unavailable'] : [];
      repetitions += (await run(codes, { budget, windows: { a: 1 } })).pauses.length;
    }
    expect(repetitions).toBeLessThanOrEqual(220);
  });
});

test("an error that is not ours ends it at once and is nobody's failure", async () => {
  const mistake = new TypeError('a mistake of ours');
  const heard: unknown[] = [];
  const mistaken: string[] = [];
  const result = failOver({
    ranked: rankedOf({ a: 1, b: 1 }),
    maxAttempts: 3,
    budget: UNLIMITED_RETRIES,
    stateOf: () => 'well',
    onMistake: ({ candidate }) => mistaken.push(candidate.id),
    admit: () => true,
    timeLeftMs: () => 60_000,
    pause: () => Promise.resolve(),
    coolDown: () => {},
    random: Math.random,
    onFailure: (attempt) => heard.push(attempt),
    attempt: () => Promise.reject(mistake),
  });
  await expect(result).rejects.toBe(mistake);
  expect(heard).toEqual([]);
  expect(mistaken).toEqual(['a@openai']);
});
