import { GatewayError } from '@tokenhub/core';
import { z } from 'zod';
import { decodeCostEvent } from '../cost-event-codec.ts';
import type { DeadLetter, LedgerEntry, Repair, UsageGroup } from './ledger.ts';

/** A row as a database gives it: 64-bit integers as `bigint` or decimal text. */
export type LedgerRow = Readonly<Record<string, unknown>>;

const entryKind = z.enum(['T', 'A', 'R']);

export function toEntry(row: LedgerRow): LedgerEntry {
  return {
    kind: entryKind.parse(row['kind']),
    event: decodeCostEvent(String(row['event'])),
    deltaNanoUsd: BigInt(String(row['delta_nano'])),
    day: String(row['period_day']),
    month: String(row['period_month']),
    shard: Number(row['shard']),
    streamId: String(row['stream_id']),
    createdAt: Number(row['created_at']),
  };
}

export function toUsageGroup(row: LedgerRow): UsageGroup {
  const nano = (column: string) => BigInt(String(row[column]));
  const [input, cached, cacheWrite] = [nano('input_nano'), nano('cached_nano'), nano('cache_write_nano')];
  const [output, reasoning, costNanoUsd] = [nano('output_nano'), nano('reasoning_nano'), nano('delta_nano')];
  return {
    group: String(row['name']),
    requests: Number(row['requests']),
    promptTokens: Number(row['tokens_in']),
    cachedTokens: Number(row['tokens_cached']),
    cacheWriteTokens: Number(row['tokens_cache_write']),
    completionTokens: Number(row['tokens_out']),
    reasoningTokens: Number(row['tokens_reasoning']),
    costNanoUsd,
    costsNanoUsd: { input, cached, cacheWrite, output, reasoning },
    adjustmentsNanoUsd: costNanoUsd - input - cached - cacheWrite - output - reasoning,
  };
}

const outboxFields = z.record(z.string(), z.string());

export function toDeadLetter(row: LedgerRow): DeadLetter {
  return {
    shard: Number(row['shard']),
    streamId: String(row['stream_id']),
    fields: outboxFields.parse(JSON.parse(String(row['fields']))),
    reason: String(row['reason']),
  };
}

export function toRepair(row: LedgerRow): Repair {
  return {
    scope: String(row['scope']),
    period: String(row['period']),
    deltaNanoUsd: BigInt(String(row['delta_nano'])),
    madeAt: Number(row['made_at']),
  };
}

/** One page of the `limit + 1` rows that were asked for; a cursor is the `seq` of the page's last row. */
export function toPage(rows: readonly LedgerRow[], limit: number) {
  const page = rows.slice(0, limit);
  return { entries: page.map(toEntry), nextCursor: rows.length > limit ? String(page.at(-1)?.['seq']) : undefined };
}

/**
 * The `seq` before which a page begins; `undefined` for the first page.
 * @throws GatewayError `invalid_parameter`
 */
export function parseCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  const message = 'cursor must be the next_cursor of an earlier answer, or left out.';
  throw new GatewayError('invalid_parameter', message, { param: 'cursor' });
}
