import { describe, expect, test } from 'vitest';
import { createHealth, type Health } from './health.ts';

const ID = 'gpt-4@openai';

/** Health under a clock that moves only when told to. */
function start(startMs = 0): { health: Health; pass: (ms: number) => void } {
  let nowMs = startMs;
  const health = createHealth({ now: () => nowMs });
  return { health, pass: (ms) => (nowMs += ms) };
}

function repeat(times: number, action: () => void): void {
  for (let time = 0; time < times; time += 1) action();
}

test('a deployment never heard of is well', () => {
  const { health } = start();
  expect(health.read(ID)).toEqual({ requests: 0, failures: 0, errorRate: 0, ttftMs: 0, unhealthy: false });
  expect(health.snapshot().size).toBe(0);
});

describe('the error rate', () => {
  test('is the share of failures', () => {
    const { health } = start();
    repeat(3, () => health.recordSuccess(ID));
    health.recordFailure(ID);
    expect(health.read(ID)).toMatchObject({ requests: 4, failures: 1, errorRate: 0.25 });
  });

  test('forgets slot by slot what is a minute old', () => {
    const { health, pass } = start();
    health.recordFailure(ID);
    pass(30_000);
    health.recordSuccess(ID);
    expect(health.read(ID).errorRate).toBe(0.5);
    pass(29_999);
    expect(health.read(ID).errorRate).toBe(0.5);
    pass(1);
    expect(health.read(ID)).toMatchObject({ requests: 1, failures: 0, errorRate: 0 });
    pass(30_000);
    expect(health.read(ID).requests).toBe(0);
  });

  test('starts anew after a silence of any length, at any time of the clock', () => {
    const { health, pass } = start(1_700_000_123_456);
    repeat(7, () => health.recordFailure(ID));
    pass(86_400_000 * 365);
    health.recordSuccess(ID);
    expect(health.read(ID)).toMatchObject({ requests: 1, failures: 0 });
  });

  test('agrees with a plain list of outcomes over many windows', () => {
    const { health, pass } = start();
    const outcomes: { slot: number; failed: boolean }[] = [];
    let nowMs = 0;
    for (let step = 0; step < 500; step += 1) {
      const failed = step % 3 === 0;
      if (failed) health.recordFailure(ID);
      else health.recordSuccess(ID);
      outcomes.push({ slot: Math.floor(nowMs / 10_000), failed });
      const gapMs = (step * 7919) % 4001;
      pass(gapMs);
      nowMs += gapMs;
      const recent = outcomes.filter(({ slot }) => slot > Math.floor(nowMs / 10_000) - 6);
      expect(health.read(ID)).toMatchObject({
        requests: recent.length,
        failures: recent.filter((outcome) => outcome.failed).length,
      });
    }
  });

  test('survives a clock that steps back', () => {
    const { health, pass } = start(100_000);
    health.recordFailure(ID);
    pass(-50_000);
    health.recordSuccess(ID);
    expect(health.read(ID)).toMatchObject({ requests: 2, failures: 1 });
  });
});

describe('the time to the first token', () => {
  test('is the first measurement, then moves a tenth of the way to each new one', () => {
    const { health } = start();
    health.recordFirstToken(ID, 500);
    expect(health.read(ID).ttftMs).toBe(500);
    health.recordFirstToken(ID, 1500);
    expect(health.read(ID).ttftMs).toBe(600);
    health.recordFirstToken(ID, 600);
    expect(health.read(ID).ttftMs).toBe(600);
  });

  test('is unknown again when nobody was served for five minutes, so that it is measured anew', () => {
    const { health, pass } = start();
    health.recordFirstToken(ID, 9000);
    pass(299_999);
    expect(health.read(ID).ttftMs).toBe(9000);
    pass(1);
    expect(health.read(ID).ttftMs).toBe(0);
    health.recordFirstToken(ID, 100);
    expect(health.read(ID).ttftMs).toBe(100);
  });
});

describe('unhealthy', () => {
  test('is five failures in a row, not four, and not five among successes', () => {
    const { health } = start();
    repeat(4, () => health.recordFailure(ID));
    expect(health.read(ID).unhealthy).toBe(false);
    health.recordSuccess(ID);
    repeat(4, () => health.recordFailure(ID));
    expect(health.read(ID).unhealthy).toBe(false);
    health.recordFailure(ID);
    expect(health.read(ID).unhealthy).toBe(true);
  });

  test('rests ten seconds, gets its chance, and rests again at the next failure', () => {
    const { health, pass } = start();
    repeat(5, () => health.recordFailure(ID));
    pass(9999);
    expect(health.read(ID).unhealthy).toBe(true);
    pass(1);
    expect(health.read(ID).unhealthy).toBe(false);
    health.recordFailure(ID);
    expect(health.read(ID).unhealthy).toBe(true);
  });

  test('ends with the first success', () => {
    const { health } = start();
    repeat(5, () => health.recordFailure(ID));
    health.recordSuccess(ID);
    expect(health.read(ID).unhealthy).toBe(false);
  });
});

test('keeps deployments apart, and shows all of them', () => {
  const { health } = start();
  health.recordFailure(ID);
  health.recordSuccess('gpt-4@other');
  expect([...health.snapshot()].map(([id, { errorRate }]) => [id, errorRate])).toEqual([
    [ID, 1],
    ['gpt-4@other', 0],
  ]);
});
