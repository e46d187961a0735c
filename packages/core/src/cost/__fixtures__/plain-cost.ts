import type { Cost } from '../cost.ts';

/** What a request costs that used neither cache nor reasoning, in nano-USD. */
export function plainCost(input: bigint, output: bigint): Cost {
  const byKind = { input, cached: 0n, cacheWrite: 0n, output, reasoning: 0n };
  return { total: input + output, input, output, byKind };
}
