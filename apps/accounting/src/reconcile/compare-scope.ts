import type { PeriodSum, ScopeSnapshot } from '@tokenhub/metering';

/** What the store counts for a scope differs from what it should. */
export interface CounterDifference {
  /** `settled`: not what the ledger says · `held`: something is, though nothing runs. */
  readonly kind: 'settled' | 'held';
  readonly scope: string;
  /** `yyyymmdd` or `yyyymm`. */
  readonly period: string;
  readonly expectedNanoUsd: bigint;
  readonly actualNanoUsd: bigint;
  /** The scope as it was found. */
  readonly state: ScopeSnapshot;
}

export interface Circumstances {
  /** The oldest periods that the store keeps for certain. */
  readonly sinceDay: string;
  readonly sinceMonth: string;
  /** Nothing runs in the whole shard. */
  readonly isIdle: boolean;
}

/** Compares a scope with the ledger's sums at the same moment; one that is not seeded has nothing to be compared yet. */
export function compareScope(
  state: ScopeSnapshot,
  sums: readonly PeriodSum[],
  { sinceDay, sinceMonth, isIdle }: Circumstances,
): readonly CounterDifference[] {
  const { scope, isSeeded, live, periods } = state;
  if (!isSeeded) return [];
  const differences: CounterDifference[] = [];
  const expected = new Map(sums.map(({ period, nanoUsd }) => [period, nanoUsd]));
  const actual = new Map(periods.map(({ period, settledNanoUsd }) => [period, settledNanoUsd]));
  for (const period of new Set([...expected.keys(), ...actual.keys()])) {
    // The oldest may have been dropped by one of the two already.
    if (period <= (period.length === 8 ? sinceDay : sinceMonth)) continue;
    const [expectedNanoUsd, actualNanoUsd] = [expected.get(period) ?? 0n, actual.get(period) ?? 0n];
    if (expectedNanoUsd === actualNanoUsd) continue;
    differences.push({ kind: 'settled', scope, period, expectedNanoUsd, actualNanoUsd, state });
  }
  const held = periods.filter(({ heldNanoUsd }) => heldNanoUsd !== 0n);
  if (isIdle && (held.length > 0 || live !== 0)) {
    const [{ period, heldNanoUsd } = { period: '', heldNanoUsd: 0n }] = held;
    differences.push({ kind: 'held', scope, period, expectedNanoUsd: 0n, actualNanoUsd: heldNanoUsd, state });
  }
  return differences;
}
