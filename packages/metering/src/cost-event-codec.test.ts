import { expect, test } from 'vitest';
import { sampleEvent } from '../test/samples.ts';
import { decodeCostEvent, encodeCostEvent } from './cost-event-codec.ts';

test('gives back every member of an event, money to the nano', () => {
  const event = sampleEvent({
    counts: { ...sampleEvent().counts, cacheWrite1hTokens: 1 },
    costNanoUsd: 99_999_999_999_999_999n,
  });
  expect(decodeCostEvent(encodeCostEvent(event))).toEqual(event);
});

test('reads an event of an older release, which states no kinds of cost, as if all of it were plain input and output', () => {
  const { costsNanoUsd: _, ...older } = JSON.parse(encodeCostEvent(sampleEvent()));
  const event = decodeCostEvent(JSON.stringify(older));
  expect(event.costsNanoUsd).toEqual({ input: 300_000n, cached: 0n, cacheWrite: 0n, output: 900_000n, reasoning: 0n });
  expect(event.counts).not.toHaveProperty('cacheWrite1hTokens');
});

test('ignores members that a later release has added', () => {
  const later = { ...JSON.parse(encodeCostEvent(sampleEvent())), mood: 'good' };
  expect(decodeCostEvent(JSON.stringify(later))).toEqual(sampleEvent());
});

test.each([
  [{ costNanoUsd: '1.5' }, 'costNanoUsd'],
  [{ costsNanoUsd: { input: '1' } }, 'costsNanoUsd.cached'],
  [{ counts: { promptTokens: -1 } }, 'counts.promptTokens'],
])('refuses %j and names the member', (changes, member) => {
  const wrong = { ...JSON.parse(encodeCostEvent(sampleEvent())), ...changes };
  expect(() => decodeCostEvent(JSON.stringify(wrong))).toThrow(member);
});
