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

it('tells whether something answers', async () => {
  expect(await answersWithin(Promise.resolve(), 10_000)).toBe(true);
  expect(await answersWithin(Promise.reject(new Error('away')), 10_000)).toBe(false);
  expect(await answersWithin(new Promise(() => {}), 10)).toBe(false);
});
