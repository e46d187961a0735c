import { setTimeout as sleep } from 'node:timers/promises';
import type { Outbox } from '@tokenhub/metering';
import { readProcessUsage } from '../process-usage.ts';
import { median } from '../statistics.ts';
import { startAccounting } from '../targets.ts';
import { fillOutbox } from './fill-outbox.ts';
import { expectRequests, LEDGER_KINDS, type LedgerKind } from './ledgers.ts';
import type { QuotaBench } from './quota-bench.ts';
import type { QuotaFigure } from './quota-figure.ts';

const EVENTS = 60_000;
const QUICK_EVENTS = 20_000;
const POLL_MS = 10;

/** Cost events a second that one accounting process moves from a full outbox into an empty ledger. */
export async function measureDrain(bench: QuotaBench): Promise<QuotaFigure[]> {
  const figures: QuotaFigure[] = [];
  for (const kind of LEDGER_KINDS) {
    const runs: Run[] = [];
    for (let round = 0; round < (bench.isQuick ? 1 : 3); round++) {
      const run = await drain(bench, kind);
      if (run !== undefined) runs.push(run);
    }
    if (runs.length === 0) continue;
    const each = runs.map(({ perSecond }) => perSecond.toFixed(0)).join(', ');
    const cpuUs = median(runs.map((run) => run.cpuUs));
    figures.push({
      name: `drain: a full outbox into ${kind.name}`,
      what: 'events a second',
      value: median(runs.map(({ perSecond }) => perSecond)),
      gate: { atLeast: 5_000 },
      goal: { atLeast: 15_000 },
      also: `by round ${each}; accounting ${cpuUs.toFixed(0)} µs of CPU per event`,
    });
  }
  return figures;
}

interface Run {
  readonly perSecond: number;
  readonly cpuUs: number;
}

/** Undefined where there is no such ledger, or no accounting. */
async function drain(bench: QuotaBench, kind: LedgerKind): Promise<Run | undefined> {
  const store = await bench.startStore();
  const ledger = await kind.start(store);
  try {
    if (ledger === undefined) return undefined;
    const count = bench.isQuick ? QUICK_EVENTS : EVENTS;
    await fillOutbox(store, count);
    const accounting = await startAccounting(store.url, store.directory, ledger.databaseUrl);
    if (accounting === undefined) return undefined;
    const before = readProcessUsage(accounting.pid).cpuUs;
    const tookMs = await timeUntilEmpty(store.outbox, count);
    const cpuUs = readProcessUsage(accounting.pid).cpuUs - before;
    await accounting.stop();
    await expectRequests(ledger, count);
    return { perSecond: (count / tookMs) * 1_000, cpuUs: cpuUs / count };
  } finally {
    await ledger?.stop();
    await store.stop();
  }
}

/** From when the first of so many entries leave. */
async function timeUntilEmpty(outbox: Outbox, count: number): Promise<number> {
  let beganAt = performance.now();
  for (;;) {
    const length = await outbox.length();
    if (length === count) beganAt = performance.now();
    if (length === 0) return performance.now() - beganAt;
    await sleep(POLL_MS);
  }
}
