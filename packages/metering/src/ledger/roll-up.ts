import type { CostEvent } from '../cost-event.ts';
import type { LedgerEntry } from './ledger.ts';

/** What a batch of entries adds to the sums of one scope and period. */
export interface RollUp {
  readonly scope: string;
  /** `yyyymmdd` or `yyyymm`. */
  readonly period: string;
  readonly deltaNanoUsd: bigint;
  readonly requests: number;
}

/** Whose money a request spends. */
export function scopesOf({ keyId, user, team, org }: CostEvent): readonly string[] {
  const scopes = [`key:${keyId}`, `org:${org}`];
  if (user !== undefined) scopes.push(`user:${user}`);
  if (team !== undefined) scopes.push(`team:${team}`);
  return scopes;
}

/**
 * Sums entries per scope (key, user, team, organisation) and period. In the order of their keys, so that two writers never wait
 * for each other in a circle.
 */
export function rollUp(entries: readonly LedgerEntry[]): readonly RollUp[] {
  const sums = new Map<string, RollUp>();
  for (const { kind, event, deltaNanoUsd, day, month } of entries) {
    for (const scope of scopesOf(event)) {
      for (const period of [day, month]) {
        const name = `${scope} ${period}`;
        const sum = sums.get(name) ?? { scope, period, deltaNanoUsd: 0n, requests: 0 };
        sums.set(name, {
          scope,
          period,
          deltaNanoUsd: sum.deltaNanoUsd + deltaNanoUsd,
          requests: sum.requests + (kind === 'T' ? 1 : 0),
        });
      }
    }
  }
  return [...sums].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, sum]) => sum);
}
