import { expect, test } from 'vitest';
import { redisOptions } from './redis-options.ts';

test.each([
  ['redis://localhost', { host: 'localhost', port: 6379 }],
  ['redis://127.0.0.1:7000/2', { host: '127.0.0.1', port: 7000, db: 2 }],
  ['redis://[::1]:7000', { host: '::1', port: 7000 }],
  [
    'redis://user:p%40ss@redis.example/0',
    { host: 'redis.example', port: 6379, username: 'user', password: 'p@ss', db: 0 },
  ],
  ['redis://:secret@redis.example', { host: 'redis.example', port: 6379, password: 'secret' }],
  ['rediss://redis.example:6380', { host: 'redis.example', port: 6380, tls: { servername: 'redis.example' } }],
  ['unix:///run/redis/redis.sock', { path: '/run/redis/redis.sock' }],
  ['unix:///run/with%20space.sock?db=3', { path: '/run/with space.sock', db: 3 }],
])('%s', (url, options) => {
  expect(redisOptions(url)).toEqual(options);
});

test.each(['', 'localhost:6379', 'http://localhost', 'redis://host/name', 'unix://', 'redis://'])(
  'refuses "%s"',
  (url) => {
    expect(() => redisOptions(url)).toThrow('must be redis://');
  },
);

test('keeps the password out of the message', () => {
  expect(() => redisOptions('redis://:topsecret@host/nonsense')).toThrow(expect.not.stringContaining('topsecret'));
});
