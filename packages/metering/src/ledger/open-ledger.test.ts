import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { openLedger, parseDatabaseUrl } from './open-ledger.ts';

test.each([
  ['sqlite:ledger.sqlite', 'ledger.sqlite'],
  ['sqlite:/var/ledger.sqlite', '/var/ledger.sqlite'],
  ['sqlite:///var/ledger.sqlite', '/var/ledger.sqlite'],
])('%s is a file of SQLite', (url, path) => {
  expect(parseDatabaseUrl(url)).toEqual({ kind: 'sqlite', path });
});

test.each([
  'postgres://user:secret@db:5432/tokenhub?sslmode=verify-full',
  'postgresql://user:s%2Fe%40c@db/tokenhub',
  'postgres:///tokenhub?host=/run/postgresql',
])('%s is an address of PostgreSQL', (url) => {
  expect(parseDatabaseUrl(url)).toEqual({ kind: 'postgres', url });
});

const ANY_FORM = /^must be sqlite:PATH or postgres:\/\/USER:PASSWORD@HOST:PORT\/DATABASE$/;
const POSTGRES_FORM = /^must be postgres:\/\/USER.*percent-encoded$/;

test.each([
  ['', ANY_FORM],
  ['sqlite:', ANY_FORM],
  ['mysql://root:a-secret@db', ANY_FORM],
  ['/var/ledger.sqlite', ANY_FORM],
  ['postgres:', POSTGRES_FORM],
  ['postgres:tokenhub', POSTGRES_FORM],
  ['postgres://u:a-secret/x@db/tokenhub', POSTGRES_FORM],
  ['postgres://u:%a-secret@db/x', POSTGRES_FORM],
  ['postgres://u:a-secret@[::1]:5432/tokenhub', /^must give its host as a name/],
])('says what would be right instead of %j, and nothing of it', (url, message) => {
  const refusal = catchError(() => openLedger(url));
  expect(refusal).toMatchObject({ message: expect.stringMatching(message) });
  expect(inspect(refusal, { depth: 9, showHidden: true })).not.toContain('a-secret');
});

function catchError(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

test('opens what it names', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ledger-test-'));
  const ledger = openLedger(`sqlite:${join(directory, 'ledger.sqlite')}`);
  expect(await ledger.countDeadLetters()).toBe(0);
  await ledger.close();
  await rm(directory, { recursive: true });
  // Nobody listens there, and that is no reason not to start
  await openLedger('postgres://nobody@127.0.0.1:9/nothing').close();
});
