import { formatUsd } from '@tokenhub/core';
import type { Repair } from '@tokenhub/metering';
import type { ReconcileReport } from '../reconcile/reconcile.ts';

/**
 * What does not agree, as the operator surface shows it; members that do not apply are null. Kinds:
 * - `ledger_row`: rows of one request contradict each other, or what its gateway has stated.
 * - `ledger_sum`: a roll-up is not the sum of its rows.
 * - `counter`: what the store counts as settled is not what the ledger says.
 * - `held`: the store holds money though nothing runs.
 * - `dead_letter`: an event that could not be written into the ledger.
 * - `behind`: events of a shard do not come into the ledger, so that it could not be compared.
 */
export function toReconcileItems({ flaws, differences, deadLetters, behind }: ReconcileReport) {
  return [
    ...flaws.map(({ requestId, scope, period, expectedNanoUsd, actualNanoUsd }) =>
      toItem(requestId === undefined ? 'ledger_sum' : 'ledger_row', {
        request_id: requestId,
        scope,
        period,
        ...toAmounts(expectedNanoUsd, actualNanoUsd),
      }),
    ),
    ...differences.map(({ kind, scope, period, expectedNanoUsd, actualNanoUsd }) =>
      toItem(kind === 'held' ? 'held' : 'counter', {
        scope,
        period: period === '' ? undefined : period,
        ...toAmounts(expectedNanoUsd, actualNanoUsd),
      }),
    ),
    ...deadLetters.first.map(({ fields, shard, streamId, reason }) =>
      toItem('dead_letter', { request_id: fields['rid'], shard, stream_id: streamId, reason }),
    ),
    ...behind.map((shard) => toItem('behind', { shard })),
  ];
}

/** `repaired`: a counter that was put right; `difference_usd` is what was added to it, with its sign. */
export function toRepairItem({ scope, period, deltaNanoUsd, madeAt }: Repair) {
  const amounts = { difference_usd: formatUsd(deltaNanoUsd), repaired_at: new Date(madeAt).toISOString() };
  return toItem('repaired', { scope, period, ...amounts });
}

/** `difference_usd`: what has to be added to make it right. */
function toAmounts(expected: bigint, actual: bigint) {
  return {
    expected_usd: formatUsd(expected),
    actual_usd: formatUsd(actual),
    difference_usd: formatUsd(expected - actual),
  };
}

interface Facts {
  readonly request_id?: string | undefined;
  readonly scope?: string | undefined;
  readonly period?: string | undefined;
  readonly expected_usd?: string;
  readonly actual_usd?: string;
  readonly difference_usd?: string;
  readonly shard?: number;
  readonly stream_id?: string;
  readonly reason?: string;
  readonly repaired_at?: string;
}

function toItem(kind: string, facts: Facts) {
  return {
    kind,
    request_id: facts.request_id ?? null,
    scope: facts.scope ?? null,
    period: facts.period ?? null,
    expected_usd: facts.expected_usd ?? null,
    actual_usd: facts.actual_usd ?? null,
    difference_usd: facts.difference_usd ?? null,
    shard: facts.shard ?? null,
    stream_id: facts.stream_id ?? null,
    reason: facts.reason ?? null,
    repaired_at: facts.repaired_at ?? null,
  };
}
