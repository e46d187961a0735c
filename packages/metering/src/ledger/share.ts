import type { CostByKind, TokenCounts } from '@tokenhub/core';
import type { LedgerEntry } from './ledger.ts';

/** What a row adds to the sums of usage. */
export interface Share {
  readonly counts: TokenCounts;
  /** Together what the row adds to the money, but for a row that moves money of no kind of token. */
  readonly costsNanoUsd: CostByKind;
}

/**
 * A `T` row adds what its event states, and an `R` row, a refund or a later charge, adds money alone.
 *
 * An `A` row states the truth of a request whose lease had expired. Nobody had counted tokens by then, and what the request had
 * cost so far was booked as input, so the row adds every token, and every cost less that input: together both rows are the truth.
 */
export function shareOf({ kind, event, deltaNanoUsd }: LedgerEntry): Share {
  if (kind === 'R') return NOTHING;
  const { counts, costsNanoUsd } = event;
  const bookedBefore = event.costNanoUsd - deltaNanoUsd;
  return { counts, costsNanoUsd: { ...costsNanoUsd, input: costsNanoUsd.input - bookedBefore } };
}

const NOTHING: Share = {
  counts: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  costsNanoUsd: { input: 0n, cached: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n },
};
