import type { Admission, CostEvent } from './cost-event.ts';

/** The event of a request whose gateway died: nobody has counted, the cost is that of the last sign of life. */
export function toExpiredEvent(admission: Admission, costNanoUsd: bigint, expiredAt: number): CostEvent {
  return {
    ...admission,
    outcome: 'lease_expired',
    counts: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    costNanoUsd,
    // How the cost splits is unknown; the prompt is what was sent for certain.
    inputCostNanoUsd: costNanoUsd,
    outputCostNanoUsd: 0n,
    costsNanoUsd: { input: costNanoUsd, cached: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n },
    estimated: true,
    durationMs: Math.max(0, expiredAt - admission.admittedAt),
    attempts: [],
  };
}
