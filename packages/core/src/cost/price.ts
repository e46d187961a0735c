/**
 * What each kind of token costs, in nano-USD per million tokens (USD per million tokens × 10⁹): an exact integer for every
 * price of up to nine decimals.
 */
export interface Rates {
  readonly input: bigint;
  readonly output: bigint;
  /** Of input tokens read from the provider's cache. */
  readonly cachedInput: bigint;
  /** Of input tokens written to the provider's cache. */
  readonly cacheWrite: bigint;
  /** Of input tokens written to the provider's cache for an hour, which Anthropic charges apart. */
  readonly cacheWrite1h: bigint;
  /** Of output tokens spent on reasoning. */
  readonly reasoning: bigint;
}

/** What a model costs. */
export interface Price extends Rates {
  /** Other rates for long prompts, by rising thresholds; absent where length makes no difference. */
  readonly tiers?: readonly PriceTier[] | undefined;
  /** Names this set of figures in the ledger, so that an old bill can be computed again. */
  readonly version: string;
}

/** The rates of a whole request, output and all, whose prompt is longer than a threshold. */
export interface PriceTier extends Rates {
  /** Prompt tokens, cached ones included; the tier begins with one more. */
  readonly aboveInputTokens: number;
}

/** The rates of a request with a prompt of this many tokens. */
export function findRates(price: Price, promptTokens: number): Rates {
  return price.tiers?.findLast(({ aboveInputTokens }) => promptTokens > aboveInputTokens) ?? price;
}
