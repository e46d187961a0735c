import type { Ledger, LedgerOptions } from './ledger.ts';
import { openPostgresLedger } from './postgres-ledger.ts';
import { openSqliteLedger } from './sqlite-ledger.ts';

/** Where a ledger is kept. */
export type DatabaseAddress =
  { readonly kind: 'sqlite'; readonly path: string } | { readonly kind: 'postgres'; readonly url: string };

/**
 * Opens the ledger that a `DATABASE_URL` names.
 * @throws Error whose message goes on after the variable's name: "must be …".
 */
export function openLedger(databaseUrl: string, options: LedgerOptions = {}): Ledger {
  const address = parseDatabaseUrl(databaseUrl);
  return address.kind === 'sqlite' ? openSqliteLedger(address.path, options) : openPostgresLedger(address.url, options);
}

const POSTGRES_FORM = 'postgres://USER:PASSWORD@HOST:PORT/DATABASE';

/**
 * Takes `sqlite:PATH`, `postgres://…` and `postgresql://…`.
 * @throws Error as {@link openLedger} does; nothing of the address is in it, since that may hold a password.
 */
export function parseDatabaseUrl(databaseUrl: string): DatabaseAddress {
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/s.exec(databaseUrl)?.[1];
  if (path !== undefined) return { kind: 'sqlite', path };
  if (!/^postgres(ql)?:/.test(databaseUrl)) throw new Error(`must be sqlite:PATH or ${POSTGRES_FORM}`);
  const url = URL.parse(databaseUrl);
  if (url === null || !databaseUrl.includes('://') || !isDecodable(url.username + url.password)) {
    throw new Error(`must be ${POSTGRES_FORM}, with all but letters and digits of user and password percent-encoded`);
  }
  if (url.hostname.startsWith('[')) throw new Error('must give its host as a name or an IPv4 address');
  return { kind: 'postgres', url: databaseUrl };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
