import { generateApiKey, hashApiKey, toKeyRights, type KeyConfig } from '@tokenhub/config';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthFailures } from './auth-failures.ts';
import { createAuthenticator, type Authenticator } from './authenticate.ts';
import type { FoundKey } from './made-keys.ts';

const PEPPER = 'a pepper of the tests';
const PREVIOUS_PEPPER = 'the pepper before';
const STATIC: KeyConfig = { id: 'static', key: 'a-key-of-the-configuration', ...toKeyRights({}) };
const hashed = (secret: string, pepper: string): KeyConfig => ({
  id: secret,
  keyHash: hashApiKey(secret, pepper),
  ...toKeyRights({}),
});

let stored: Map<string, FoundKey>;
let remembered: Map<string, FoundKey>;
let lookUps: number;
let authenticator: Authenticator;
beforeEach(() => {
  stored = new Map();
  remembered = new Map();
  lookUps = 0;
  authenticator = createAuthenticator({
    keys: [
      STATIC,
      hashed('hashed-now', PEPPER),
      hashed('hashed-before', PREVIOUS_PEPPER),
      hashed('foreign', 'another'),
    ],
    peppers: [PEPPER, PREVIOUS_PEPPER],
    made: {
      peek: (digest) => remembered.get(digest),
      async lookUp(digest, secret) {
        lookUps++;
        const found = stored.get(secret) ?? 'unknown';
        remembered.set(digest, found);
        return found;
      },
    },
    failures: createAuthFailures(() => 0),
  });
});
afterEach(() => vi.useRealTimers());

const authenticate = (secret: string, address = '192.0.2.1') =>
  authenticator.authenticate({ authorization: `Bearer ${secret}` }, address);
const failureOf = async (secret: string, address?: string): Promise<unknown> => {
  try {
    return await authenticate(secret, address);
  } catch (error) {
    return error;
  }
};
/** A key of the store, as its holder has it. */
const give = (found: FoundKey): string => {
  const secret = generateApiKey();
  stored.set(secret, found);
  return secret;
};
const madeKey = (changes: Partial<KeyConfig> = {}): KeyConfig => ({ id: 'made', ...toKeyRights({}), ...changes });

it('a static key is found at once, without a promise and without asking', () => {
  expect(authenticate('a-key-of-the-configuration')).toBe(STATIC);
  expect(authenticate('a-key-of-the-configuration')).toBe(STATIC);
  expect(lookUps).toBe(0);
});

it('a static key that is given as a hash may be hashed under either pepper, and under no third', async () => {
  expect(authenticate('hashed-now')).toMatchObject({ id: 'hashed-now' });
  expect(authenticate('hashed-before')).toMatchObject({ id: 'hashed-before' });
  expect(authenticate('hashed-before')).toMatchObject({ id: 'hashed-before' });
  expect(await failureOf('foreign')).toMatchObject({ code: 'invalid_api_key' });
});

it('a key made at run time is asked for once, and then found at once', async () => {
  const key = madeKey();
  const secret = give(key);
  const first = authenticate(secret);
  expect(first).toBeInstanceOf(Promise);
  expect(await first).toBe(key);
  expect(authenticate(secret)).toBe(key);
  expect(lookUps).toBe(1);
});

it.each([
  ['a wrong checksum', `${generateApiKey().slice(0, -1)}!`],
  ['another last letter', generateApiKey().replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'))],
  ['another form', 'sk-0123456789abcdef'],
  ['10 KB', `tokenhub_${'a'.repeat(10_240)}`],
  ['metacharacters', `tokenhub_'OR'1'='1'--{"$ne":null}`],
])('%s is refused without asking (A2)', async (_, secret) => {
  expect(await failureOf(secret)).toMatchObject({ code: 'invalid_api_key' });
  expect(lookUps).toBe(0);
});

it('a key of nobody is refused with the same words as a mistyped one (A2)', async () => {
  const absent = await failureOf(generateApiKey());
  const mistyped = await failureOf('tokenhub_wrong-key-0123456789');
  expect(lookUps).toBe(1);
  expect(absent).toEqual(mistyped);
});

it('a revoked key says so, an expired one from the moment on, although it is remembered (A3)', async () => {
  expect(await failureOf(give('revoked'))).toMatchObject({ code: 'key_revoked', facts: { status: 401 } });
  vi.useFakeTimers({ now: 1_000_000, toFake: ['Date'] });
  const secret = give(madeKey({ expiresAt: 1_000_500 }));
  expect(await authenticate(secret)).toMatchObject({ id: 'made' });
  vi.setSystemTime(1_000_499);
  expect(authenticate(secret)).toMatchObject({ id: 'made' });
  vi.setSystemTime(1_000_500);
  expect(await failureOf(secret)).toMatchObject({ code: 'key_expired' });
});

describe('many keys that are not valid, from one address (A11)', () => {
  it('get 429, while good keys from there and bad ones from elsewhere do not', async () => {
    const secret = give(madeKey());
    for (let count = 0; count < 50; count++)
      expect(await failureOf(count % 2 === 0 ? generateApiKey() : 'sk-wrong')).toMatchObject({
        code: 'invalid_api_key',
      });
    expect(await failureOf(generateApiKey())).toMatchObject({ code: 'too_many_auth_failures' });
    expect(await failureOf('sk-wrong')).toMatchObject({ code: 'too_many_auth_failures' });
    expect(await authenticate(secret)).toMatchObject({ id: 'made' });
    expect(authenticate('a-key-of-the-configuration')).toBe(STATIC);
    expect(await failureOf('sk-wrong', '192.0.2.2')).toMatchObject({ code: 'invalid_api_key' });
  });
});
