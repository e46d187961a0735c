import {
  isLedgerRefusal,
  readOutboxEntry,
  scopesOf,
  timeOf,
  type DeadLetter,
  type Ledger,
  type LedgerEntry,
  type Outbox,
  type OutboxEntry,
  type Uncounted,
} from '@tokenhub/metering';

export interface SettleCostEventsOptions {
  readonly outbox: Outbox;
  readonly ledger: Pick<Ledger, 'append' | 'origins'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What one run has moved. */
export interface DrainResult {
  readonly entries: number;
  readonly deadLetters: number;
  /** Per batch, how long its oldest event had waited. */
  readonly lagsMs: readonly number[];
}

const BATCH_SIZE = 500;
/** Longest run; the next tick goes on from there. */
const RUN_MS = 5000;
/** How often the ledger may refuse a batch before its entries are tried one by one. */
const PATIENCE = 5;

/**
 * Moves cost events of one shard from the outbox into the ledger. They leave the outbox only when the ledger has committed
 * them, and the ledger takes each once, so that a run may end anywhere, or happen twice.
 * @returns a function that runs once; it rejects when the ledger or the outbox does.
 */
export function createSettleCostEvents({ outbox, ledger, now }: SettleCostEventsOptions): () => Promise<DrainResult> {
  let refusals = 0;

  /** Gives how many became dead letters. */
  const append = async (batch: Batch): Promise<number> => {
    try {
      await ledger.append(batch.entries, batch.deadLetters);
      refusals = 0;
      return batch.deadLetters.length;
    } catch (error) {
      // A ledger that is away says nothing of the entries, however often it is.
      if (!isLedgerRefusal(error)) throw error;
      refusals++;
      if (refusals < PATIENCE) throw error;
    }
    const deadLetters = await appendOneByOne(ledger, batch.all);
    refusals = 0;
    return deadLetters;
  };

  const read = async (after?: string): Promise<Batch> => readBatch(await outbox.read(BATCH_SIZE, after));

  return async () => {
    const total = { entries: 0, deadLetters: 0, lagsMs: [] as number[] };
    const end = now() + RUN_MS;
    let removal: Promise<void> = Promise.resolve();
    try {
      for (let batch = await read(), next = batch; ; batch = next) {
        const [oldest, last] = [batch.all[0], batch.all.at(-1)];
        if (oldest === undefined || last === undefined) break;
        const goesOn = batch.all.length === BATCH_SIZE && now() < end;
        // The next ones are read while these are committed, and these removed while the next ones are.
        const following = goesOn ? read(last.streamId) : Promise.resolve(NOTHING);
        const [deadLetters, after] = await Promise.all([append(batch), following]);
        next = after;
        await removal;
        removal = findUncounted(ledger, batch).then((uncounted) => outbox.remove(batch.all, uncounted));
        removal.catch(() => {}); // it is waited for below, or at the end
        total.entries += batch.all.length - deadLetters;
        total.deadLetters += deadLetters;
        total.lagsMs.push(Math.max(0, now() - timeOf(oldest.streamId)));
        if (!goesOn) break;
      }
    } finally {
      await removal;
    }
    return total;
  };
}

/** Entries of the outbox, and what becomes of them. */
interface Batch {
  readonly all: readonly OutboxEntry[];
  readonly entries: readonly LedgerEntry[];
  readonly deadLetters: readonly DeadLetter[];
}

const NOTHING: Batch = { all: [], entries: [], deadLetters: [] };

function readBatch(all: readonly OutboxEntry[]): Batch {
  const results = all.map(readOutboxEntry);
  return {
    all,
    entries: results.flatMap((result) => (result.ok ? result.entry : [])),
    deadLetters: results.flatMap((result) => (result.ok ? [] : result.deadLetter)),
  };
}

/**
 * Which entries of kind O are rows of the ledger now; the others repeat a settlement that it had already. Asked of the ledger
 * rather than remembered from the append, which may have happened in a run that was cut off.
 */
async function findUncounted(ledger: Pick<Ledger, 'origins'>, batch: Batch): Promise<readonly Uncounted[]> {
  const orphans = new Set(batch.all.filter(({ fields }) => fields['kind'] === 'O').map(({ streamId }) => streamId));
  const candidates = batch.entries.filter(({ streamId }) => orphans.has(streamId));
  if (candidates.length === 0) return [];
  const origins = await ledger.origins(candidates.map(({ event }) => event.requestId));
  return candidates
    .filter(({ event, shard, streamId }) => {
      const origin = origins.get(event.requestId);
      return origin?.shard === shard && origin.streamId === streamId;
    })
    .map(({ streamId, event, day, month, deltaNanoUsd }) => ({
      streamId,
      scopes: scopesOf(event),
      day,
      month,
      deltaNanoUsd,
    }));
}

/** Finds what the ledger refuses. It may also go away or come back in between, and then nothing becomes a dead letter. */
async function appendOneByOne(ledger: Pick<Ledger, 'append'>, batch: readonly OutboxEntry[]): Promise<number> {
  let count = 0;
  for (const entry of batch) {
    const { entries, deadLetters } = readBatch([entry]);
    count += deadLetters.length;
    try {
      await ledger.append(entries, deadLetters);
    } catch (error) {
      if (!isLedgerRefusal(error)) throw error;
      await ledger.append([], [{ ...entry, reason: `the ledger refuses it: ${error.message}` }]);
      count++;
    }
  }
  return count;
}
