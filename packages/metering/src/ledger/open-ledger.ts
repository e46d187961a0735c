import type { Ledger } from './ledger.ts';
import { openSqliteLedger, type SqliteLedgerOptions } from './sqlite-ledger.ts';

/**
 * Opens the ledger that a `DATABASE_URL` names.
 * @throws Error whose message goes on after the variable's name: "must be …".
 */
export function openLedger(databaseUrl: string, options: SqliteLedgerOptions = {}): Ledger {
  return openSqliteLedger(parseDatabaseUrl(databaseUrl), options);
}

/**
 * The file of a `sqlite:PATH`.
 * @throws Error as {@link openLedger} does.
 */
export function parseDatabaseUrl(databaseUrl: string): string {
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(databaseUrl)?.[1];
  if (path !== undefined) return path;
  if (/^postgres(ql)?:/.test(databaseUrl)) {
    throw new Error('must be sqlite:PATH: this release keeps its ledger in SQLite; PostgreSQL comes with a later one');
  }
  throw new Error('must be sqlite:PATH');
}
