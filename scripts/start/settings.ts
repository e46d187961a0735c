import { existsSync } from 'node:fs';
import { parsePort, parseText, readSettings, type SettingsOf } from '@tokenhub/config';

const SPEC = {
  TOKENHUB_CONFIG: {
    help: 'The configuration file. Default: ./tokenhub.yaml if it is there, else the demo with simulated providers.',
    default: undefined,
    parse: (path: string): string | undefined => parseFile(path),
  },
  GATEWAY_HOST: { help: 'Where the gateway listens.', default: '127.0.0.1', parse: parseText },
  GATEWAY_PORT: { help: 'Its port.', default: 8080, parse: parsePort },
  ACCOUNTING_HOST: { help: 'Where the operator surface listens.', default: '127.0.0.1', parse: parseText },
  ACCOUNTING_PORT: { help: 'Its port.', default: 8081, parse: parsePort },
  REDIS_URL: {
    help: 'A Redis or Valkey. Default: redis-server or valkey-server of PATH, else an in-process substitute.',
    default: undefined,
    parse: parseOptionalText,
  },
  DATABASE_URL: {
    help: 'The ledger: sqlite:PATH or postgres://… Default: ledger.sqlite in the data directory.',
    default: undefined,
    parse: parseOptionalText,
  },
  TOKENHUB_DATA_DIR: { help: 'Everything that is written here.', default: './data', parse: parseText },
  TOKENHUB_ADMIN_TOKEN: {
    help: 'Bearer token of the operator surface. Default: a new one, printed once.',
    default: undefined,
    parse: parseOptionalText,
  },
  TOKENHUB_KEY_PEPPER: {
    help: 'Secret for hashing API keys. Default: generated into the data directory.',
    default: undefined,
    parse: parseOptionalText,
  },
  DEMO_KEY: {
    help: 'The API key of the demo. Default: generated into the data directory.',
    default: undefined,
    parse: parseOptionalText,
  },
  LOG_LEVEL: { help: 'Level of the log on standard output.', default: 'info', parse: parseText },
} as const;

/** What only the programs that are started look at. */
const PASSED_ON: Readonly<Record<string, string>> = {
  TOKENHUB_KEY_PEPPER_PREVIOUS: 'While the pepper changes, the one before.',
  TOKENHUB_SHARDS: 'Hash slots that organisations are spread over; never to be changed. Default: 1.',
  GATEWAY_MAX_REQUESTS: 'Chat requests in flight, at most. Default: what memory and open files allow.',
  GATEWAY_MAX_GATEWAYS: 'Gateways beside each other, at most, for the time that Redis is away. Default: 4.',
  GATEWAY_PRE_STOP_MS: 'How long the gateway takes new requests after SIGTERM. Default: 0 here.',
  GATEWAY_DRAIN_MS: 'How long streams may go on after that. Default: 30000.',
  ACCOUNTING_RECONCILE_MS: 'How often counters and ledger are compared. Default: 60000.',
};

export type StartSettings = SettingsOf<typeof SPEC>;

/** What `start` itself needs of the environment; the programs it starts check the rest. @throws SettingsError */
export function readStartSettings(): StartSettings {
  return readSettings(process.env, SPEC);
}

/** The variables and what they are for. */
export function describeSettings(): string {
  const own = Object.entries(SPEC).map(([name, { help, default: value }]): [string, string] => [
    name,
    value === undefined ? help : `${help} Default: ${value}.`,
  ]);
  return [...own, ...Object.entries(PASSED_ON)].map(([name, help]) => `  ${name.padEnd(30)}${help}`).join('\n');
}

function parseOptionalText(text: string): string | undefined {
  return text;
}

function parseFile(path: string): string {
  if (!existsSync(path)) throw new Error('must name a file that is there');
  return path;
}
