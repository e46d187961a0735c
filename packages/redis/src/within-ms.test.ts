import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { answersWithin, withinMs } from './within-ms.ts';

it('gives what comes in time, and its rejection', async () => {
  expect(await withinMs(sleep(1, 'here'), 10_000)).toBe('here');
  await expect(withinMs(Promise.reject(new Error('away')), 10_000)).rejects.toThrow('away');
});

it('gives up what does not, and nobody hears when that is rejected later', async () => {
  const late = sleep(50).then(() => Promise.reject(new Error('too late to matter')));
  await expect(withinMs(late, 10)).rejects.toThrow('no answer within 10 ms');
  await sleep(60);
});

it('does not count against the other side what this process was late itself', async () => {
  // As a command that is written at the end of this turn of the loop and answered 30 ms later
  const answer = new Promise((resolve) => setImmediate(() => setTimeout(resolve, 30, 'here')));
  const inTime = withinMs(answer, 50);
  const begin = performance.now();
  while (performance.now() - begin < 150);
  expect(await inTime).toBe('here');
});

it('waits no longer than twice its time, however late this process was', async () => {
  const inTime = withinMs(new Promise(() => {}), 50);
  const begin = performance.now();
  while (performance.now() - begin < 300);
  await expect(Promise.race([inTime, sleep(10_000, 'for ever')])).rejects.toThrow('no answer within 50 ms');
});

it('tells whether something answers', async () => {
  expect(await answersWithin(Promise.resolve(), 10_000)).toBe(true);
  expect(await answersWithin(Promise.reject(new Error('away')), 10_000)).toBe(false);
  expect(await answersWithin(new Promise(() => {}), 10)).toBe(false);
});
