import {
  isLedgerRefusal,
  readOutboxEntry,
  type DeadLetter,
  type Ledger,
  type LedgerEntry,
  type Outbox,
  type OutboxEntry,
} from '@tokenhub/metering';

export interface SettleCostEventsOptions {
  readonly outbox: Outbox;
  readonly ledger: Ledger;
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
      const deadLetters = await append(batch, readBatch(batch));
      await outbox.remove(batch);
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

/** Finds what the ledger refuses. It may also go away or come back in between, and then nothing becomes a dead letter. */
async function appendOneByOne(ledger: Ledger, batch: readonly OutboxEntry[]): Promise<number> {
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
