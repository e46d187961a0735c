import type { Counters, DeadLetter, Ledger, LedgerFlaw, Outbox, ScopeSnapshot, Snapshot } from '@tokenhub/metering';
import { comparePositions, openPeriods } from '@tokenhub/metering';
import { compareScope, type CounterDifference } from './compare-scope.ts';

export interface ReconcilerOptions {
  readonly counters: Counters;
  /** One per shard. */
  readonly outboxes: readonly Outbox[];
  readonly ledger: Pick<Ledger, 'sums' | 'findFlaws' | 'deadLetters' | 'countDeadLetters' | 'addRepairs'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** What does not agree, wherever it was found. */
export interface ReconcileReport {
  /** Requests that are running. */
  readonly live: number;
  /** Cost events that are not in the ledger yet. */
  readonly outbox: number;
  readonly deadLetters: { readonly count: number; readonly first: readonly DeadLetter[] };
  /** Of the ledger with itself. */
  readonly flaws: readonly LedgerFlaw[];
  /** Of the store with the ledger. */
  readonly differences: readonly CounterDifference[];
  /** Shards that could not be compared, since their events come too fast or not at all into the ledger. */
  readonly behind: readonly number[];
}

/** Compares what was counted with what was written down: to the nano-USD, and while requests go on. */
export interface Reconciler {
  /** Looks, and changes nothing but that scopes get the money that the ledger knows of. */
  look(): Promise<ReconcileReport>;
  /** Looks, and puts the store right where the ledger is sure. Gives what was found; what was put right is in the ledger's `repairs`. */
  repair(): Promise<ReconcileReport>;
}

type PlacedSnapshot = Snapshot & { readonly position: string };

/** Scopes compared at a time: a script blocks the store for all of them. */
const BATCH = 100;
/** Items of each kind; one is enough to begin with. */
const MOST_ITEMS = 100;
/** How long, and how often, events on their way to the ledger are waited for. */
const PATIENCE = 40;
const PAUSE_MS = 250;

export function createReconciler({ counters, outboxes, ledger, now, sleep }: ReconcilerOptions): Reconciler {
  /** Asks until there is an answer, for some seconds. */
  async function until<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
    for (let tries = 0; tries < PATIENCE; tries++) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      await sleep(PAUSE_MS);
    }
    return undefined;
  }

  /** What a few scopes have settled, at a moment that the ledger can be asked about. */
  async function settledOf(shard: number, scopes: readonly string[]): Promise<PlacedSnapshot | undefined> {
    return until(async () => {
      const { position, ...rest } = await counters.snapshot(shard, scopes);
      return position === undefined ? undefined : { position, ...rest };
    });
  }

  async function compare(shard: number, { position, live, scopes }: PlacedSnapshot) {
    const open = openPeriods(now());
    const { sums } = await ledger.sums({ shard, scopes: scopes.map(({ scope }) => scope), ...open, upTo: position });
    const byScope = Map.groupBy(sums, ({ scope }) => scope);
    return scopes.flatMap((state) =>
      compareScope(state, byScope.get(state.scope) ?? [], { ...open, isIdle: live === 0 }),
    );
  }

  async function compareShard(shard: number, outbox: Outbox) {
    const scopes = await counters.scopes(shard);
    await seed(shard, scopes);
    const snapshots: PlacedSnapshot[] = [];
    for (let from = 0; from < scopes.length; from += BATCH) {
      const snapshot = await settledOf(shard, scopes.slice(from, from + BATCH));
      if (snapshot === undefined) return { shard, differences: [], isBehind: true };
      snapshots.push(snapshot);
    }
    const last = snapshots
      .map(({ position }) => position)
      .toSorted(comparePositions)
      .at(-1);
    const isInLedger = await until(async () => {
      const [oldest] = await outbox.read(1);
      return oldest === undefined || last === undefined || comparePositions(oldest.streamId, last) > 0 || undefined;
    });
    if (isInLedger === undefined) return { shard, differences: [], isBehind: true };
    const differences: CounterDifference[] = [];
    for (const snapshot of snapshots) differences.push(...(await compare(shard, snapshot)));
    return { shard, differences, isBehind: false };
  }

  /** Scopes without a budget are used before anybody has asked the ledger about them. */
  async function seed(shard: number, scopes: readonly string[]): Promise<void> {
    for (let from = 0; from < scopes.length; from += BATCH) {
      const snapshot = await counters.snapshot(shard, scopes.slice(from, from + BATCH));
      for (const { scope, isSeeded } of snapshot.scopes) if (!isSeeded) await counters.seed(shard, scope);
    }
  }

  async function look() {
    const sinceDay = openPeriods(now()).sinceDay;
    const shards = await Promise.all(outboxes.map((outbox, shard) => compareShard(shard, outbox)));
    const [count, first, flaws, lengths, snapshots] = await Promise.all([
      ledger.countDeadLetters(),
      ledger.deadLetters(MOST_ITEMS),
      ledger.findFlaws({ sinceDay, limit: MOST_ITEMS }),
      Promise.all(outboxes.map((outbox) => outbox.length())),
      Promise.all(outboxes.map((_, shard) => counters.snapshot(shard, []))),
    ]);
    return {
      live: sum(snapshots.map(({ live }) => live)),
      outbox: sum(lengths),
      deadLetters: { count, first },
      flaws,
      differences: shards.flatMap(({ differences }) => differences),
      behind: shards.filter(({ isBehind }) => isBehind).map(({ shard }) => shard),
      shards,
    };
  }

  /** The ledger is not sure while dead letters hold money that it does not have, or while it contradicts itself. */
  async function putRight(
    shard: number,
    state: ScopeSnapshot,
    differences: readonly CounterDifference[],
  ): Promise<void> {
    const deltas = differences.flatMap(({ kind, period, expectedNanoUsd, actualNanoUsd }) =>
      kind === 'settled' ? [{ period, deltaNanoUsd: expectedNanoUsd - actualNanoUsd }] : [],
    );
    const releasesAll = differences.some(({ kind }) => kind === 'held');
    if (!(await counters.repair(shard, state, { deltas, releasesAll }))) return;
    await ledger.addRepairs(deltas.map((delta) => ({ scope: state.scope, ...delta, madeAt: now() })));
  }

  return {
    async look() {
      const { shards: _, ...report } = await look();
      return report;
    },
    async repair() {
      const { shards, ...report } = await look();
      if (report.deadLetters.count > 0 || report.flaws.length > 0) return report;
      for (const { shard, differences } of shards) {
        const byScope = Map.groupBy(differences, ({ state }) => state);
        for (const [state, ofScope] of byScope) await putRight(shard, state, ofScope);
      }
      return report;
    },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
