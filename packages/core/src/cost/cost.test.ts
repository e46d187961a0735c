import { describe, expect, test } from 'vitest';
import { boundCost, computeCost, estimateCost } from './cost.ts';
import { FREE, parsePrice } from './parse-price.ts';
import type { Price } from './price.ts';

const PRICES = {
  gpt4: parsePrice({ input: '10.00', output: '30.00', cached_input: '5.00' }),
  gpt35: parsePrice({ input: '0.50', output: '1.50' }),
  opus: parsePrice({ input: '15', output: '75' }),
  sonnet: parsePrice({ input: '3', output: '15', cached_input: '0.30', cache_write: '3.75' }),
  mini: parsePrice({ input: '0.15', output: '0.60', cached_input: '0.075' }),
  // One nano-USD per million tokens: everything is a fraction of the smallest amount.
  tiny: parsePrice({ input: '0.000000001', output: '0.000000001' }),
  uneven: parsePrice({ input: '0.1234', output: '0.5678' }),
  halfCached: parsePrice({ input: '2.5', output: '10', cached_input: '0.0005' }),
  dearThought: parsePrice({ input: '1', output: '2', reasoning: '4.0000005' }),
  freeOutput: parsePrice({ input: '5', output: '0' }),
  freeInput: parsePrice({ input: '0', output: '5' }),
  dearest: parsePrice({ input: '8999999.999999999', output: '8999999.999999999' }),
  free: FREE,
} satisfies Record<string, Price>;

interface GoldenCase {
  readonly price: keyof typeof PRICES;
  /** Prompt, completion, cached, cache write, reasoning. */
  readonly tokens: readonly [number, number, number?, number?, number?];
  /** Nano-USD: total, input, output. Worked out by hand. */
  readonly cost: readonly [bigint, bigint, bigint];
}

