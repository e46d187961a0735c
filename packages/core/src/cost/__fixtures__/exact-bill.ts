import type { TokenCounts } from '../../chat/usage.ts';
import type { Cost } from '../cost.ts';
import type { PriceFigures, RateFigures } from '../parse-price.ts';
import { Fraction } from './fraction.ts';

/**
 * What requests cost by exact fractions of the figures as they are written: a second way to the same bills, which shares
 * neither code nor scale with the first.
 */
export function createExactBill(figures: PriceFigures): (counts: TokenCounts) => Cost {
  const base = { above: 0, rates: readRates(figures) };
  const tiers = (figures.tiers ?? []).map((tier) => ({ above: tier.above_input_tokens, rates: readRates(tier) }));
  return (counts) => {
    const { rates } = [base, ...tiers.filter(({ above }) => counts.promptTokens > above)].at(-1) ?? base;
    return bill(counts, rates);
  };
}

function bill(counts: TokenCounts, rates: ReturnType<typeof readRates>): Cost {
  const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens } = counts;
  const { cacheWrite1hTokens = 0 } = counts;
  const throughInput = rates.input.times(promptTokens - cachedTokens - cacheWriteTokens);
  const throughCached = throughInput.plus(rates.cached.times(cachedTokens));
  const throughWrites = throughCached
    .plus(rates.write.times(cacheWriteTokens - cacheWrite1hTokens))
    .plus(rates.write1h.times(cacheWrite1hTokens));
  const throughOutput = throughWrites.plus(rates.output.times(completionTokens - reasoningTokens));
  const throughAll = throughOutput.plus(rates.reasoning.times(reasoningTokens));

  const sums = [throughInput, throughCached, throughWrites, throughOutput, throughAll].map((sum) => sum.ceiling());
  const [input = 0n, cached = 0n, writes = 0n, output = 0n, total = 0n] = sums;
  return {
    total,
    input: writes,
    output: total - writes,
    byKind: {
      input,
      cached: cached - input,
      cacheWrite: writes - cached,
      output: output - writes,
      reasoning: total - output,
    },
  };
}

/** Figures that are left out are as `RateFigures` says. */
function readRates(figures: RateFigures) {
  const input = perToken(figures.input);
  const output = perToken(figures.output);
  const write = figures.cache_write === undefined ? input : perToken(figures.cache_write);
  const defaultWrite1h = figures.cache_write === undefined ? input : write.larger(input.times(2));
  return {
    input,
    cached: figures.cached_input === undefined ? input : perToken(figures.cached_input),
    write,
    write1h: figures.cache_write_1h === undefined ? defaultWrite1h : perToken(figures.cache_write_1h),
    output,
    reasoning: figures.reasoning === undefined ? output : perToken(figures.reasoning),
  };
}

/** Nano-USD: a thousandth of the USD per million. */
function perToken(figure: string): Fraction {
  return Fraction.parse(figure).times(1000);
}
