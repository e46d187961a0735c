import { boundCost, estimateCost, type ChatRequest, type InputEstimate, type RankedCandidate } from '@tokenhub/core';

/** Output that is held for a caller who names no bound of its own, in tokens; never more than the model can give. */
const DEFAULT_OUTPUT_TOKENS = 4_096;

/** Most tokens of reasoning that an effort stands for when it is put as a budget. */
const MOST_REASONING_TOKENS = 32_768;

/** Upper bounds of what a request may use, whichever candidate serves it. */
export interface Estimate {
  readonly tokens: number;
  readonly costNanoUsd: bigint;
  /** What the input alone likely costs at the first candidate: the least that a dispatched request is billed. */
  readonly floorNanoUsd: bigint;
  /** What is held besides, again and again, for an answer that outgrows this. */
  readonly step: Hold;
}

/** Quota that a request holds. */
export interface Hold {
  readonly tokens: number;
  readonly costNanoUsd: bigint;
}

/** Bounds of a request by `quota.md` §4: input bound and output bound at the most expensive rates that may apply. */
export function estimateUse(request: ChatRequest, input: InputEstimate, ranked: readonly RankedCandidate[]): Estimate {
  let tokens = 0;
  let costNanoUsd = 0n;
  const stepTokens = request.choices * DEFAULT_OUTPUT_TOKENS;
  let stepNanoUsd = 0n;
  for (const { candidate } of ranked) {
    const { price, maxOutputTokens = Infinity } = candidate.model;
    const output = request.choices * Math.min(outputBound(request), maxOutputTokens);
    const cost = boundCost(input.bound, output, price);
    tokens = Math.max(tokens, input.bound + output);
    if (cost > costNanoUsd) costNanoUsd = cost;
    const stepCost = boundCost(0, stepTokens, price);
    if (stepCost > stepNanoUsd) stepNanoUsd = stepCost;
  }
  const first = ranked[0]?.candidate.model.price;
  const floorNanoUsd = first === undefined ? 0n : estimateCost(input.likely, 0, first);
  return { tokens, costNanoUsd, floorNanoUsd, step: { tokens: stepTokens, costNanoUsd: stepNanoUsd } };
}

function outputBound({ maxOutputTokens = DEFAULT_OUTPUT_TOKENS, reasoning }: ChatRequest): number {
  if (reasoning === undefined || reasoning.effort === 'none' || reasoning.budgetTokens === 0) return maxOutputTokens;
  // Written for another dialect, a budget for reasoning comes on top of what the caller allows for the answer.
  return maxOutputTokens + Math.max(MOST_REASONING_TOKENS, reasoning.budgetTokens ?? 0);
}
