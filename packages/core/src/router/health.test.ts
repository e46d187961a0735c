import { describe, expect, test } from 'vitest';
import type { HealthPeers } from './health-peers.ts';
import { createHealth, type Health } from './health.ts';

const ID = 'gpt-4@openai';

/** Health under a clock that moves only when told to. */
function start(startMs = 0): { health: Health; pass: (ms: number) => void } {
  let nowMs = startMs;
  const health = createHealth({ now: () => nowMs });
  return { health, pass: (ms) => (nowMs += ms) };
}

/** A request that was sent at `sentAt` gets no first token. */
function fail(health: Health, sentAt = Infinity): void {
  health.recordFailure(ID, { sentAt, isBroken: false });
}

function repeat(times: number, action: () => void): void {
  for (let time = 0; time < times; time += 1) action();
}

test('a deployment never heard of is well', () => {
  const { health } = start();
  expect(health.read(ID)).toEqual({
    requests: 0,
    failures: 0,
    errorRate: 0,
    ttftMs: 0,
    msPerToken: 0,
    breaker: 'closed',
    openMs: 0,
    cooldownMs: 0,
  });
  expect(health.admit(ID, 1000)).toBe(true);
  expect(health.snapshot().size).toBe(0);
});

describe('the error rate', () => {
  test('is the share of failures', () => {
    const { health } = start();
    repeat(3, () => health.recordSuccess(ID));
    fail(health);
    expect(health.read(ID)).toMatchObject({ requests: 4, failures: 1, errorRate: 0.25 });
  });

  test('forgets slot by slot what is a minute old', () => {
    const { health, pass } = start();
    fail(health);
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
    repeat(7, () => fail(health));
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
      if (failed) fail(health);
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
    fail(health);
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

test('one that was waited for in vain takes longer than that', () => {
  const { health } = start();
  health.recordNothing(ID, 0, 5_000);
  expect(health.read(ID)).toMatchObject({ ttftMs: 5_000, failures: 0 });
  health.recordNothing(ID, 0, 100);
  expect(health.read(ID).ttftMs).toBe(5_000);
});

test('the time from token to token is averaged over good answers that tell it', () => {
  const { health } = start();
  health.recordSuccess(ID, 20);
  health.recordSuccess(ID);
  health.recordSuccess(ID, 30);
  expect(health.read(ID).msPerToken).toBe(21);
});

describe('the breaker', () => {
  test('opens after five failures in a row, not four, and not five among successes', () => {
    const { health } = start();
    repeat(4, () => fail(health));
    health.recordSuccess(ID);
    repeat(4, () => fail(health));
    expect(health.read(ID)).toMatchObject({ breaker: 'closed', openMs: 0 });
    fail(health);
    expect(health.read(ID)).toMatchObject({ breaker: 'open', openMs: 5_000 });
  });

  test('stays closed for a deployment that fails and serves by turns: without siblings half is better than nothing', () => {
    const { health } = start();
    repeat(100, () => {
      fail(health);
      health.recordSuccess(ID);
    });
    expect(health.read(ID)).toMatchObject({ breaker: 'closed', errorRate: 0.5 });
  });

  test('lets nobody through while open, then one probe alone, whose first token closes it', async () => {
    const { health, pass } = start();
    repeat(5, () => fail(health));
    expect(await health.admit(ID, 1000)).toBe(false);
    pass(5_000);
    expect(health.read(ID)).toMatchObject({ breaker: 'half_open', openMs: 0 });
    const admissions = [1, 2, 3].map(async () => health.admit(ID, 1000));
    expect(await Promise.all(admissions)).toEqual([true, false, false]);
    // Whoever ranks now need not even ask.
    expect(health.read(ID).openMs).toBeGreaterThan(0);
    health.recordFirstToken(ID, 100);
    expect(health.read(ID)).toMatchObject({ breaker: 'closed', openMs: 0, requests: 0, failures: 0 });
    expect(health.admit(ID, 1000)).toBe(true);
  });

  test('rests longer after a probe that failed, but never longer than 10 s', async () => {
    const { health, pass } = start();
    repeat(5, () => fail(health));
    for (const restMs of [5_000, 10_000, 10_000]) {
      expect(health.read(ID).openMs).toBe(restMs);
      pass(restMs);
      expect(await health.admit(ID, 1000)).toBe(true);
      fail(health);
    }
  });

  test('begins with the short rest again once it was closed', async () => {
    const { health, pass } = start();
    repeat(5, () => fail(health));
    pass(5_000);
    await health.admit(ID, 1000);
    health.recordFirstToken(ID, 100);
    repeat(4, () => fail(health));
    expect(health.read(ID).breaker).toBe('closed');
    fail(health);
    expect(health.read(ID)).toMatchObject({ breaker: 'open', openMs: 5_000 });
  });

  test('learns nothing from requests that began before it opened', () => {
    const { health, pass } = start();
    repeat(5, () => fail(health, 0));
    pass(1_000);
    fail(health, 0);
    health.recordSuccess(ID);
    expect(health.read(ID)).toMatchObject({ breaker: 'open', openMs: 4_000 });
    pass(4_000);
    health.recordSuccess(ID);
    fail(health, 0);
    expect(health.read(ID)).toMatchObject({ breaker: 'half_open', openMs: 0 });
  });

  test('lets no request from before decide the probe, whether it fails or its caller leaves', async () => {
    const { health, pass } = start();
    repeat(5, () => fail(health, 0));
    pass(5_000);
    expect(await health.admit(ID, 10_000)).toBe(true);
    pass(100);
    fail(health, 0);
    health.recordNothing(ID, 4_999);
    expect(await health.admit(ID, 10_000)).toBe(false);
    expect(health.read(ID).breaker).toBe('half_open');
    health.recordFirstToken(ID, 200);
    expect(health.read(ID).breaker).toBe('closed');
  });

  test('opens when five streams in a row break off, though each had its first token', () => {
    const { health } = start();
    repeat(5, () => {
      expect(health.read(ID).breaker).toBe('closed');
      health.recordFirstToken(ID, 10);
      health.recordFailure(ID, { sentAt: 0, isBroken: true });
    });
    expect(health.read(ID).breaker).toBe('open');
  });

  test('stays closed while streams come to their good end between those that break', () => {
    const { health } = start();
    repeat(20, () => {
      repeat(4, () => health.recordFailure(ID, { sentAt: 0, isBroken: true }));
      health.recordSuccess(ID);
    });
    expect(health.read(ID).breaker).toBe('closed');
  });

  test('gets its probe back from a caller that left, and in time from one that is never heard of again', async () => {
    const { health, pass } = start();
    repeat(5, () => fail(health));
    pass(5_000);
    expect(await health.admit(ID, 1000)).toBe(true);
    health.recordNothing(ID, Infinity);
    expect(await health.admit(ID, 1000)).toBe(true);
    pass(1000);
    expect(await health.admit(ID, 1000)).toBe(true);
  });

  test('is closed by a probe that took longer than it kept others back', async () => {
    const { health, pass } = start();
    repeat(5, () => fail(health));
    pass(5_000);
    expect(await health.admit(ID, 1000)).toBe(true);
    pass(20_000);
    health.recordFirstToken(ID, 20_000);
    expect(health.read(ID).breaker).toBe('closed');
  });
});

describe('a cooldown', () => {
  test('lasts as long as it was asked for, five minutes at most, and is not cut by a shorter one', () => {
    const { health, pass } = start();
    health.coolDown(ID, 120_000);
    health.coolDown(ID, 1_000);
    expect(health.read(ID)).toMatchObject({ cooldownMs: 120_000, breaker: 'closed', failures: 0 });
    pass(120_000);
    expect(health.read(ID).cooldownMs).toBe(0);
    health.coolDown(ID, 86_400_000);
    expect(health.read(ID).cooldownMs).toBe(300_000);
  });
});

describe('among peers', () => {
  /** Two processes of one cluster whose news arrive at once. */
  function startTwo() {
    let nowMs = 0;
    let holder: string | undefined;
    const all = new Map<string, Health>();
    const join = (name: string): Health => {
      const peers: HealthPeers = {
        takeProbe: () => Promise.resolve((holder ??= name) === name),
        returnProbe: () => void (holder = holder === name ? undefined : holder),
        announce: (news) => all.forEach((health, other) => other !== name && health.hear(news)),
      };
      const health = createHealth({ now: () => nowMs, peers });
      all.set(name, health);
      return health;
    };
    return { first: join('first'), second: join('second'), pass: (ms: number) => (nowMs += ms) };
  }

  test('one probe is sent by the whole cluster, and its answer closes the breaker everywhere', async () => {
    const { first, second, pass } = startTwo();
    for (const health of [first, second]) repeat(5, () => fail(health));
    pass(5_000);
    expect(await Promise.all([first.admit(ID, 1000), second.admit(ID, 1000)])).toEqual([true, false]);
    expect(second.read(ID).breaker).toBe('open');
    first.recordFirstToken(ID, 100);
    expect(first.read(ID).breaker).toBe('closed');
    expect(second.read(ID).breaker).toBe('closed');
  });

  test('a probe that failed leaves it open everywhere, and the next rest over anybody may try', async () => {
    const { first, second, pass } = startTwo();
    for (const health of [first, second]) repeat(5, () => fail(health));
    pass(5_000);
    expect(await first.admit(ID, 1000)).toBe(true);
    fail(first);
    expect(first.read(ID).breaker).toBe('open');
    pass(1_000);
    expect(await second.admit(ID, 1000)).toBe(true);
  });

  test('what failed for others opens here at its first failure, not before: their network may be at fault', () => {
    const { first, second } = startTwo();
    repeat(5, () => fail(first));
    expect(second.read(ID).breaker).toBe('closed');
    fail(second);
    expect(second.read(ID).breaker).toBe('open');
  });

  test('and what goes well here is worth more than what others say', () => {
    const { first, second } = startTwo();
    repeat(5, () => fail(first));
    second.recordFirstToken(ID, 10);
    fail(second);
    expect(second.read(ID).breaker).toBe('closed');
  });

  test('that closes while its probe is asked for lets the request through', async () => {
    const asked = Promise.withResolvers<boolean>();
    const peers = { takeProbe: () => asked.promise, returnProbe: () => {}, announce: () => {} };
    let nowMs = 0;
    const health = createHealth({ now: () => nowMs, peers });
    repeat(5, () => fail(health));
    nowMs = 5_000;
    const admitted = health.admit(ID, 1000);
    health.hear({ kind: 'closed', deployment: ID });
    asked.resolve(false);
    expect(await admitted).toBe(true);
  });

  test('a cooldown holds for all', () => {
    const { first, second } = startTwo();
    first.coolDown(ID, 60_000);
    expect(second.read(ID).cooldownMs).toBe(60_000);
  });
});

test('keeps deployments apart, and shows all of them', () => {
  const { health } = start();
  fail(health);
  health.recordSuccess('gpt-4@other');
  expect([...health.snapshot()].map(([id, { errorRate }]) => [id, errorRate])).toEqual([
    [ID, 1],
    ['gpt-4@other', 0],
  ]);
});

test('forgets deployments that are gone, and only those', () => {
  const { health } = start();
  fail(health);
  health.recordFailure('gpt-4@gone', { sentAt: 0, isBroken: false });
  health.retain(new Set([ID]));
  expect([...health.snapshot().keys()]).toEqual([ID]);
});
