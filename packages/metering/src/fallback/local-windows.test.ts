import { beforeEach, expect, test } from 'vitest';
import { sampleReserve } from '../../test/samples.ts';
import type { Limits } from '../quota/quota.ts';
import { createLocalWindows, type LocalWindows } from './local-windows.ts';

let now: number;
let windows: LocalWindows;
beforeEach(() => {
  now = 1_000_000;
  windows = createLocalWindows({ gateways: 2, now: () => now });
});

let count = 0;
const toRequest = (limits: Limits, tokens = 100) =>
  sampleReserve(`req_${count++}`, { scopes: [{ id: 'key:demo', limits }], tokens });
const reserve = (limits: Limits, tokens = 100) => windows.reserve(toRequest(limits, tokens));

test.each<[string, Limits]>([
  ['requests', { requestsPerMinute: 7 }],
  ['tokens', { tokensPerMinute: 799 }],
  ['concurrency', { concurrency: 7 }],
])('of %s no more than the share of one gateway is given away', (dimension, limits) => {
  for (let granted = 0; granted < 3; granted++) expect(reserve(limits)).toMatchObject({ granted: true });
  const refusal = reserve(limits);
  expect(refusal).toMatchObject({ granted: false, scope: 'key:demo', dimension });
  expect(refusal).toMatchObject({ waitMs: expect.any(Number) });
});

test('no 60 seconds hold more than the share, wherever they begin, and a wait ends when a try passes', () => {
  const admitted: number[] = [];
  for (const end = now + 300_000; now < end; now += 700) {
    const decision = reserve({ requestsPerMinute: 20 });
    if (decision.granted) admitted.push(now);
    else {
      const { waitMs = 0 } = decision;
      now += waitMs - 1;
      expect(reserve({ requestsPerMinute: 20 }).granted).toBe(false);
      now += 1;
      expect(reserve({ requestsPerMinute: 20 }).granted).toBe(true);
      admitted.push(now);
    }
  }
  for (const [index, start] of admitted.entries()) {
    expect(admitted.slice(index).filter((time) => time < start + 60_000).length).toBeLessThanOrEqual(10);
  }
  expect(admitted.length).toBeGreaterThanOrEqual(40);
});

test('what was granted by the store before counts', () => {
  for (let noted = 0; noted < 5; noted++) windows.note(toRequest({ requestsPerMinute: 10 }));
  expect(reserve({ requestsPerMinute: 10 })).toMatchObject({ granted: false, used: 5n, limit: 5n });
});

test('a request that has ended gives its place back, and the tokens that it did not use', () => {
  const limits = { tokensPerMinute: 400, concurrency: 4 };
  const [first, second] = [toRequest(limits), toRequest(limits)];
  windows.reserve(first);
  windows.reserve(second);
  expect(reserve(limits).granted).toBe(false);
  for (const { requestId } of [first, second, second]) windows.settle({ requestId, tokens: 30 });
  expect(reserve(limits)).toMatchObject({ granted: true, remaining: [{ tokens: { limit: 200, remaining: 40 } }] });
});

test('one that alone is more than the share has nothing to wait for, and a scope without limits has none', () => {
  expect(reserve({ tokensPerMinute: 100 }, 51)).toMatchObject({ granted: false, waitMs: undefined });
  for (let granted = 0; granted < 1000; granted++) expect(reserve({}).granted).toBe(true);
});
