import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { NOON, rowsOfEveryKind, sampleEvent, USAGE_OF_EVERY_KIND } from '../../test/samples.ts';
import { describeLedger } from '../../test/ledger-conformance.ts';
import type { LedgerEntry } from './ledger.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';
import { SQLITE_SCHEMA } from './sqlite-schema.ts';

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
});

async function makePath(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'ledger-test-'));
  directories.push(directory);
  return join(directory, 'data', 'ledger.sqlite');
}

describeLedger('the SQLite ledger', async () => {
  const path = await makePath();
  return { open: (options) => openSqliteLedger(path, options) };
});

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
    ['key:demo', 'org:acme', 'team:search', 'user:ada'].flatMap((scope) =>
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

test('a file of an earlier release is taken over, once, and one of a newer release is left alone', async () => {
  const path = await makePath();
  await mkdir(dirname(path));
  const database = new DatabaseSync(path);
  database.exec(SQLITE_SCHEMA);
  for (let time = 0; time < 2; time++) {
    const ledger = openSqliteLedger(path);
    expect(await ledger.append([entry], [])).toBe(time === 0 ? 1 : 0);
    expect(await ledger.usage({ groupBy: 'team' })).toMatchObject([{ group: 'search', requests: 1 }]);
    await ledger.close();
  }
  database.exec('PRAGMA user_version = 999');
  database.close();
  expect(() => openSqliteLedger(path)).toThrow('made by a newer release');
});

test('counts by kind of token what an earlier release has added, which stated no kinds', async () => {
  const path = await makePath();
  const ledger = openSqliteLedger(path);
  await ledger.append(rowsOfEveryKind(), []);
  await ledger.close();
  const database = new DatabaseSync(path);
  for (const column of ['input_nano', 'cached_nano', 'cache_write_nano', 'output_nano', 'reasoning_nano']) {
    database.exec(`ALTER TABLE cost_events DROP COLUMN ${column}`);
  }
  database.exec("UPDATE cost_events SET event = json_remove(event, '$.costsNanoUsd')");
  database.exec('PRAGMA user_version = 1');
  database.close();
  for (let time = 0; time < 2; time++) {
    const again = openSqliteLedger(path);
    expect(await again.usage({ groupBy: 'org' })).toMatchObject([USAGE_OF_EVERY_KIND]);
    expect((await again.find('req_1'))[0]?.event.costsNanoUsd).toMatchObject({ input: 300_000n, output: 900_000n });
    await again.close();
  }
});
