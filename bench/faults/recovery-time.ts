import type { Outcome } from './offer.ts';

const WINDOW_MS = 1_000;
const GOOD_SHARE = 0.95;

/**
 * Seconds from healing until at least 95 % of the requests of every second that follows succeed; Infinity if that did not
 * come about. A second begins at each request, not only at whole ones.
 * @param outcomes in the order of `sentAtMs`.
 */
export function toRecoverySeconds(outcomes: readonly Outcome[], healedAtMs: number): number {
  const after = outcomes.filter(({ sentAtMs }) => sentAtMs >= healedAtMs);
  const windowOf = ({ sentAtMs }: Outcome): Outcome[] =>
    after.filter((outcome) => outcome.sentAtMs >= sentAtMs && outcome.sentAtMs < sentAtMs + WINDOW_MS);
  const isGood = (window: readonly Outcome[]): boolean =>
    window.filter((outcome) => outcome.isGood).length >= GOOD_SHARE * window.length;
  const lastBad = after.findLastIndex((outcome) => !isGood(windowOf(outcome)));
  const first = after[lastBad + 1];
  return first === undefined ? Infinity : (first.sentAtMs - healedAtMs) / 1_000;
}
