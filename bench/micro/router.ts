/**
 * What deciding and billing cost per request: ranking 50 models, and putting usage and price to a receipt.
 * Both run in the gateway's path before the first and after the last byte.
 */
import {
  type Candidate,
  createHealth,
  createReceipt,
  parsePrice,
  type Provider,
  rank,
  type RankRequest,
  staticCredential,
} from '@tokenhub/core';

const MODELS = 50;
const ROUNDS = 9;
const CALLS_PER_ROUND = 20_000;

export function run(): { name: string; value: number; unit: string }[] {
  return [
    { name: `rank ${MODELS} models`, value: measureRank(), unit: 'ns' },
    { name: 'settle usage and compute its cost', value: measureReceipt(), unit: 'ns' },
  ];
}

function measureRank(): number {
  const health = createHealth({ now: () => performance.now() });
  const candidates = Array.from({ length: MODELS }, (_, index) => createCandidate(index));
  for (const [index, { id }] of candidates.entries()) {
    health.recordFirstToken(id, 200 + ((index * 37) % 500));
    if (index % 7 === 0) health.recordFailure(id, { sentAt: 0, isBroken: false });
    else health.recordSuccess(id);
  }
  const request: RankRequest = {
    inputTokens: 500,
    outputTokens: 512,
    allowModelFallback: true,
    mode: 'normal',
    maxBudgetNanoUsd: 50_000_000n,
  };
  return medianNs(() => rank(candidates, request, health).ranked.length);
}

function measureReceipt(): number {
  const price = parsePrice({ input: '3', output: '15', cached_input: '0.30', cache_write: '3.75' });
  const evidence = {
    usage: { promptTokens: 10_000, completionTokens: 500, cachedTokens: 8000, cacheWriteTokens: 1000 },
    countedTokens: 480,
    estimatedInputTokens: 9800,
    complete: true,
    contextWindow: 200_000,
    maxOutputTokens: 64_000,
  };
  return medianNs(() => Number(createReceipt(evidence, price).cost.total));
}

function createCandidate(index: number): Candidate {
  const provider: Provider = {
    id: `provider-${index}`,
    credential: staticCredential('secret', () => performance.now()),
    timeouts: { firstEventMs: 1000, wholeAnswerMs: 600_000, progressMs: 600_000 },
    get endpoints(): Provider['endpoints'] {
      throw new Error('ranking looks into no provider');
    },
  };
  const price = parsePrice({ input: `${1 + (index % 13)}`, output: `${3 + (index % 29)}` });
  const model = { id: `model-${index}`, weight: index % 11, contextWindow: 128_000, price };
  return { id: `${model.id}@${provider.id}`, model, provider, upstreamModel: model.id };
}

/** Nanoseconds per call: the median of some rounds, the first of which only warms up. */
function medianNs(call: () => number): number {
  const rounds: number[] = [];
  let sum = 0;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const startMs = performance.now();
    for (let repeat = 0; repeat < CALLS_PER_ROUND; repeat += 1) sum += call();
    if (round > 0) rounds.push(((performance.now() - startMs) * 1e6) / CALLS_PER_ROUND);
  }
  if (sum === 0) throw new Error('the measured code did nothing');
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

if (import.meta.main) {
  for (const { name, value, unit } of run()) process.stdout.write(`${name}: ${Math.round(value)} ${unit}\n`);
}
