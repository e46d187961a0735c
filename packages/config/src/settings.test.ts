import { expect, test } from 'vitest';
import { parseIntegerBetween, parseOneOf, parsePort, parseText, readSettings, SettingsError } from './settings.ts';

const spec = {
  PORT: { help: 'Where it listens.', default: 8080, parse: parsePort },
  REDIS_URL: { help: 'A Redis, as in redis://127.0.0.1:6379.', parse: parseText },
  LOG_LEVEL: { help: 'How much is logged.', default: 'info' as const, parse: parseOneOf('debug', 'info', 'warn') },
  WORKERS: { help: 'How many at a time.', default: 4, parse: parseIntegerBetween(1, 64) },
};

test('parses what is set and fills in the rest', () => {
  expect(readSettings({ REDIS_URL: 'redis://x', PORT: '9000', LOG_LEVEL: '' }, spec)).toEqual({
    PORT: 9000,
    REDIS_URL: 'redis://x',
    LOG_LEVEL: 'info',
    WORKERS: 4,
  });
});

test('tells all that is wrong or missing at once, with names and remedies, without values', () => {
  const env = { PORT: '65536', LOG_LEVEL: 'loud', WORKERS: '1.5' };
  expect(() => readSettings(env, spec)).toThrow(
    new SettingsError([
      'PORT must be a whole number from 0 to 65535. Where it listens.',
      'REDIS_URL is not set. A Redis, as in redis://127.0.0.1:6379.',
      'LOG_LEVEL must be one of debug, info, warn. How much is logged.',
      'WORKERS must be a whole number from 1 to 64. How many at a time.',
    ]),
  );
});
