import type { Refusal } from '@tokenhub/metering';
import { describe, expect, it } from 'vitest';
import { toGatewayError } from './refusal.ts';

/** In a leap year, on the last day of its February. */
const NOW = Date.UTC(2028, 1, 29, 23, 59, 58, 500);

const refuse = (changes: Partial<Refusal>): Refusal => ({
  granted: false,
  scope: 'key:demo',
  dimension: 'requests',
  limit: 60n,
  used: 60n,
  reserved: 0n,
  waitMs: 1500,
  remaining: [{ scope: 'key:demo', tokens: { limit: 1000, remaining: 400, resetMs: 42_000 } }],
  ...changes,
});
const budget = (dimension: 'day' | 'month', changes: Partial<Refusal> = {}): Refusal =>
  refuse({ scope: 'team:search', dimension, limit: 5_000_000_000n, used: 4_900_000_000n, ...changes });

describe('a refused request learns which limit refused it, how it stands, and when it is free again', () => {
  it('in a window: when the wait is over', () => {
    const error = toGatewayError(refuse({}), NOW);
    expect(error).toMatchObject({ code: 'rate_limit_exceeded', retryAfterMs: 1500 });
    expect(error.quota).toEqual({
      scope: 'key:demo',
      dimension: 'requests',
      limit: 60,
      used: 60,
      reserved: 0,
      resetAt: NOW + 1500,
    });
    expect(error.message).toContain('requests per minute of key:demo is reached: 60 of 60 used. Try again in 2 s.');
  });

  it('larger than the limit itself: when all of the window is free', () => {
    const error = toGatewayError(refuse({ dimension: 'tokens', limit: 1000n, used: 600n, waitMs: undefined }), NOW);
    expect(error).toMatchObject({ code: 'request_exceeds_limit', retryAfterMs: undefined });
    expect(error.quota).toMatchObject({ dimension: 'tokens', limit: 1000, used: 600, resetAt: NOW + 42_000 });
  });

  it('in flight: when it may try again', () => {
    const refusal = refuse({ dimension: 'concurrency', limit: 2n, used: 2n, waitMs: 1000 });
    expect(toGatewayError(refusal, NOW).quota).toMatchObject({ limit: 2, used: 2, resetAt: NOW + 1000 });
  });

  it.each([
    ['day', '2028-03-01T00:00:00.000Z', budget('day', { reserved: 300_000_000n, waitMs: 1000 })],
    ['month', '2028-03-01T00:00:00.000Z', budget('month', { reserved: 300_000_000n })],
  ] as const)('of a budget of the %s: when the next begins, UTC', (dimension, resetAt, refusal) => {
    const error = toGatewayError(refusal, NOW);
    expect(error).toMatchObject({ code: 'budget_exceeded', retryAfterMs: undefined });
    expect(error.quota).toEqual({
      scope: 'team:search',
      dimension,
      limit: '5',
      used: '4.9',
      reserved: '0.3',
      resetAt: Date.parse(resetAt),
    });
    const state = '4.9 USD spent and 0.3 USD held by requests that are running of 5 USD';
    expect(error.message).toBe(
      `The budget of the ${dimension} of team:search does not allow this request: ${state}, until ${resetAt}.`,
    );
  });

  it('of a month that ends the year', () => {
    const resetAt = toGatewayError(budget('month'), Date.UTC(2028, 11, 5)).quota?.resetAt;
    expect(resetAt).toBe(Date.UTC(2029, 0, 1));
  });
});
