import { setTimeout as sleep } from 'node:timers/promises';
import { openLedger } from '@tokenhub/metering';
import { shardKeys } from '../../packages/metering/src/quota/keys.ts';
import { percentile } from '../statistics.ts';
import { startAccounting } from '../targets.ts';
import { LEDGER_KINDS, type BenchLedger, type LedgerKind } from './ledgers.ts';
import { offerReservations } from './offer-reservations.ts';
import type { QuotaBench, Store } from './quota-bench.ts';
import type { QuotaFigure } from './quota-figure.ts';

const PER_SECOND = 500;
const KEYS = 200;
const POLL_MS = 5;
const PAGE = 500;

/** From the settlement of a request to the commit of its row, at 500 a second: of every single one. */
export async function measureLag(bench: QuotaBench): Promise<QuotaFigure[]> {
  const figures: QuotaFigure[] = [];
  for (const kind of LEDGER_KINDS) {
    const lagsMs = await watch(bench, kind);
    if (lagsMs === undefined) continue;
    const [p50, longest] = [percentile(lagsMs, 0.5), Math.max(...lagsMs)];
    figures.push({
      name: `lag: from settlement to ${kind.name}, ${PER_SECOND} a second`,
      what: 'p99, ms',
      value: percentile(lagsMs, 0.99),
      gate: { atMost: 1_000 },
      goal: { atMost: 250 },
      also: `p50 ${p50.toFixed(0)}, longest ${longest.toFixed(0)} of ${lagsMs.length}`,
    });
  }
  return figures;
}

/** Undefined where there is no such ledger, or no accounting. */
async function watch(bench: QuotaBench, kind: LedgerKind): Promise<number[] | undefined> {
  const store = await bench.startStore();
  const ledger = await kind.start(store);
  try {
    if (ledger === undefined) return undefined;
    const accounting = await startAccounting(store.url, store.directory, ledger.databaseUrl);
    if (accounting === undefined) return undefined;
    const keyOf = (index: number): number => index % KEYS;
    await offerReservations(store.quota, { perSecond: PER_SECOND, durationMs: 3_000, keyOf });
    await untilEmpty(store);
    const offered = { done: false };
    const commits = watchCommits(store, offered);
    const durationMs = bench.isQuick ? 5_000 : 30_000;
    await offerReservations(store.quota, { perSecond: PER_SECOND, durationMs, keyOf });
    await untilEmpty(store);
    offered.done = true;
    const lagsMs = toLags(await readPositions(ledger, (PER_SECOND * durationMs) / 1_000), await commits);
    await accounting.stop();
    return lagsMs;
  } finally {
    await ledger?.stop();
    await store.stop();
  }
}

/** From then on everything up to a position of the outbox is in the ledger. */
interface Commit {
  readonly at: number;
  readonly position: string;
}

async function watchCommits({ redis }: Store, watched: { readonly done: boolean }): Promise<Commit[]> {
  const { watermark } = shardKeys(0);
  const commits: Commit[] = [];
  for (let isLast = false; !isLast; await sleep(POLL_MS)) {
    isLast = watched.done;
    const position = (await redis.get(watermark)) ?? '0-0';
    if (position !== commits.at(-1)?.position) commits.push({ at: Date.now(), position });
  }
  return commits;
}

async function untilEmpty({ outbox }: Store): Promise<void> {
  while ((await outbox.length()) > 0) await sleep(POLL_MS);
}

/** Where in the outbox the last so many rows have been, oldest first. */
async function readPositions({ databaseUrl }: BenchLedger, count: number): Promise<string[]> {
  const ledger = openLedger(databaseUrl, { readOnly: true });
  const positions: string[] = [];
  let cursor: string | undefined;
  while (positions.length < count) {
    const page = await ledger.list({ limit: Math.min(PAGE, count - positions.length), cursor });
    positions.push(...page.entries.map(({ streamId }) => streamId));
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  await ledger.close();
  return positions.toReversed();
}

/** Rows and commits are in the same order, so that one walk over both will do. */
function toLags(positions: readonly string[], commits: readonly Commit[]): number[] {
  let next = 0;
  return positions.map((position) => {
    while (next < commits.length - 1 && isBefore(commits[next]?.position ?? '', position)) next++;
    return (commits[next]?.at ?? Number.NaN) - timeOf(position);
  });
}

function isBefore(one: string, other: string): boolean {
  const [oneNumber, otherNumber] = [one, other].map((position) => Number(position.split('-')[1]));
  return timeOf(one) < timeOf(other) || (timeOf(one) === timeOf(other) && Number(oneNumber) < Number(otherNumber));
}

/** Milliseconds since 1970 by the store's clock, which is ours. */
function timeOf(position: string): number {
  return Number(position.split('-')[0]);
}
