import { calcPrice, type ModelPrice } from '@pydantic/genai-prices';
import { PRESETS, type PresetName } from '../providers/presets.ts';
import { parsePrice, type RateFigures } from './parse-price.ts';
import type { Price } from './price.ts';

/** What can be priced per token of text, and the hosted tools that the provider bills apart. Any other unit is not for us. */
const UNITS = new Set([
  'input_mtok',
  'output_mtok',
  'cache_read_mtok',
  'cache_write_mtok',
  'cache_write_1h_mtok',
  'web_searches_kcount',
  'storage_searches_kcount',
]);

/** What the names of all models have in common that make embeddings and are sold by the token. */
const EMBEDDINGS = /embed/i;

/**
 * The list price of a model from the catalogue bundled with @pydantic/genai-prices, as it is in force at `at`. Its tiers are
 * ours: above a number of prompt tokens, every token of the request has the tier's rate.
 *
 * `undefined` when the catalogue does not know the model, or when a bill by one rate per kind of token would be wrong:
 * prices for audio, pictures or hours. Such a model needs a price in the configuration. What runs on one's own server has no
 * list price at all.
 */
export function findCatalogPrice(providerType: PresetName, model: string, at = new Date()): Price | undefined {
  const { priceList } = PRESETS[providerType];
  if (priceList === undefined) return undefined;
  const listed = calcPrice({}, model, { providerId: priceList, timestamp: at })?.model_price ?? {};
  // Of embeddings there is no output in tokens to be paid.
  const { input_mtok: input, output_mtok: output = EMBEDDINGS.test(model) ? 0 : undefined } = listed;
  if (input === undefined || output === undefined || !Object.keys(listed).every((unit) => UNITS.has(unit))) {
    return undefined;
  }
  const toFigures = (promptTokens: number): RateFigures => {
    const find = (unit: string) => findFigure(listed[unit], promptTokens);
    const cache_write = find('cache_write_mtok');
    return {
      input: toFigure(input, promptTokens),
      output: toFigure(output, promptTokens),
      cached_input: find('cache_read_mtok'),
      cache_write,
      // Listed wherever there is such a thing
      cache_write_1h: find('cache_write_1h_mtok') ?? cache_write,
    };
  };
  const tiers = findThresholds(listed).map((above) => ({ above_input_tokens: above, ...toFigures(above + 1) }));
  return parsePrice({ ...toFigures(0), tiers: tiers.length > 0 ? tiers : undefined });
}

/** The context window of a model by the same catalogue, in tokens; `undefined` when it does not know it. */
export function findCatalogWindow(providerType: PresetName, model: string): number | undefined {
  const { priceList } = PRESETS[providerType];
  if (priceList === undefined) return undefined;
  return calcPrice({}, model, { providerId: priceList })?.model.context_window;
}

type ListedRate = NonNullable<ModelPrice[string]>;

function findFigure(rate: ListedRate | undefined, promptTokens: number): string | undefined {
  return rate === undefined ? undefined : toFigure(rate, promptTokens);
}

/** The catalogue's doubles were made from short decimals: their shortest text is the decimal that was meant. */
function toFigure(rate: ListedRate, promptTokens: number): string {
  if (typeof rate === 'number') return String(rate);
  return String(rate.tiers.findLast(({ start }) => promptTokens > start)?.price ?? rate.base);
}

/** The numbers of prompt tokens above which any rate is another, rising. */
function findThresholds(listed: ModelPrice): readonly number[] {
  const starts = Object.values(listed).flatMap((rate) =>
    typeof rate === 'object' ? rate.tiers.map(({ start }) => start) : [],
  );
  return [...new Set(starts)].toSorted((a, b) => a - b);
}
