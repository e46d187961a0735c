import { openaiDialect, type Candidate } from '@tokenhub/core';
import { expect, test } from 'vitest';
import { CandidateLosses } from './candidate-losses.ts';
import type { RoutedCall } from './rank-candidates.ts';

const refusing = (refused?: readonly string[]) =>
  ({
    provider: { id: 'p', endpoints: [{ dialect: openaiDialect }], quirks: { refused } },
    model: {},
    upstreamModel: 'm',
  }) as unknown as Candidate;

function createLosses(dropsLosses: boolean): CandidateLosses {
  const request = openaiDialect.readRequest({ messages: [{ role: 'user', content: 'Hi' }], seed: 7, user: 'ada' });
  return new CandidateLosses({ request, policy: { dropsLosses, allowModelFallback: false } } as RoutedCall);
}

test("a provider of the caller's own dialect that refuses a member is passed over, and the member named", () => {
  const losses = createLosses(false);
  expect(losses.refuses(refusing())).toBe(false);
  expect(losses.refuses(refusing(['user']))).toBe(false);
  expect(losses.lost).toBeUndefined();
  expect(losses.refuses(refusing(['user', 'seed']))).toBe(true);
  expect(losses.lost).toMatchObject({ code: 'unsupported_parameter', param: 'seed' });
});

test('it serves a caller who does without', () => {
  expect(createLosses(true).refuses(refusing(['seed']))).toBe(false);
});
