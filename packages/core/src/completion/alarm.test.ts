import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createAlarm } from './alarm.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('an alarm does not go off a part of a millisecond before its time', () => {
  const abort = vi.fn();
  const answer = { status: 200, headers: {}, body: (async function* () {})(), discard: () => {}, abort };
  createAlarm(answer, () => 0).set(10.9);
  vi.advanceTimersByTime(10);
  expect(abort).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(abort).toHaveBeenCalledOnce();
});
