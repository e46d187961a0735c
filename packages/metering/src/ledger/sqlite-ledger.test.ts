import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { NOON, sampleEvent } from '../../test/samples.ts';
import { describeLedger } from '../../test/ledger-conformance.ts';
import type { LedgerEntry } from './ledger.ts';
import { openLedger } from './open-ledger.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function makePath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ledger-test-'));
  directories.push(directory);
  return join(directory, 'data', 'ledger.sqlite');
}

describeLedger('the SQLite ledger', async () => openSqliteLedger(await makePath()));

const entry: LedgerEntry = {
  kind: 'T',
  event: sampleEvent(),
  deltaNanoUsd: 1_200_000n,
  day: '20261120',
  month: '202611',
  shard: 0,
  streamId: '1-0',
  createdAt: NOON,
};

test('survives being closed and opened again', async () => {
  const path = await makePath();
  const first = openLedger(`sqlite:${path}`);
  await first.append([entry], []);
  await first.close();
  const second = openLedger(`sqlite:${path}`);
  expect(await second.append([entry], [])).toBe(0);
  expect(await second.find('req_1')).toEqual([entry]);
  await second.close();
});

test('a reader beside the writer sees what is committed, also when it was there first', async () => {
  const path = await makePath();
  const reader = openSqliteLedger(path, { readOnly: true });
  expect(await reader.find('req_1')).toEqual([]);
  expect(await reader.list({ limit: 10 })).toEqual({ entries: [], nextCursor: undefined });
  const writer = openSqliteLedger(path);
  expect(await reader.find('req_1')).toEqual([]);
  await writer.append([entry], []);
  expect(await reader.find('req_1')).toEqual([entry]);
  await expect(reader.append([entry], [])).rejects.toThrow(/readonly/);
  await reader.close();
  await writer.close();
});

test('two writers of one file share the rows among them', async () => {
  const path = await makePath();
  const writers = [openSqliteLedger(path), openSqliteLedger(path)];
  const added = await Promise.all(writers.map((writer) => writer.append([entry], [])));
  expect(added.reduce((sum, count) => sum + count, 0)).toBe(1);
  for (const writer of writers) await writer.close();
});

test('keeps roll-ups per scope and period, attempts and a write-ahead log', async () => {
  const path = await makePath();
  const ledger = openSqliteLedger(path);
  await ledger.append([entry, { ...entry, kind: 'A', deltaNanoUsd: -200_000n }], []);
  const database = new DatabaseSync(path, { readOnly: true });
  expect(
    database
      .prepare('SELECT * FROM rollups ORDER BY scope, period')
      .all()
      .map((row) => ({ ...row })),
  ).toEqual(
    ['key:demo', 'org:acme', 'user:ada'].flatMap((scope) =>
      ['202611', '20261120'].map((period) => ({ scope, period, settled_nano: 1_000_000, requests: 1 })),
    ),
  );
  expect(database.prepare('SELECT attempt, outcome, status, cost_nano FROM attempts').all()).toMatchObject([
    { attempt: 1, outcome: 'upstream_unavailable', status: 503, cost_nano: 0 },
    { attempt: 2, outcome: 'served', status: null, cost_nano: 1_200_000 },
  ]);
  database.close();
  expect(await readdir(join(path, '..'))).toContain('ledger.sqlite-wal');
  await ledger.close();
});

test('says what would be right when a DATABASE_URL is not', () => {
  expect(() => openLedger('postgres://user:secret@db/tokenhub')).toThrow(
    /^must be sqlite:PATH: this release keeps its ledger in SQLite; PostgreSQL/,
  );
  for (const url of ['', 'sqlite:', 'mysql://db', '/var/ledger.sqlite']) {
    expect(() => openLedger(url)).toThrow('must be sqlite:PATH');
  }
});
