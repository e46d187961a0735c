import { setImmediate as turn } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Ticker } from './ticker.ts';

it('runs every step at its rate, also when the event loop was busy, and then stops', async () => {
  const ticker = new Ticker(20);
  const { promise: done, resolve } = Promise.withResolvers<void>();
  const counts = [0, 0];
  let running = 2;
  for (const index of [0, 1]) {
    ticker.add(() => {
      counts[index] = (counts[index] ?? 0) + 1;
      if (counts[index] < 5) return true;
      if (--running === 0) resolve();
      return false;
    });
  }
  const busyUntil = performance.now() + 45;
  while (performance.now() < busyUntil);
  await new Promise(setImmediate);
  await new Promise((next) => void setTimeout(next, 5));
  expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
  await done;
  expect(counts).toEqual([5, 5]);
  // The runner has timers of its own, so it is looked for new ones: the ticker makes one for each of its turns.
  const setTimer = vi.spyOn(globalThis, 'setTimeout');
  for (const until = performance.now() + 60; performance.now() < until;) await turn();
  expect(setTimer).not.toHaveBeenCalled();
  setTimer.mockRestore();
});
