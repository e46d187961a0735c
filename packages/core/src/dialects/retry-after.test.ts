import { expect, test } from 'vitest';
import { readRetryAfterMs } from './retry-after.ts';

const date = 'Wed, 21 Oct 2015 07:28:00 GMT';

test.each([
  [{}, undefined],
  [{ 'retry-after': '2' }, 2000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after-ms': '174.2', 'retry-after': '1' }, 175],
  [{ 'retry-after-ms': 'soon', 'retry-after': '1' }, 1000],
  [{ 'retry-after': 'Wed, 21 Oct 2015 07:28:30 GMT', date }, 30_000],
  [{ 'retry-after': 'Wed, 21 Oct 2015 07:27:00 GMT', date }, 0],
  [{ 'retry-after': 'later' }, undefined],
  [{ 'retry-after': '-1' }, undefined],
  [{ 'retry-after': '-5', date }, undefined],
])('%j is %j ms', (headers, expected) => {
  expect(readRetryAfterMs(headers)).toBe(expected);
});

test('without a date of its own an answer is measured by our clock', () => {
  const at = new Date(Date.now() + 60_000).toUTCString();
  expect(readRetryAfterMs({ 'retry-after': at })).toBeGreaterThan(50_000);
});
