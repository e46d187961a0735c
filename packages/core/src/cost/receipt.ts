import type { TokenCounts } from '../chat/usage.ts';
import { type Cost, computeCost } from './cost.ts';
import type { Price } from './price.ts';
import { settleUsage, type UsageEvidence } from './settle-usage.ts';

/** What a request used and what it costs: the one set of figures that comment, `usage.cost`, log and ledger show. */
export interface Receipt {
  readonly counts: TokenCounts;
  readonly cost: Cost;
  /** True when any figure is our own count and not the provider's. */
  readonly estimated: boolean;
}

/** The receipt of a request that no provider began to answer. */
export const NOTHING_USED: Receipt = {
  counts: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
  cost: {
    total: 0n,
    input: 0n,
    output: 0n,
    byKind: { input: 0n, cached: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n },
  },
  estimated: false,
};

/** Settles the usage and puts the price to it. Pure, so it may be called again and again while a stream runs. */
export function createReceipt(evidence: UsageEvidence, price: Price): Receipt {
  const { counts, estimated } = settleUsage(evidence);
  return { counts, cost: computeCost(counts, price), estimated };
}
