import { parseRedisUrl, type RedisConnection } from './redis-connection.ts';
import { parseIntegerBetween, parseOneOf, parseText } from './settings.ts';

/** What both apps take from the environment in the same way. */
export const SHARED_SETTINGS = {
  REDIS_URL: {
    help: 'A Redis or Valkey such as redis://127.0.0.1:6379, also a Cluster or behind Sentinel; "pnpm start" brings one along.',
    parse: (text: string): RedisConnection => parseRedisUrl(text),
  },
  TOKENHUB_KEY_PEPPER: {
    help: 'The secret under which API keys are hashed, the same for accounting and all gateways: at least 16 characters.',
    parse: parsePepper,
  },
  TOKENHUB_KEY_PEPPER_PREVIOUS: {
    help: 'While the pepper changes, the one before: keys that were hashed under it are still accepted.',
    default: undefined,
    parse: (text: string): string | undefined => parsePepper(text),
  },
  TOKENHUB_DATA_DIR: { help: 'The directory of the embedded ledger.', default: './data', parse: parseText },
  TOKENHUB_SHARDS: {
    help: 'Over how many hash slots of Redis organisations are spread, 1 to 64, the same for all processes; never to be changed.',
    default: 1,
    parse: parseIntegerBetween(1, 64),
  },
  LOG_LEVEL: {
    help: 'How much is logged.',
    default: 'info',
    parse: parseOneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  },
} as const;

function parsePepper(text: string): string {
  if (text.length < 16) throw new RangeError('must have at least 16 characters');
  return text;
}
