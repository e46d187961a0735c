import type { TokenCounts } from '../chat/usage.ts';
import { findRates, type Price, type Rates } from './price.ts';

/** What a request costs, in nano-USD. `total` is the exact sum rounded up once; `input` the input part rounded up; `output` the rest. */
export interface Cost {
  readonly total: bigint;
  readonly input: bigint;
  readonly output: bigint;
  readonly byKind: CostByKind;
}

/**
 * A cost by kind of token, in nano-USD. The parts add up to the total: `input`, `cached` and `cacheWrite` to its input part,
 * `output` and `reasoning` to its output part.
 */
export interface CostByKind {
  /** Of input that was neither read from nor written to a cache. */
  readonly input: bigint;
  readonly cached: bigint;
  readonly cacheWrite: bigint;
  /** Of output that was not spent on reasoning. */
  readonly output: bigint;
  readonly reasoning: bigint;
}

/** Prices are per million tokens, so tokens × price is in millionths of a nano-USD. */
const MILLION = 1_000_000n;

/**
 * The cost of billed tokens: summed exactly, rounded up once.
 *
 * The sum is taken kind by kind, and a kind costs what the sum, rounded up, grows by. So every part is within one nano-USD of
 * its exact figure, none is negative, and together they are the total to the nano.
 */
export function computeCost(counts: TokenCounts, price: Price): Cost {
  const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens } = counts;
  const { cacheWrite1hTokens = 0 } = counts;
  const rates = findRates(price, promptTokens);

  let exact = exactCost(promptTokens - cachedTokens - cacheWriteTokens, rates.input);
  const input = divideUp(exact);
  exact += exactCost(cachedTokens, rates.cachedInput);
  const throughCached = divideUp(exact);
  exact += exactCost(cacheWriteTokens - cacheWrite1hTokens, rates.cacheWrite);
  exact += exactCost(cacheWrite1hTokens, rates.cacheWrite1h);
  const allInput = divideUp(exact);
  exact += exactCost(completionTokens - reasoningTokens, rates.output);
  const throughOutput = divideUp(exact);
  exact += exactCost(reasoningTokens, rates.reasoning);
  const total = divideUp(exact);

  return {
    total,
    input: allInput,
    output: total - allInput,
    byKind: {
      input,
      cached: throughCached - input,
      cacheWrite: allInput - throughCached,
      output: throughOutput - allInput,
      reasoning: total - throughOutput,
    },
  };
}

/** Nano-USD that this many tokens cost at the plain rates: what the router compares models by. */
export function estimateCost(inputTokens: number, outputTokens: number, price: Price): bigint {
  const { input, output } = findRates(price, inputTokens);
  return divideUp(exactCost(inputTokens, input) + exactCost(outputTokens, output));
}

/**
 * Nano-USD that at most this many tokens cost at most, whatever part of them is cached or reasoning, and whichever tier a
 * shorter prompt may fall into: what a reservation holds.
 */
export function boundCost(inputTokens: number, outputTokens: number, price: Price): bigint {
  const tiers = price.tiers?.filter(({ aboveInputTokens }) => inputTokens > aboveInputTokens) ?? [];
  const bounds = [price, ...tiers].map((rates) => divideUp(boundExactCost(inputTokens, outputTokens, rates)));
  return bounds.reduce(larger);
}

function boundExactCost(inputTokens: number, outputTokens: number, rates: Rates): bigint {
  const { input, cachedInput, cacheWrite, cacheWrite1h, output, reasoning } = rates;
  const dearestInput = [input, cachedInput, cacheWrite, cacheWrite1h].reduce(larger);
  return exactCost(inputTokens, dearestInput) + exactCost(outputTokens, larger(output, reasoning));
}

/** In millionths of a nano-USD. */
function exactCost(tokens: number, rate: bigint): bigint {
  return tokens === 0 ? 0n : BigInt(tokens) * rate;
}

function divideUp(exact: bigint): bigint {
  return (exact + (MILLION - 1n)) / MILLION;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
