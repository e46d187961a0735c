import { expect, test } from 'vitest';
import { parseRedisUrl } from './redis-connection.ts';

test.each([
  ['redis://127.0.0.1:7000/2', { host: '127.0.0.1', port: 7000, db: 2 }],
  ['unix:///run/redis/redis.sock', { path: '/run/redis/redis.sock' }],
  ['redis-cluster://127.0.0.1:7000', { nodes: [{ host: '127.0.0.1', port: 7000 }] }],
  [
    'redis-cluster://user:p%40ss@one.example:7000,[::1]:7001,two.example/',
    {
      nodes: [
        { host: 'one.example', port: 7000 },
        { host: '::1', port: 7001 },
        { host: 'two.example', port: 6379 },
      ],
      username: 'user',
      password: 'p@ss',
    },
  ],
  [
    'rediss-cluster://:secret@redis.example:7000/0',
    { nodes: [{ host: 'redis.example', port: 7000 }], password: 'secret', tls: {} },
  ],
  [
    'redis-sentinel://one.example,two.example:26380?master=mymaster',
    {
      sentinels: [
        { host: 'one.example', port: 26_379 },
        { host: 'two.example', port: 26_380 },
      ],
      name: 'mymaster',
    },
  ],
  [
    'rediss-sentinel://user:p%40ss@one.example/3?master=my%20group&sentinel_username=watch&sentinel_password=w%40tch',
    {
      sentinels: [{ host: 'one.example', port: 26_379 }],
      db: 3,
      username: 'user',
      password: 'p@ss',
      tls: {},
      name: 'my group',
      sentinelUsername: 'watch',
      sentinelPassword: 'w@tch',
    },
  ],
])('%s', (url, connection) => {
  expect(parseRedisUrl(url)).toEqual(connection);
});

test.each([
  'mysql://host',
  'redis-cluster://',
  'redis-cluster://one,',
  'redis-cluster://one:port',
  'redis-cluster://one/1',
  'redis-cluster://one?master=name',
  'redis-sentinel://one',
  'redis-sentinel://one?master=',
  'redis-sentinel://one/name?master=name',
  'redis-sentinel://one?master=name&slave=name',
  'redis-sentinel://?master=name',
  'redis://us%er@host',
])('refuses "%s" with what would be right', (url) => {
  expect(() => parseRedisUrl(url)).toThrow(
    /^must be redis:\/\/.*unix:\/\/.*redis-cluster:\/\/.*redis-sentinel:\/\/.*\?master=name$/,
  );
});

test('keeps the password out of the message', () => {
  for (const url of ['redis-cluster://:topsecret@host:x', 'redis-sentinel://:topsecret@host', 'redis://:topsecret@']) {
    expect(() => parseRedisUrl(url)).toThrow(expect.not.stringContaining('topsecret'));
  }
});
