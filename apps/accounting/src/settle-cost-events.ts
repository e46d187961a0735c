import {
  isLedgerRefusal,
  readOutboxEntry,
  scopesOf,
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

  const append = async (batch: readonly OutboxEntry[], read: Batch): Promise<number> => {
    try {
      await ledger.append(read.entries, read.deadLetters);
      refusals = 0;
      return read.deadLetters.length;
    } catch (error) {
      // A ledger that is away says nothing of the entries, however often it is.
      if (!isLedgerRefusal(error)) throw error;
      refusals++;
      if (refusals < PATIENCE) throw error;
    }
    const deadLetters = await appendOneByOne(ledger, batch);
    refusals = 0;
    return deadLetters;
  };

  return async () => {
    const total = { entries: 0, deadLetters: 0, lagsMs: [] as number[] };
    const end = now() + RUN_MS;
    let batch: readonly OutboxEntry[];
    do {
      batch = await outbox.read(BATCH_SIZE);
      const [oldest] = batch;
      if (oldest === undefined) break;
      const read = readBatch(batch);
      const deadLetters = await append(batch, read);
      await outbox.remove(batch, await findUncounted(ledger, batch, read));
      total.entries += batch.length - deadLetters;
      total.deadLetters += deadLetters;
      total.lagsMs.push(Math.max(0, now() - Number.parseInt(oldest.streamId, 10)));
    } while (batch.length === BATCH_SIZE && now() < end);
    return total;
  };
}

interface Batch {
  readonly entries: readonly LedgerEntry[];
  readonly deadLetters: readonly DeadLetter[];
}

function readBatch(batch: readonly OutboxEntry[]): Batch {
  const results = batch.map(readOutboxEntry);
  return {
    entries: results.flatMap((result) => (result.ok ? result.entry : [])),
    deadLetters: results.flatMap((result) => (result.ok ? [] : result.deadLetter)),
  };
}

/**
 * Which entries of kind O are rows of the ledger now; the others repeat a settlement that it had already. Asked of the ledger
 * rather than remembered from the append, which may have happened in a run that was cut off.
 */
async function findUncounted(
  ledger: Pick<Ledger, 'origins'>,
  batch: readonly OutboxEntry[],
  read: Batch,
): Promise<readonly Uncounted[]> {
  const orphans = new Set(batch.filter(({ fields }) => fields['kind'] === 'O').map(({ streamId }) => streamId));
  const candidates = read.entries.filter(({ streamId }) => orphans.has(streamId));
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
