import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  comparePositions,
  encodeCostEvent,
  LedgerRefusal,
  openSqliteLedger,
  type Ledger,
  type Outbox,
  type OutboxEntry,
} from '@tokenhub/metering';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sampleEvent } from '../test/test-accounting.ts';
import { createSettleCostEvents } from './settle-cost-events.ts';

let directory: string;
let ledger: Ledger;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'settle-test-'));
  ledger = openSqliteLedger(join(directory, 'ledger.sqlite'));
});
afterEach(async () => {
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
});

/** An outbox in memory that may fail to remove. */
function createFakeOutbox(count: number) {
  let entries: OutboxEntry[] = Array.from({ length: count }, (_, index) => toEntry(`req_${index}`, index));
  const outbox: Outbox & { failRemovals: number; push(entry: OutboxEntry): void } = {
    failRemovals: 0,
    push: (entry) => entries.push(entry),
    read: async (limit, after) =>
      entries.filter(({ streamId }) => after === undefined || comparePositions(streamId, after) > 0).slice(0, limit),
    async remove(removed) {
      if (outbox.failRemovals-- > 0) throw new Error('cut off after the commit');
      entries = entries.filter((entry) => !removed.includes(entry));
    },
    length: async () => entries.length,
  };
  return outbox;
}

function toEntry(requestId: string, index: number): OutboxEntry {
  const event = encodeCostEvent(sampleEvent({ requestId }));
  const fields = { kind: 'S', rid: requestId, delta: '1200000', day: '20261120', month: '202611', event };
  return { shard: 0, streamId: `${1000 + index}-0`, fields };
}

/** The ledger, but for what becomes of appends. */
const withAppend = (append: Ledger['append']): Pick<Ledger, 'append' | 'origins'> => ({
  // A ledger rejects and never throws
  append: async (entries, deadLetters) => append(entries, deadLetters),
  origins: (requestIds) => ledger.origins(requestIds),
});

const usage = async () => (await ledger.usage({ groupBy: 'org' }))[0];

test('moves everything, batch by batch, and says how late it was', async () => {
  const outbox = createFakeOutbox(1201);
  const result = await createSettleCostEvents({ outbox, ledger, now: () => 4000 })();
  expect(result).toEqual({ entries: 1201, deadLetters: 0, lagsMs: [3000, 2500, 2000] });
  expect(await outbox.length()).toBe(0);
  expect(await usage()).toMatchObject({ requests: 1201, costNanoUsd: 1201n * 1_200_000n });
});

test('cut off between the commit and the removal, the next run adds nothing twice', async () => {
  const outbox = createFakeOutbox(10);
  const settle = createSettleCostEvents({ outbox, ledger, now: Date.now });
  outbox.failRemovals = 1;
  await expect(settle()).rejects.toThrow('cut off');
  expect(await usage()).toMatchObject({ requests: 10 });
  await settle();
  expect(await outbox.length()).toBe(0);
  expect(await usage()).toMatchObject({ requests: 10, costNanoUsd: 12_000_000n });
});

test('two runs at a time add nothing twice', async () => {
  const outbox = createFakeOutbox(700);
  const settle = createSettleCostEvents({ outbox, ledger, now: Date.now });
  await Promise.all([settle(), settle()]);
  expect(await usage()).toMatchObject({ requests: 700 });
});

test('ends after 5 seconds, for the next tick to go on', async () => {
  const outbox = createFakeOutbox(1500);
  let now = 0;
  const result = await createSettleCostEvents({ outbox, ledger, now: () => (now += 2000) })();
  expect(result.entries).toBe(1000);
  expect(await outbox.length()).toBe(500);
});

test('an entry that the ledger alone refuses becomes a dead letter after five refusals, and only that one', async () => {
  const outbox = createFakeOutbox(4);
  outbox.push(toEntry('req_poison', 9));
  const picky = withAppend((entries, deadLetters) => {
    if (entries.some(({ event }) => event.requestId === 'req_poison')) throw new LedgerRefusal('no such row for me');
    return ledger.append(entries, deadLetters);
  });
  const settle = createSettleCostEvents({ outbox, ledger: picky, now: Date.now });
  for (let run = 0; run < 4; run++) await expect(settle()).rejects.toThrow('no such row');
  expect(await outbox.length()).toBe(5);
  expect(await settle()).toMatchObject({ entries: 4, deadLetters: 1 });
  expect(await outbox.length()).toBe(0);
  expect(await usage()).toMatchObject({ requests: 4 });
  expect(await ledger.countDeadLetters()).toBe(1);
});

test('a ledger that is away makes no dead letters, however long, nor when it comes back at any moment', async () => {
  const outbox = createFakeOutbox(3);
  // Had the entries been tried one by one, it would come back just before a dead letter
  let failures = 12;
  const flaky = withAppend((entries, deadLetters) => {
    if (failures-- > 0) throw new Error('disk full');
    return ledger.append(entries, deadLetters);
  });
  const settle = createSettleCostEvents({ outbox, ledger: flaky, now: Date.now });
  for (let run = 0; run < 12; run++) await expect(settle()).rejects.toThrow('disk full');
  expect(await settle()).toMatchObject({ entries: 3, deadLetters: 0 });
  expect(await ledger.countDeadLetters()).toBe(0);
  expect(await usage()).toMatchObject({ requests: 3 });
});

test('a ledger that goes away while it is asked entry by entry gets the rest later', async () => {
  const outbox = createFakeOutbox(4);
  outbox.push(toEntry('req_poison', 9));
  let isPoisonSeen = false;
  const failing = withAppend((entries, deadLetters) => {
    if (entries.some(({ event }) => event.requestId === 'req_poison')) {
      // Alone for the first time, it meets a ledger that has gone; a moment later that is back
      const isAway = entries.length === 1 && !isPoisonSeen;
      isPoisonSeen ||= entries.length === 1;
      throw isAway ? new Error('gone') : new LedgerRefusal('no such row for me');
    }
    return ledger.append(entries, deadLetters);
  });
  const settle = createSettleCostEvents({ outbox, ledger: failing, now: Date.now });
  for (let run = 0; run < 4; run++) await expect(settle()).rejects.toThrow('no such row');
  await expect(settle()).rejects.toThrow('gone');
  expect(await ledger.countDeadLetters()).toBe(0);
  expect(await settle()).toMatchObject({ entries: 4, deadLetters: 1 });
  expect(await usage()).toMatchObject({ requests: 4 });
});
