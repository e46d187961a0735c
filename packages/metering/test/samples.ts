import type { Admission, CostEvent, LedgerEntry, ReserveRequest, Settlement } from '../src/index.ts';

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

/** 15 tokens in, 42 out: 0.0012 USD, or what is given, of which a quarter is for the input. */
export function sampleEvent(changes: Partial<CostEvent> = {}): CostEvent {
  const { costNanoUsd = 1_200_000n } = changes;
  const inputCostNanoUsd = costNanoUsd / 4n;
  const outputCostNanoUsd = costNanoUsd - inputCostNanoUsd;
  const [cached, cacheWrite, reasoning] = [inputCostNanoUsd / 3n, inputCostNanoUsd / 5n, outputCostNanoUsd / 6n];
  return {
    ...sampleAdmission(),
    outcome: 'completed',
    model: 'gpt-4',
    provider: 'openai',
    deployment: 'openai/gpt-4',
    reason: 'routed-weight-8',
    counts: { promptTokens: 15, completionTokens: 42, cachedTokens: 3, cacheWriteTokens: 2, reasoningTokens: 7 },
    costNanoUsd,
    inputCostNanoUsd,
    outputCostNanoUsd,
    costsNanoUsd: {
      input: inputCostNanoUsd - cached - cacheWrite,
      cached,
      cacheWrite,
      output: outputCostNanoUsd - reasoning,
      reasoning,
    },
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

/** The same request as a sweep ends it: nobody knows more of it than what it has cost so far. */
export function toExpiredEvent(event: CostEvent, costNanoUsd: bigint): CostEvent {
  return {
    ...event,
    outcome: 'lease_expired',
    model: undefined,
    provider: undefined,
    counts: { promptTokens: 0, completionTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
    costNanoUsd,
    inputCostNanoUsd: costNanoUsd,
    outputCostNanoUsd: 0n,
    costsNanoUsd: { input: costNanoUsd, cached: 0n, cacheWrite: 0n, output: 0n, reasoning: 0n },
  };
}

/** A request, and another one whose lease expired at 170 nano-USD, which was corrected to 200 and then given back 50. */
export function rowsOfEveryKind(): readonly LedgerEntry[] {
  const row = { day: '20261120', month: '202611', shard: 0, streamId: `${NOON}-0`, createdAt: NOON };
  const plain = sampleEvent({ requestId: 'req_1' });
  const truth = sampleEvent({ requestId: 'req_2', costNanoUsd: 200n });
  const expired = toExpiredEvent(truth, 170n);
  return [
    { ...row, kind: 'T', event: plain, deltaNanoUsd: plain.costNanoUsd },
    { ...row, kind: 'T', event: expired, deltaNanoUsd: 170n },
    { ...row, kind: 'A', event: truth, deltaNanoUsd: 30n },
    { ...row, kind: 'R', event: expired, deltaNanoUsd: -50n },
  ];
}

/** Usage of {@link rowsOfEveryKind}, where the kinds of token are not known. */
export const USAGE_OF_EVERY_KIND = {
  requests: 2,
  costNanoUsd: 1_200_150n,
  costsNanoUsd: { input: 300_050n, cached: 0n, cacheWrite: 0n, output: 900_150n, reasoning: 0n },
  adjustmentsNanoUsd: -50n,
};

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
  const { costNanoUsd = 600n } = changes;
  return {
    requestId,
    org: 'acme',
    tokens: 57,
    costNanoUsd,
    event: sampleEvent({ requestId, costNanoUsd }),
    ...changes,
  };
}
