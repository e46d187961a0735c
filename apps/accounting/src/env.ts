import {
  parseIntegerBetween,
  parsePort,
  parseText,
  readSettings,
  SHARED_SETTINGS,
  type SettingsOf,
} from '@tokenhub/config';
import { parseDatabaseUrl } from '@tokenhub/metering';

/** Everything that accounting takes from its environment. */
const SETTINGS = {
  ...SHARED_SETTINGS,
  ACCOUNTING_HOST: { help: 'The address to listen on.', default: '127.0.0.1', parse: parseText },
  ACCOUNTING_PORT: { help: 'The port to listen on; 0 takes a free one.', default: 8081, parse: parsePort },
  TOKENHUB_CONFIG: {
    help: 'The configuration file; its keys and organisations are those whose quotas can be read.',
    default: undefined,
    parse: (text: string): string | undefined => text,
  },
  DATABASE_URL: {
    help: 'The ledger: sqlite:PATH or postgres://… By default ledger.sqlite in the data directory.',
    default: undefined,
    parse: (text: string): string | undefined => {
      parseDatabaseUrl(text);
      return text;
    },
  },
  ACCOUNTING_RECONCILE_MS: {
    help: 'How often counters are compared with the ledger and put right, in milliseconds.',
    default: 60_000,
    parse: parseIntegerBetween(1000, 24 * 3600 * 1000),
  },
  TOKENHUB_ADMIN_TOKEN: {
    help: 'The bearer token of the operator surface: at least 16 characters.',
    parse: parseAdminToken,
  },
} as const;

export type AccountingEnv = SettingsOf<typeof SETTINGS>;

/** The only reader of `process.env`. @throws SettingsError with all that is wrong. */
export function readEnv(): AccountingEnv {
  return readSettings(process.env, SETTINGS);
}

function parseAdminToken(text: string): string {
  if (!/^[\x21-\x7e]{16,}$/.test(text))
    throw new RangeError('must have at least 16 characters, all printable, no space');
  return text;
}
