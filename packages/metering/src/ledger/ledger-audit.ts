import { comparePositions } from '../stream-position.ts';
import { toEntry, type LedgerRow } from './ledger-row.ts';
import type { LedgerFlaw, LedgerSums, Origin, SumsQuery } from './ledger.ts';
import { rollUp } from './roll-up.ts';

/** Rows of one moment that sums are made of. */
export interface SumsRows {
  /** Of `rollups`: `scope`, `period`, `settled_nano`. */
  readonly rollups: readonly LedgerRow[];
  /** `stream_id` of the shard's last rows, all of the same millisecond. */
  readonly last: readonly LedgerRow[];
  /** Whole rows of the shard from the millisecond of `upTo` on; none without it. */
  readonly later: readonly LedgerRow[];
}

export function toSums({ rollups, last, later }: SumsRows, { upTo }: SumsQuery): LedgerSums {
  const after = upTo === undefined ? [] : later.map(toEntry).filter((row) => comparePositions(row.streamId, upTo) > 0);
  const toLeaveOut = new Map(
    rollUp(after).map(({ scope, period, deltaNanoUsd }) => [`${scope} ${period}`, deltaNanoUsd]),
  );
  return {
    position: last
      .map((row) => String(row['stream_id']))
      .toSorted(comparePositions)
      .at(-1),
    sums: rollups.map((row) => {
      const [scope, period] = [String(row['scope']), String(row['period'])];
      const nanoUsd = BigInt(String(row['settled_nano'])) - (toLeaveOut.get(`${scope} ${period}`) ?? 0n);
      return { scope, period, nanoUsd };
    }),
  };
}

/** Of rows with `request_id`, `shard`, `stream_id`. */
export function toOrigins(rows: readonly LedgerRow[]): ReadonlyMap<string, Origin> {
  return new Map(
    rows.map((row) => [String(row['request_id']), { shard: Number(row['shard']), streamId: String(row['stream_id']) }]),
  );
}

/**
 * Of a row with `request_id`, `kind`, `stated_nano` (in its event), `cost_nano`, `delta_nano`, `by_kind_nano` (its parts together) and, of
 * a correction, `terminal_nano`.
 */
export function toRowFlaw(row: LedgerRow): LedgerFlaw {
  const [stated, cost, delta] = [toNano(row['stated_nano']), toNano(row['cost_nano']), toNano(row['delta_nano'])];
  const requestId = String(row['request_id']);
  if (stated !== cost) return { requestId, expectedNanoUsd: stated, actualNanoUsd: cost };
  const expected = row['kind'] === 'A' ? cost - toNano(row['terminal_nano']) : cost;
  const isDeltaWrong = expected !== delta;
  return { requestId, expectedNanoUsd: expected, actualNanoUsd: isDeltaWrong ? delta : toNano(row['by_kind_nano']) };
}

/** Of a roll-up with `scope`, `period`, `settled_nano` and the `rows_nano` that it should be; 0 where there is none. */
export function toSumFlaw(row: LedgerRow): LedgerFlaw {
  return {
    scope: String(row['scope']),
    period: String(row['period']),
    expectedNanoUsd: toNano(row['rows_nano']),
    actualNanoUsd: toNano(row['settled_nano']),
  };
}

/** Nano-USD as a database gives them; absent is nothing. */
function toNano(value: unknown): bigint {
  return typeof value === 'bigint' || typeof value === 'string' || typeof value === 'number' ? BigInt(value) : 0n;
}
