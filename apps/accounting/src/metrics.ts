import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ReconcileReport } from './reconcile/reconcile.ts';
import type { DrainResult } from './settle-cost-events.ts';

/** What operators see of the way from the outbox to the ledger. */
export interface AccountingMetrics {
  readonly registry: Registry;
  /** Counts what a drain has moved, or has given up. */
  recordDrain(result: DrainResult): void;
  /** Counts reservations whose gateway never settled them. */
  recordSweep(expired: number): void;
  /** Tells how much did not agree the last time that counters and ledger were compared. */
  recordReconciliation(report: ReconcileReport): void;
}

/** @param readOutboxLength events of all shards that are not in the ledger yet */
export function createAccountingMetrics(readOutboxLength: () => Promise<number>): AccountingMetrics {
  const registry = new Registry();
  const registers = [registry];
  const drained = new Counter({
    name: 'tokenhub_drained_events_total',
    help: 'Cost events moved from the outbox to the ledger',
    registers,
  });
  const deadLetters = new Counter({
    name: 'tokenhub_dead_letters_total',
    help: 'Cost events that could not be written into the ledger and wait for a person',
    registers,
  });
  const expired = new Counter({
    name: 'tokenhub_expired_reservations_total',
    help: 'Reservations settled because their lease had passed',
    registers,
  });
  const lag = new Histogram({
    name: 'tokenhub_drain_lag_seconds',
    help: 'From the settlement of the oldest event of a batch to its commit in the ledger',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600],
    registers,
  });
  const differences = new Gauge({
    name: 'tokenhub_reconcile_differences',
    help: 'What did not agree at the last reconciliation, by kind; anything above 0 wants a person',
    labelNames: ['kind'],
    registers,
  });
  const outbox: Gauge = new Gauge({
    name: 'tokenhub_outbox_events',
    help: 'Cost events that are not in the ledger yet',
    registers,
    // While the store is away there is no figure, and the other metrics are wanted all the more
    collect: () =>
      readOutboxLength().then(
        (length) => outbox.set(length),
        () => outbox.set(Number.NaN),
      ),
  });

  return {
    registry,
    recordDrain(result) {
      drained.inc(result.entries);
      deadLetters.inc(result.deadLetters);
      for (const ms of result.lagsMs) lag.observe(ms / 1000);
    },
    recordSweep: (count) => expired.inc(count),
    recordReconciliation(report) {
      differences.set({ kind: 'ledger' }, report.flaws.length);
      differences.set({ kind: 'counter' }, report.differences.length);
      differences.set({ kind: 'dead_letter' }, report.deadLetters.count);
      differences.set({ kind: 'behind' }, report.behind.length);
    },
  };
}
