import type { TokenCounts } from '../chat/usage.ts';
import type { Cost } from './cost.ts';

/** What a request used and what it costs: the one set of figures that comment, `usage.cost`, log and ledger show. */
export interface Receipt {
  readonly counts: TokenCounts;
  readonly cost: Cost;
  /** True when any figure is our own count and not the provider's. */
  readonly estimated: boolean;
}
