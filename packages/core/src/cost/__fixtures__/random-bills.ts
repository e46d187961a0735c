import type { TokenCounts } from '../../chat/usage.ts';
import type { PriceFigures, PriceTierFigures, RateFigures } from '../parse-price.ts';

/** Prices and usages of every shape and size, the same ones for the same seed. */
export interface RandomBills {
  figures(): PriceFigures;
  /** About half of the prompts lie around a tier's threshold, or just below or above it. */
  counts(figures: PriceFigures): TokenCounts;
}

export function createRandomBills(seed: number): RandomBills {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const pick = <T>(values: readonly [T, ...T[]]): T => values[below(values.length)] ?? values[0];
  const maybe = <T>(make: () => T): T | undefined => (random() < 0.5 ? make() : undefined);

  const figure = () => {
    const whole = below(pick([1, 10, 100, 9_000_000]));
    const decimals = below(10);
    return decimals === 0 ? String(whole) : `${whole}.${String(below(10 ** decimals)).padStart(decimals, '0')}`;
  };
  const rates = (): RateFigures => ({
    input: figure(),
    output: figure(),
    cached_input: maybe(figure),
    cache_write: maybe(figure),
    cache_write_1h: maybe(figure),
    reasoning: maybe(figure),
  });
  const tiers = (): readonly PriceTierFigures[] => {
    let above = 0;
    return Array.from({ length: 1 + below(3) }, () => ({ above_input_tokens: (above += 1 + below(200_000)), ...rates() }));
  };
  const part = (whole: number) => pick([0, whole, below(whole + 1), below(whole + 1)]);
  const size = () => below(pick([1, 6, 10_000, 300_000, 10_000_000]));

  return {
    figures: () => ({ ...rates(), tiers: maybe(tiers) }),
    counts({ tiers: [first, ...others] = [] }) {
      const near = first && maybe(() => pick([first, ...others]).above_input_tokens + pick([0, 1, -1]));
      const promptTokens = near ?? size();
      const completionTokens = size();
      const cachedTokens = part(promptTokens);
      const cacheWriteTokens = part(promptTokens - cachedTokens);
      return {
        promptTokens,
        completionTokens,
        cachedTokens,
        cacheWriteTokens,
        cacheWrite1hTokens: maybe(() => part(cacheWriteTokens)),
        reasoningTokens: part(completionTokens),
      };
    },
  };
}

/** Numbers in [0, 1) (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
