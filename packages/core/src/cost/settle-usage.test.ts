import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { settleUsage, type UsageEvidence } from './settle-usage.ts';

/** A finished answer: 100 tokens in and 40 out by our own count. */
const FINISHED = {
  usage: { promptTokens: 120, completionTokens: 50 },
  countedTokens: 40,
  estimatedInputTokens: 100,
  complete: true,
  contextWindow: 1000,
  maxOutputTokens: 200,
} satisfies UsageEvidence;

const BELIEVED = { promptTokens: 120, completionTokens: 50, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 };

describe('of a complete answer', () => {
  test('believes a provider whose numbers make sense, also where we counted more', () => {
    expect(settleUsage(FINISHED)).toEqual({ counts: BELIEVED, estimated: false });
    expect(settleUsage({ ...FINISHED, countedTokens: 70 })).toEqual({ counts: BELIEVED, estimated: false });
  });

  test('believes every part that fits its whole', () => {
    const usage = { ...FINISHED.usage, cachedTokens: 100, cacheWriteTokens: 20, reasoningTokens: 50 };
    expect(settleUsage({ ...FINISHED, usage })).toEqual({ counts: usage, estimated: false });
  });

  test('counts itself, and says so, where the provider is silent', () => {
    const own = { ...BELIEVED, promptTokens: 100, completionTokens: 40 };
    expect(settleUsage({ ...FINISHED, usage: undefined })).toEqual({ counts: own, estimated: true });
    expect(settleUsage({ ...FINISHED, usage: {} })).toEqual({ counts: own, estimated: true });
  });

  test('believes zeros, which are not silence', () => {
    const usage = { promptTokens: 0, completionTokens: 0 };
    expect(settleUsage({ ...FINISHED, usage })).toEqual({ counts: { ...BELIEVED, ...usage }, estimated: false });
  });

  test.each([-1, 0.5, NaN, Infinity, 1001, 1e12])('puts its own count in place of %d prompt tokens', (promptTokens) => {
    const { counts, estimated } = settleUsage({ ...FINISHED, usage: { promptTokens, completionTokens: 50 } });
    expect(counts).toEqual({ ...BELIEVED, promptTokens: 100 });
    expect(estimated).toBe(true);
  });

  test.each([-1, 0.5, NaN, Infinity, 201, 1e12])(
    'puts its own count in place of %d completion tokens',
    (completionTokens) => {
      const { counts, estimated } = settleUsage({ ...FINISHED, usage: { promptTokens: 120, completionTokens } });
      expect(counts).toEqual({ ...BELIEVED, completionTokens: 40 });
      expect(estimated).toBe(true);
    },
  );

  test('believes what is exactly at the model’s limits', () => {
    const usage = { promptTokens: 1000, completionTokens: 200 };
    expect(settleUsage({ ...FINISHED, usage }).estimated).toBe(false);
  });

  test('lets several choices have that many times the output', () => {
    const usage = { promptTokens: 120, completionTokens: 600 };
    expect(settleUsage({ ...FINISHED, usage, choices: 3 }).estimated).toBe(false);
    expect(settleUsage({ ...FINISHED, usage, choices: 2 }).estimated).toBe(true);
  });

  test('does not believe everything of a model whose limits are unknown', () => {
    const unlimited = { ...FINISHED, contextWindow: undefined, maxOutputTokens: undefined };
    const large = { promptTokens: 9_000_000, completionTokens: 9_000_000 };
    expect(settleUsage({ ...unlimited, usage: large })).toEqual({
      counts: { ...BELIEVED, ...large },
      estimated: false,
    });
    const absurd = { promptTokens: 1e12, completionTokens: 1e12 };
    expect(settleUsage({ ...unlimited, usage: absurd }).counts).toEqual({
      ...BELIEVED,
      promptTokens: 100,
      completionTokens: 40,
    });
  });

  test('cuts parts that exceed their whole, as recorded of real providers', () => {
    const grok = { promptTokens: 7, completionTokens: 8, cachedTokens: 161, reasoningTokens: 0 };
    expect(settleUsage({ ...FINISHED, usage: grok })).toEqual({
      counts: { promptTokens: 7, completionTokens: 8, cachedTokens: 7, cacheWriteTokens: 0, reasoningTokens: 0 },
      estimated: true,
    });
    const together = { promptTokens: 92, completionTokens: 16, reasoningTokens: 18 };
    expect(settleUsage({ ...FINISHED, usage: together })).toEqual({
      counts: { promptTokens: 92, completionTokens: 16, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 16 },
      estimated: true,
    });
  });

  test('cuts the cache writes to what the cached reads leave of the prompt', () => {
    const usage = { ...FINISHED.usage, cachedTokens: 100, cacheWriteTokens: 30 };
    const { counts, estimated } = settleUsage({ ...FINISHED, usage });
    expect([counts.cachedTokens, counts.cacheWriteTokens, estimated]).toEqual([100, 20, true]);
  });

  test('cuts what was written for an hour to the cache writes, and says nothing of none', () => {
    const usage = { ...FINISHED.usage, cacheWriteTokens: 30, cacheWrite1hTokens: 20 };
    expect(settleUsage({ ...FINISHED, usage })).toEqual({ counts: { ...BELIEVED, ...usage }, estimated: false });
    const cut = settleUsage({ ...FINISHED, usage: { ...usage, cacheWrite1hTokens: 40 } });
    expect([cut.counts.cacheWrite1hTokens, cut.estimated]).toEqual([30, true]);
    const none = settleUsage({ ...FINISHED, usage: { ...usage, cacheWrite1hTokens: 0 } });
    expect(none).toEqual({ counts: { ...BELIEVED, cacheWriteTokens: 30 }, estimated: false });
  });

  test('leaves out a part that is no count, and the parts of a whole that is not believed', () => {
    const nonsense = { ...FINISHED.usage, cachedTokens: -5, reasoningTokens: 1.5 };
    expect(settleUsage({ ...FINISHED, usage: nonsense })).toEqual({ counts: BELIEVED, estimated: true });
    const absurd = { promptTokens: 1e12, cachedTokens: 90, completionTokens: 1e12, reasoningTokens: 30 };
    const { counts } = settleUsage({ ...FINISHED, usage: absurd });
    expect([counts.cachedTokens, counts.reasoningTokens]).toEqual([0, 0]);
  });
});

