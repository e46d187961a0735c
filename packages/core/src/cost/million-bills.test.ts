import { expect, test } from 'vitest';
import { createExactBill } from './__fixtures__/exact-bill.ts';
import { createRandomBills } from './__fixtures__/random-bills.ts';
import { boundCost, computeCost, type Cost } from './cost.ts';
import { parsePrice } from './parse-price.ts';

/*
 * Random usages at random prices, with tiers and all: every figure of every bill against exact fractions. BILLS and SEED of the
 * environment make other runs.
 */

const BILLS = Number(process.env['BILLS'] ?? 1_000_000);
const BILLS_PER_PRICE = 20;
const seed = Number(process.env['SEED'] ?? Date.now());

test(
  `${BILLS} random bills are what exact fractions give, and none is above its bound (SEED=${seed})`,
  { timeout: 120_000 },
  () => {
    const random = createRandomBills(seed);
    const differences: unknown[] = [];
    for (let price = 0; price < BILLS / BILLS_PER_PRICE; price++) {
      const figures = random.figures();
      const parsed = parsePrice(figures);
      const billExactly = createExactBill(figures);
      for (let usage = 0; usage < BILLS_PER_PRICE; usage++) {
        const counts = random.counts(figures);
        const cost = computeCost(counts, parsed);
        const exact = billExactly(counts);
        const bound = boundCost(counts.promptTokens, counts.completionTokens, parsed);
        if (!isSame(cost, exact) || cost.total > bound) differences.push({ figures, counts, cost, exact, bound });
      }
    }
    expect(differences.length).toBe(0);
    expect(differences.slice(0, 3)).toEqual([]);
  },
);

function isSame(one: Cost, other: Cost): boolean {
  return (
    one.total === other.total &&
    one.input === other.input &&
    one.output === other.output &&
    one.byKind.input === other.byKind.input &&
    one.byKind.cached === other.byKind.cached &&
    one.byKind.cacheWrite === other.byKind.cacheWrite &&
    one.byKind.output === other.byKind.output &&
    one.byKind.reasoning === other.byKind.reasoning
  );
}
