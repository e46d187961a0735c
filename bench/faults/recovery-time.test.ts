import { describe, expect, it } from 'vitest';
import type { Outcome } from './offer.ts';
import { toRecoverySeconds } from './recovery-time.ts';

/** 20 requests a second from one second before healing, which is at 10,000 ms, to ten seconds after it. */
function outcomes(isGood: (secondsAfterHealing: number) => boolean): Outcome[] {
  return Array.from({ length: 220 }, (_, index) => {
    const sentAtMs = 9_000 + index * 50;
    const good = isGood((sentAtMs - 10_000) / 1_000);
    return { sentAtMs, status: good ? 200 : 503, isGood: good, answeredInMs: 1 };
  });
}

describe('the time to recover', () => {
  it('is none where everything succeeds once it is healed, whatever failed before', () => {
    expect(
      toRecoverySeconds(
        outcomes((seconds) => seconds >= 0),
        10_000,
      ),
    ).toBe(0);
  });

  it('ends with the first of the requests that succeed, but for one in twenty', () => {
    // The second that begins with the last failure has 1 failure in 20.
    expect(
      toRecoverySeconds(
        outcomes((seconds) => seconds >= 4),
        10_000,
      ),
    ).toBeCloseTo(3.95);
  });

  it('counts from the last relapse', () => {
    expect(
      toRecoverySeconds(
        outcomes((seconds) => seconds >= 1 && !(seconds >= 6 && seconds < 7)),
        10_000,
      ),
    ).toBeCloseTo(6.95);
  });

  it('does not end where requests fail to the last', () => {
    expect(
      toRecoverySeconds(
        outcomes(() => false),
        10_000,
      ),
    ).toBe(Infinity);
  });
});