const GOLDEN: readonly GoldenCase[] = [
  // 10,000 nano per input token, 30,000 per output token, 5,000 per cached one.
  { price: 'gpt4', tokens: [15, 42], cost: [1_410_000n, 150_000n, 1_260_000n] },
  { price: 'gpt4', tokens: [0, 0], cost: [0n, 0n, 0n] },
  { price: 'gpt4', tokens: [1, 0], cost: [10_000n, 10_000n, 0n] },
  { price: 'gpt4', tokens: [0, 1], cost: [30_000n, 0n, 30_000n] },
  { price: 'gpt4', tokens: [500, 512], cost: [20_360_000n, 5_000_000n, 15_360_000n] },
  { price: 'gpt4', tokens: [1000, 0, 600], cost: [7_000_000n, 7_000_000n, 0n] },
  { price: 'gpt4', tokens: [1000, 0, 1000], cost: [5_000_000n, 5_000_000n, 0n] },
  { price: 'gpt4', tokens: [1000, 200, 1000], cost: [11_000_000n, 5_000_000n, 6_000_000n] },
  // No price of its own for cache writes and reasoning: as input and output.
  { price: 'gpt4', tokens: [1000, 0, 0, 300], cost: [10_000_000n, 10_000_000n, 0n] },
  { price: 'gpt4', tokens: [0, 100, 0, 0, 60], cost: [3_000_000n, 0n, 3_000_000n] },
  { price: 'gpt35', tokens: [500, 512], cost: [1_018_000n, 250_000n, 768_000n] },
  { price: 'gpt35', tokens: [1, 1], cost: [2_000n, 500n, 1_500n] },
  { price: 'opus', tokens: [500, 512], cost: [45_900_000n, 7_500_000n, 38_400_000n] },
  { price: 'opus', tokens: [200_000, 64_000], cost: [7_800_000_000n, 3_000_000_000n, 4_800_000_000n] },
  { price: 'sonnet', tokens: [500, 512], cost: [9_180_000n, 1_500_000n, 7_680_000n] },
  // 1,000 plain at 3,000, 8,000 cached at 300, 1,000 written at 3,750.
  { price: 'sonnet', tokens: [10_000, 500, 8000, 1000], cost: [16_650_000n, 9_150_000n, 7_500_000n] },
  { price: 'sonnet', tokens: [4740, 255, 0, 4735], cost: [21_596_250n, 17_771_250n, 3_825_000n] },
  { price: 'sonnet', tokens: [1, 0, 1], cost: [300n, 300n, 0n] },
  { price: 'sonnet', tokens: [1, 0, 0, 1], cost: [3_750n, 3_750n, 0n] },
  { price: 'sonnet', tokens: [2, 0, 1, 1], cost: [4_050n, 4_050n, 0n] },
  { price: 'mini', tokens: [1, 1], cost: [750n, 150n, 600n] },
  { price: 'mini', tokens: [7, 8, 7], cost: [5_325n, 525n, 4_800n] },
  { price: 'mini', tokens: [1_000_000, 0], cost: [150_000_000n, 150_000_000n, 0n] },
  { price: 'mini', tokens: [128_000, 16_384], cost: [29_030_400n, 19_200_000n, 9_830_400n] },
  // Rounded up once: two halves make one whole, and the output is what the input's rounding leaves.
  { price: 'tiny', tokens: [1, 0], cost: [1n, 1n, 0n] },
  { price: 'tiny', tokens: [0, 1], cost: [1n, 0n, 1n] },
  { price: 'tiny', tokens: [1, 1], cost: [1n, 1n, 0n] },
  { price: 'tiny', tokens: [500_000, 500_000], cost: [1n, 1n, 0n] },
  { price: 'tiny', tokens: [500_000, 500_001], cost: [2n, 1n, 1n] },
  { price: 'tiny', tokens: [999_999, 2], cost: [2n, 1n, 1n] },
  { price: 'tiny', tokens: [1_000_000, 0], cost: [1n, 1n, 0n] },
  { price: 'tiny', tokens: [1_000_001, 0], cost: [2n, 2n, 0n] },
  { price: 'tiny', tokens: [1_000_000, 1_000_000], cost: [2n, 1n, 1n] },
  { price: 'tiny', tokens: [9_007_199_254_740_991, 0], cost: [9_007_199_255n, 9_007_199_255n, 0n] },
  // 123.4 and 567.8 nano per token: 691.2, then 3456 exactly, 2641.4, 1259 exactly.
  { price: 'uneven', tokens: [1, 1], cost: [692n, 124n, 568n] },
  { price: 'uneven', tokens: [5, 5], cost: [3_456n, 617n, 2_839n] },
  { price: 'uneven', tokens: [3, 4], cost: [2_642n, 371n, 2_271n] },
  { price: 'uneven', tokens: [1, 2], cost: [1_259n, 124n, 1_135n] },
  // Half a nano per cached token.
  { price: 'halfCached', tokens: [1, 0, 1], cost: [1n, 1n, 0n] },
  { price: 'halfCached', tokens: [3, 1, 3], cost: [10_002n, 2n, 10_000n] },
  { price: 'halfCached', tokens: [2, 0, 1], cost: [2_501n, 2_501n, 0n] },
  // 4,000.0005 nano per reasoning token.
  { price: 'dearThought', tokens: [10, 10, 0, 0, 4], cost: [38_001n, 10_000n, 28_001n] },
  { price: 'dearThought', tokens: [0, 2000, 0, 0, 2000], cost: [8_000_001n, 0n, 8_000_001n] },
  { price: 'dearThought', tokens: [0, 2001, 0, 0, 2000], cost: [8_002_001n, 0n, 8_002_001n] },
  { price: 'freeOutput', tokens: [100, 1_000_000], cost: [500_000n, 500_000n, 0n] },
  { price: 'freeInput', tokens: [1_000_000, 3], cost: [15_000n, 0n, 15_000n] },
  { price: 'free', tokens: [1_000_000_000, 1_000_000_000], cost: [0n, 0n, 0n] },
  { price: 'dearest', tokens: [10_000_000, 0], cost: [89_999_999_999_999_990n, 89_999_999_999_999_990n, 0n] },
  // The largest count a double holds exactly.
  {
    price: 'gpt4',
    tokens: [9_007_199_254_740_991, 0],
    cost: [90_071_992_547_409_910_000n, 90_071_992_547_409_910_000n, 0n],
  },
];

describe('computeCost', () => {
  test.each(GOLDEN)('bills $tokens tokens at the price $price as $cost nano-USD', ({ price, tokens, cost }) => {
    const [promptTokens, completionTokens, cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0] = tokens;
    const [total, input, output] = cost;
    const counts = { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, reasoningTokens };
    expect(computeCost(counts, PRICES[price])).toMatchObject({ total, input, output });
  });
});

