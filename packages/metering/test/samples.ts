import type { Admission, CostEvent, ReserveRequest, Settlement } from '../src/index.ts';

/** 2026-11-20T12:00:00Z */
export const NOON = Date.UTC(2026, 10, 20, 12);

export function sampleAdmission(changes: Partial<Admission> = {}): Admission {
  return {
    requestId: 'req_1',
    keyId: 'demo',
    user: 'ada',
    team: 'search',
    org: 'acme',
    surface: 'chat_completions',
    streamed: true,
    requestedModel: 'gpt-4',
    clientRequestId: 'mine-1',
    admittedAt: NOON,
    ...changes,
  };
}

/** 15 tokens in, 42 out: 0.0012 USD. */
export function sampleEvent(changes: Partial<CostEvent> = {}): CostEvent {
  return {
    ...sampleAdmission(),
    outcome: 'completed',
    model: 'gpt-4',
    provider: 'openai',
    deployment: 'openai/gpt-4',
    reason: 'routed-weight-8',
    counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 3, cacheWriteTokens: 2, reasoningTokens: 7 },
    costNanoUsd: 1_200_000n,
    inputCostNanoUsd: 300_000n,
    outputCostNanoUsd: 900_000n,
    estimated: false,
    priceVersion: 'file',
    firstTokenMs: 120,
    durationMs: 900.5,
    attempts: [
      {
        deployment: 'vllm-a/gpt-4',
        provider: 'vllm-a',
        model: 'gpt-4',
        outcome: 'upstream_unavailable',
        status: 503,
        costNanoUsd: 0n,
      },
      { deployment: 'openai/gpt-4', provider: 'openai', model: 'gpt-4', outcome: 'served', costNanoUsd: 1_200_000n },
    ],
    ...changes,
  };
}

/** A reservation of 100 tokens and 1000 nano-USD, by default in one scope without limits. */
export function sampleReserve(requestId: string, changes: Partial<ReserveRequest> = {}): ReserveRequest {
  return {
    requestId,
    org: 'acme',
    scopes: [{ id: 'key:demo', limits: {} }],
    tokens: 100,
    costNanoUsd: 1000n,
    floorNanoUsd: 10n,
    admission: sampleAdmission({ requestId }),
    ...changes,
  };
}

/** Settles a {@link sampleReserve} at 57 tokens and 600 nano-USD. */
export function sampleSettlement(requestId: string, changes: Partial<Settlement> = {}): Settlement {
  const costNanoUsd = changes.costNanoUsd ?? 600n;
  return {
    requestId,
    org: 'acme',
    tokens: 57,
    costNanoUsd,
    event: sampleEvent({ requestId, costNanoUsd, inputCostNanoUsd: 0n, outputCostNanoUsd: costNanoUsd }),
    ...changes,
  };
}
