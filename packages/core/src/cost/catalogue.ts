import { calcPrice } from '@pydantic/genai-prices';
import { parsePrice } from './parse-price.ts';
import type { Price } from './price.ts';

/** What can be priced per token of text, and what a chat completion never uses or never bills. Anything else is not for us. */
const APPLICABLE = new Set([
  'input_mtok',
  'output_mtok',
  'cache_read_mtok',
  'cache_write_mtok',
  // Hosted tools, billed apart by the provider; and the longer of Anthropic's two cache times, where the shorter is the default.
  'web_searches_kcount',
  'storage_searches_kcount',
  'cache_write_1h_mtok',
]);

/**
 * The list price of a model from the catalogue bundled with @pydantic/genai-prices, as it is in force at `at`.
 *
 * `undefined` when the catalogue does not know the model, or when a bill by one rate per kind of token would be wrong:
 * prices in tiers by length, or for audio, pictures or hours. Such a model needs a price in the configuration. What runs
 * on one's own vLLM has no list price at all.
 */
export function findCatalogPrice(
  providerType: 'openai' | 'anthropic' | 'vllm',
  model: string,
  at = new Date(),
): Price | undefined {
  if (providerType === 'vllm') return undefined;
  const prices = calcPrice({}, model, { providerId: providerType, timestamp: at })?.model_price ?? {};
  const decimals: Record<string, string> = {};
  for (const [unit, price] of Object.entries(prices)) {
    if (!APPLICABLE.has(unit) || typeof price !== 'number') return undefined;
    // The catalogue's doubles were made from short decimals: their shortest text is the decimal that was meant.
    decimals[unit] = String(price);
  }

  const {
    input_mtok: input,
    output_mtok: output,
    cache_read_mtok: cached_input,
    cache_write_mtok: cache_write,
  } = decimals;
  return input === undefined || output === undefined
    ? undefined
    : parsePrice({ input, output, cached_input, cache_write });
}
