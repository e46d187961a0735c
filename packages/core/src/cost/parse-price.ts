import { formatUsd } from './format-usd.ts';
import { parseUsd } from './parse-usd.ts';
import type { Price } from './price.ts';

/** A price as the configuration writes it: USD per million tokens, each a plain decimal string such as `"2.50"`. */
export interface PriceFigures {
  readonly input: string;
  readonly output: string;
  /** Input read from the provider's cache; absent: as `input`. */
  readonly cached_input?: string | undefined;
  /** Input written to the provider's cache; absent: as `input`. */
  readonly cache_write?: string | undefined;
  /** Output spent on reasoning; absent: as `output`. */
  readonly reasoning?: string | undefined;
}

/** The price of a model that costs nothing. */
export const FREE: Price = {
  input: 0n,
  output: 0n,
  cachedInput: 0n,
  cacheWrite: 0n,
  reasoning: 0n,
  version: 'free',
};

/**
 * Reads a price. `version` is by default the five figures themselves (input/cached/write/output/reasoning in USD per
 * million tokens), so that a bill in the ledger can be computed again from its own row.
 * @throws RangeError naming the figure that is wrong and what would be right: from 0 to below 9,000,000, at most 9 decimals.
 */
export function parsePrice(figures: PriceFigures, version?: string): Price {
  const input = parseUsd(figures.input, 'input');
  const output = parseUsd(figures.output, 'output');
  const cachedInput = parseUsd(figures.cached_input ?? figures.input, 'cached_input');
  const cacheWrite = parseUsd(figures.cache_write ?? figures.input, 'cache_write');
  const reasoning = parseUsd(figures.reasoning ?? figures.output, 'reasoning');
  return {
    input,
    output,
    cachedInput,
    cacheWrite,
    reasoning,
    version: version ?? [input, cachedInput, cacheWrite, output, reasoning].map(formatUsd).join('/'),
  };
}
