import {
  parseIntegerBetween,
  parsePort,
  parseText,
  readSettings,
  SHARED_SETTINGS,
  type SettingsOf,
} from '@tokenhub/config';
import { parseDatabaseUrl } from '@tokenhub/metering';

/** Everything the gateway takes from its environment. */
const SETTINGS = {
  ...SHARED_SETTINGS,
  GATEWAY_HOST: { help: 'The address to listen on.', default: '127.0.0.1', parse: parseText },
  GATEWAY_PORT: { help: 'The port to listen on; 0 takes a free one.', default: 8080, parse: parsePort },
  GATEWAY_MAX_REQUESTS: {
    help: 'Most chat requests in flight; more get 503. By default what memory and open files allow, at most 10000.',
    default: undefined,
    parse: (text: string): number | undefined => parseIntegerBetween(1, 1_000_000)(text),
  },
  GATEWAY_MAX_GATEWAYS: {
    help: 'Most gateways beside each other: while Redis is away, each keeps to its share of the limits.',
    default: 4,
    parse: parseIntegerBetween(1, 1000),
  },
  GATEWAY_PRE_STOP_MS: {
    help: 'How long after SIGTERM new requests are still taken, for load balancers to notice, in milliseconds.',
    default: 5_000,
    parse: parseIntegerBetween(0, 600_000),
  },
  GATEWAY_DRAIN_MS: {
    help: 'How long after SIGTERM running streams may go on, in milliseconds; then each gets an error event.',
    default: 30_000,
    parse: parseIntegerBetween(0, 3_600_000),
  },
  TOKENHUB_CONFIG: { help: 'The configuration file.', default: './tokenhub.yaml', parse: parseText },
  DATABASE_URL: {
    help: 'The ledger: sqlite:PATH or postgres://… By default ledger.sqlite in the data directory.',
    default: undefined,
    parse: (text: string): string | undefined => {
      parseDatabaseUrl(text);
      return text;
    },
  },
} as const;

export type GatewaySettings = SettingsOf<typeof SETTINGS>;

/** The only reader of `process.env`. @throws SettingsError with all that is wrong. */
export function readEnv(): GatewaySettings {
  return readSettings(process.env, SETTINGS);
}
