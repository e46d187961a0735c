import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { TokenCounts } from '../chat/usage.ts';
import { computeCost } from './cost.ts';
import { formatUsd } from './format-usd.ts';
import { parsePrice, type PriceTierFigures } from './parse-price.ts';

type Row = ReadonlyMap<string, string>;

/** A file of comma-separated values without quotes, its first row the names of the columns, `#` before comments. */
function readTable(name: string): readonly Row[] {
  const text = readFileSync(new URL(`../../testdata/${name}`, import.meta.url), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const [header = [], ...rows] = lines.map((line) => line.split(','));
  return rows.map((cells) => new Map(header.map((column, index) => [column, cells[index] ?? ''])));
}

function toFigures(row: Row): PriceTierFigures {
  const figure = (column: string) => row.get(column) || undefined;
  return {
    above_input_tokens: Number(row.get('above_input_tokens')),
    input: row.get('input') ?? '',
    output: row.get('output') ?? '',
    cached_input: figure('cached_input'),
    cache_write: figure('cache_write'),
    cache_write_1h: figure('cache_write_1h'),
    reasoning: figure('reasoning'),
  };
}

function toCounts(row: Row): TokenCounts {
  return {
    promptTokens: Number(row.get('prompt')),
    cachedTokens: Number(row.get('cached')),
    cacheWriteTokens: Number(row.get('cache_write')),
    cacheWrite1hTokens: Number(row.get('cache_write_1h')),
    completionTokens: Number(row.get('completion')),
    reasoningTokens: Number(row.get('reasoning')),
  };
}

const COSTS = ['cost', 'cost_input', 'cost_cached', 'cost_cache_write', 'cost_output', 'cost_reasoning'];

const listed = Map.groupBy(readTable('list-prices.csv'), (row) => row.get('model'));
const golden = readTable('golden-costs.csv').map((row) => ({
  model: row.get('model'),
  counts: toCounts(row),
  costs: COSTS.map((column) => row.get(column)),
}));

test('there are more than two hundred golden bills, and some of every listed price', () => {
  expect(golden.length).toBeGreaterThan(200);
  expect(new Set(golden.map(({ model }) => model))).toEqual(new Set(listed.keys()));
});

test.each(golden)('at the list price of $model, $counts cost $costs USD', ({ model, counts, costs }) => {
  const [base, ...tiers] = (listed.get(model) ?? []).map(toFigures);
  if (base === undefined) throw new Error('not listed');
  const { total, byKind } = computeCost(counts, parsePrice({ ...base, tiers }));
  const { input, cached, cacheWrite, output, reasoning } = byKind;
  expect([total, input, cached, cacheWrite, output, reasoning].map(formatUsd)).toEqual(costs);
});
