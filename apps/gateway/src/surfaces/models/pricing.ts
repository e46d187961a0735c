import { formatPerToken, type Price, type Rates } from '@tokenhub/core';

/** USD per token in exact decimal strings, by OpenRouter's names. */
interface PricedRates {
  readonly prompt: string;
  readonly completion: string;
  readonly input_cache_read: string;
  readonly input_cache_write: string;
  readonly input_cache_write_1h: string;
  readonly internal_reasoning: string;
}

/** What a model costs. */
export interface Pricing extends PricedRates {
  /** What holds instead for every token of a request with a longer prompt. */
  readonly tiers?: readonly (PricedRates & { readonly above_input_tokens: number })[];
}

/** A model's price as callers are told. */
export function toPricing({ tiers, ...rates }: Price): Pricing {
  if (tiers === undefined) return toPricedRates(rates);
  return {
    ...toPricedRates(rates),
    tiers: tiers.map((tier) => ({ above_input_tokens: tier.aboveInputTokens, ...toPricedRates(tier) })),
  };
}

function toPricedRates({ input, output, cachedInput, cacheWrite, cacheWrite1h, reasoning }: Rates): PricedRates {
  return {
    prompt: formatPerToken(input),
    completion: formatPerToken(output),
    input_cache_read: formatPerToken(cachedInput),
    input_cache_write: formatPerToken(cacheWrite),
    input_cache_write_1h: formatPerToken(cacheWrite1h),
    internal_reasoning: formatPerToken(reasoning),
  };
}
