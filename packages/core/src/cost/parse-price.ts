import { formatUsd } from './format-usd.ts';
import { parseUsd } from './parse-usd.ts';
import type { Price, PriceTier, Rates } from './price.ts';

/** Rates as the configuration writes them: USD per million tokens, each a plain decimal string such as `"2.50"`. */
export interface RateFigures {
  readonly input: string;
  readonly output: string;
  /** Input read from the provider's cache; absent: as `input`. */
  readonly cached_input?: string | undefined;
  /** Input written to the provider's cache; absent: as `input`. */
  readonly cache_write?: string | undefined;
  /**
   * Input written to the provider's cache for an hour. Absent: twice `input`, which is Anthropic's rule, or `cache_write` if
   * that is more; as `input` where `cache_write` is absent too.
   */
  readonly cache_write_1h?: string | undefined;
  /** Output spent on reasoning; absent: as `output`. */
  readonly reasoning?: string | undefined;
}

/** A price as the configuration writes it. */
export interface PriceFigures extends RateFigures {
  /** For long prompts, by rising thresholds. */
  readonly tiers?: readonly PriceTierFigures[] | undefined;
}

/** The rates of every token of a request whose prompt has more than `above_input_tokens`. */
export interface PriceTierFigures extends RateFigures {
  readonly above_input_tokens: number;
}

/** The price of a model that costs nothing. */
export const FREE: Price = {
  input: 0n,
  output: 0n,
  cachedInput: 0n,
  cacheWrite: 0n,
  cacheWrite1h: 0n,
  reasoning: 0n,
  version: 'free',
};

/**
 * Reads a price. `version` is by default the figures themselves (input/cached/write/write for an hour/output/reasoning in USD
 * per million tokens, then those of each tier behind its threshold), so that a bill in the ledger can be computed again from
 * its own row.
 * @throws RangeError naming the figure that is wrong and what would be right: from 0 to below 9,000,000, at most 9 decimals.
 */
export function parsePrice(figures: PriceFigures, version?: string): Price {
  const rates = parseRates(figures, '');
  if (figures.tiers === undefined) return { ...rates, version: version ?? describeRates(rates) };
  const tiers = figures.tiers.map((tier, index): PriceTier => {
    const { above_input_tokens: aboveInputTokens } = tier;
    const before = figures.tiers?.[index - 1]?.above_input_tokens ?? 0;
    if (!Number.isSafeInteger(aboveInputTokens) || aboveInputTokens <= before) {
      throw new RangeError(`tiers[${index}].above_input_tokens must be a whole number above ${before}`);
    }
    return { aboveInputTokens, ...parseRates(tier, `tiers[${index}].`) };
  });
  return { ...rates, tiers, version: version ?? [describeRates(rates), ...tiers.map(describeTier)].join(' ') };
}

/** @param path what stands before the name of a figure in the message of an error */
function parseRates(figures: RateFigures, path: string): Rates {
  const parse = (name: keyof RateFigures): bigint | undefined => {
    const text = figures[name];
    return text === undefined ? undefined : parseUsd(text, `${path}${name}`);
  };
  const input = parseUsd(figures.input, `${path}input`);
  const output = parseUsd(figures.output, `${path}output`);
  const cachedInput = parse('cached_input') ?? input;
  const cacheWrite = parse('cache_write');
  const cacheWrite1h = parse('cache_write_1h') ?? defaultCacheWrite1h(input, cacheWrite);
  const reasoning = parse('reasoning') ?? output;
  return { input, output, cachedInput, cacheWrite: cacheWrite ?? input, cacheWrite1h, reasoning };
}

/** Anthropic takes 1.25 times the input rate for five minutes and twice for an hour: who gives the first must not bill the second by it. */
function defaultCacheWrite1h(input: bigint, cacheWrite: bigint | undefined): bigint {
  if (cacheWrite === undefined) return input;
  return cacheWrite > 2n * input ? cacheWrite : 2n * input;
}

function describeRates({ input, cachedInput, cacheWrite, cacheWrite1h, output, reasoning }: Rates): string {
  return [input, cachedInput, cacheWrite, cacheWrite1h, output, reasoning].map(formatUsd).join('/');
}

function describeTier(tier: PriceTier): string {
  return `>${tier.aboveInputTokens}:${describeRates(tier)}`;
}
