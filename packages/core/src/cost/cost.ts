import type { TokenCounts } from '../chat/usage.ts';
import type { Price } from './price.ts';

/** What a request costs, in nano-USD. `total` is the exact sum rounded up once; `input` the input part rounded up; `output` the rest. */
export interface Cost {
  readonly total: bigint;
  readonly input: bigint;
  readonly output: bigint;
}

/** Prices are per million tokens, so tokens × price is in millionths of a nano-USD. */
const MILLION = 1_000_000n;

/**
 * The cost of billed tokens: summed exactly, rounded up once.
 * `output` is what remains, so that the two parts always add up to `total`.
 */
export function computeCost(counts: TokenCounts, price: Price): Cost {
  const plainInput = counts.promptTokens - counts.cachedTokens - counts.cacheWriteTokens;
  const plainOutput = counts.completionTokens - counts.reasoningTokens;
  const exactInput =
    BigInt(plainInput) * price.input +
    BigInt(counts.cachedTokens) * price.cachedInput +
    BigInt(counts.cacheWriteTokens) * price.cacheWrite;
  const exactOutput = BigInt(plainOutput) * price.output + BigInt(counts.reasoningTokens) * price.reasoning;

  const total = divideUp(exactInput + exactOutput);
  const input = divideUp(exactInput);
  return { total, input, output: total - input };
}

/** Nano-USD that this many tokens cost at the plain rates: what the router compares models by. */
export function estimateCost(inputTokens: number, outputTokens: number, price: Price): bigint {
  return divideUp(BigInt(inputTokens) * price.input + BigInt(outputTokens) * price.output);
}

/** Nano-USD that this many tokens cost at most, whatever part of them is cached or reasoning: what a reservation holds. */
export function boundCost(inputTokens: number, outputTokens: number, price: Price): bigint {
  const dearestInput = larger(price.input, larger(price.cachedInput, price.cacheWrite));
  const dearestOutput = larger(price.output, price.reasoning);
  return divideUp(BigInt(inputTokens) * dearestInput + BigInt(outputTokens) * dearestOutput);
}

function divideUp(exact: bigint): bigint {
  return (exact + (MILLION - 1n)) / MILLION;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
