import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRORS, GatewayError, isGatewayError } from './errors.ts';

test('the README has a remedy for every code, and its status', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const rows = readme.matchAll(/^\| `(\w+)` +\| (\d{3}) +\| \S.*\|$/gm);
  const documented = Object.fromEntries(Array.from(rows, ([, code, status]) => [code, Number(status)]));
  const statuses = Object.fromEntries(Object.entries(ERRORS).map(([code, { status }]) => [code, status]));
  expect(documented).toEqual(statuses);
});

test("only a provider's own faults count against it, and all of them let the next one try", () => {
  for (const [code, { blamesProvider, failover }] of Object.entries(ERRORS)) {
    if (blamesProvider) expect([code, failover]).toEqual([expect.stringMatching(/^upstream_/), 'next']);
  }
  expect(ERRORS.upstream_rejected).toMatchObject({ status: 400, failover: 'no', blamesProvider: false });
  expect(ERRORS.upstream_rate_limited).toMatchObject({ status: 429, failover: 'next', blamesProvider: false });
  expect(ERRORS.context_length_exceeded).toMatchObject({ status: 400, failover: 'larger', blamesProvider: false });
  expect(ERRORS.client_cancelled).toMatchObject({ failover: 'no', blamesProvider: false });
});

test('an error keeps what happened underneath and knows its row of the table', () => {
  const cause = new Error('underneath');
  const error = new GatewayError('rate_limit_exceeded', 'Wait.', { cause, retryAfterMs: 500, param: 'n' });
  expect(error).toMatchObject({ name: 'GatewayError', message: 'Wait.', cause, retryAfterMs: 500, param: 'n' });
  expect(error.facts).toBe(ERRORS.rate_limit_exceeded);
  expect('cause' in new GatewayError('internal_error', 'x')).toBe(false);
});

test('an error is recognised by its brand, also from another copy of this package', () => {
  const foreign = { [Symbol.for('tokenhub.GatewayError')]: true, code: 'upstream_timeout' };
  expect(isGatewayError(new GatewayError('internal_error', 'x'))).toBe(true);
  expect(isGatewayError(foreign)).toBe(true);
  for (const other of [new Error('x'), undefined, null, 'x', {}]) expect(isGatewayError(other)).toBe(false);
});
