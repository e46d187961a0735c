import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import { generateApiKey, hashApiKey, hashesOfApiKey, hasValidChecksum } from './api-keys.ts';

test('a key is the prefix, 43 characters of secret and 6 of checksum', () => {
  expect(generateApiKey()).toMatch(/^tokenhub_[0-9A-Za-z]{49}$/);
  expect(generateApiKey()).not.toBe(generateApiKey());
});

test('the checksum is the CRC-32 of what stands before it, in base62', () => {
  // 698793440 by Python's zlib.crc32, which is lI45w in base62.
  expect(generateApiKey((size) => new Uint8Array(size))).toBe(`tokenhub_${'0'.repeat(43)}0lI45w`);
});

test('the largest secret still fits', () => {
  const key = generateApiKey((size) => new Uint8Array(size).fill(255));
  expect(key).toHaveLength(58);
  expect(hasValidChecksum(key)).toBe(true);
});

test('no mistyped character passes', () => {
  const key = generateApiKey();
  for (let index = 0; index < key.length; index++) {
    const other = key[index] === 'x' ? 'y' : 'x';
    expect(hasValidChecksum(key.slice(0, index) + other + key.slice(index + 1))).toBe(false);
  }
  for (const text of ['', key.slice(1), `${key}0`, key.toLowerCase()]) expect(hasValidChecksum(text)).toBe(false);
});

test('the hash is HMAC-SHA-256 under the pepper, in hexadecimal', () => {
  expect(hashApiKey('key', 'pepper')).toBe(createHmac('sha256', 'pepper').update('key').digest('hex'));
  expect(hashApiKey('key', 'pepper')).not.toBe(hashApiKey('key', 'other'));
});

test('while the pepper changes a key has two hashes, that of the current one first', () => {
  expect(hashesOfApiKey('key', ['new', 'old'])).toEqual([hashApiKey('key', 'new'), hashApiKey('key', 'old')]);
  expect(hashesOfApiKey('key', ['new', undefined])).toEqual([hashApiKey('key', 'new')]);
});
