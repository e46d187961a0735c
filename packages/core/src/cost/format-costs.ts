import type { CostByKind } from './cost.ts';
import { formatUsd } from './format-usd.ts';

/** A cost by kind of token as answers show it: exact decimal amounts of USD. */
export function formatCosts({ input, cached, cacheWrite, output, reasoning }: CostByKind) {
  return {
    input: formatUsd(input),
    cached: formatUsd(cached),
    cache_write: formatUsd(cacheWrite),
    output: formatUsd(output),
    reasoning: formatUsd(reasoning),
  };
}