test('output that was only stated as the answer began is no report of the whole answer', () => {
  const usage = { ...FINISHED.usage, completionTokens: 1, outputIsProvisional: true } as const;
  expect(settleUsage({ ...FINISHED, usage })).toMatchObject({ counts: { completionTokens: 40 }, estimated: true });
  expect(settleUsage({ ...FINISHED, usage: { ...usage, completionTokens: 44 } }).counts.completionTokens).toBe(44);
});

describe('of an answer cut short', () => {
  const CUT = { ...FINISHED, complete: false };

  test('is always an estimate, even when the provider reported everything', () => {
    expect(settleUsage(CUT)).toEqual({ counts: BELIEVED, estimated: true });
  });

  test('takes the larger of the provider’s running count and our own', () => {
    const atStart = { promptTokens: 120, completionTokens: 1 };
    expect(settleUsage({ ...CUT, usage: atStart }).counts).toEqual({ ...BELIEVED, completionTokens: 40 });
    expect(settleUsage({ ...CUT, countedTokens: 49 }).counts).toEqual(BELIEVED);
  });

  test('keeps the provider’s prompt count when the answer’s is missing', () => {
    const usage = { promptTokens: 120, cachedTokens: 80 };
    expect(settleUsage({ ...CUT, usage }).counts).toEqual({ ...BELIEVED, completionTokens: 40, cachedTokens: 80 });
  });
});

test('rounds our own counts up to whole tokens', () => {
  const { counts } = settleUsage({ ...FINISHED, usage: undefined, countedTokens: 10.25, estimatedInputTokens: 3.5 });
  expect([counts.promptTokens, counts.completionTokens]).toEqual([4, 11]);
});

test('whatever a provider reports, the counts are whole, not negative, and no part exceeds its whole', () => {
  const reported = fc.option(fc.oneof(fc.integer({ min: -5, max: 300 }), fc.double()), { nil: undefined });
  const anyUsage = fc.record({
    promptTokens: reported,
    completionTokens: reported,
    cachedTokens: reported,
    cacheWriteTokens: reported,
    cacheWrite1hTokens: reported,
    reasoningTokens: reported,
  });
  fc.assert(
    fc.property(anyUsage, fc.boolean(), fc.nat(50), (usage, complete, countedTokens) => {
      const { counts } = settleUsage({ ...FINISHED, usage, complete, countedTokens });
      for (const count of Object.values(counts)) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      expect(counts.cacheWrite1hTokens ?? 0).toBeLessThanOrEqual(counts.cacheWriteTokens);
      expect(counts.cachedTokens + counts.cacheWriteTokens).toBeLessThanOrEqual(counts.promptTokens);
      expect(counts.reasoningTokens).toBeLessThanOrEqual(counts.completionTokens);
      expect(counts.promptTokens).toBeLessThanOrEqual(1000);
      expect(counts.completionTokens).toBeLessThanOrEqual(200);
    }),
  );
});