describe('a cost by kind of token', () => {
  test('is exact where nothing has to be rounded', () => {
    const { total, byKind } = computeCost(
      {
        promptTokens: 10_000,
        cachedTokens: 5_000,
        cacheWriteTokens: 3_000,
        cacheWrite1hTokens: 1_000,
        completionTokens: 500,
        reasoningTokens: 200,
      },
      PRICES.sonnet,
    );
    // 2,000 at 3,000; 5,000 at 300; 2,000 at 3,750 and 1,000, for an hour, at twice 3,000; 300 and 200 at 15,000
    expect(byKind).toEqual({
      input: 6_000_000n,
      cached: 1_500_000n,
      cacheWrite: 13_500_000n,
      output: 4_500_000n,
      reasoning: 3_000_000n,
    });
    expect(total).toBe(28_500_000n);
  });

  test('adds up to the total: a fraction goes to the kind with which the sum passes a whole nano-USD', () => {
    // At a third of a nano-USD per token the sum grows 1/3, 2/3, 3/3, 4/3, 5/3: whole ones are 1, 1, 1, 2, 2
    const third = parsePrice({ input: '0.000333333', output: '0.000333333' });
    const counts = { promptTokens: 3, cachedTokens: 1, cacheWriteTokens: 1, completionTokens: 2, reasoningTokens: 1 };
    const { total, input, output, byKind } = computeCost(counts, third);
    expect(byKind).toEqual({ input: 1n, cached: 0n, cacheWrite: 0n, output: 1n, reasoning: 0n });
    expect([total, input, output]).toEqual([2n, 1n, 1n]);
  });
});

describe('a price with tiers', () => {
  const TIERED = parsePrice({
    input: '3',
    output: '15',
    cached_input: '0.3',
    tiers: [
      { above_input_tokens: 100_000, input: '4', output: '20', cached_input: '0.4' },
      { above_input_tokens: 200_000, input: '6', output: '22.5', cached_input: '0.6' },
    ],
  });
  const bill = (promptTokens: number, cachedTokens: number) => {
    const rest = { cacheWriteTokens: 0, completionTokens: 1000, reasoningTokens: 0 };
    return computeCost({ promptTokens, cachedTokens, ...rest }, TIERED);
  };

  test('bills every token of a request by the length of its prompt, cached tokens included', () => {
    expect(bill(100_000, 0)).toMatchObject({ input: 300_000_000n, output: 15_000_000n });
    expect(bill(100_001, 0)).toMatchObject({ input: 400_004_000n, output: 20_000_000n });
    expect(bill(200_000, 199_999)).toMatchObject({ input: 80_003_600n, output: 20_000_000n });
    expect(bill(200_001, 200_000)).toMatchObject({ input: 120_006_000n, output: 22_500_000n });
  });

  test('is estimated by the tier of the input, and bounded by the dearest tier up to it', () => {
    expect(estimateCost(100_000, 1000, TIERED)).toBe(315_000_000n);
    expect(estimateCost(100_001, 1000, TIERED)).toBe(420_004_000n);
    expect(boundCost(100_000, 1000, TIERED)).toBe(315_000_000n);
    expect(boundCost(200_001, 1000, TIERED)).toBe(1_222_506_000n);
    const cheaperWhenLong = parsePrice({
      input: '3',
      output: '15',
      tiers: [{ above_input_tokens: 10, input: '1', output: '2' }],
    });
    expect(boundCost(11, 1, cheaperWhenLong)).toBe(48_000n);
  });
});

test('the estimate for routing is the cost at the plain rates', () => {
  expect(estimateCost(500, 512, PRICES.gpt4)).toBe(20_360_000n);
  expect(estimateCost(1, 1, PRICES.uneven)).toBe(692n);
});

test('the bound for a reservation takes the dearest rate of each side', () => {
  // Twice 3 USD per million for cache writes of an hour, 15 for output.
  expect(boundCost(1000, 100, PRICES.sonnet)).toBe(7_500_000n);
  expect(boundCost(10, 10, PRICES.dearThought)).toBe(50_001n);
});
