import { toKeyRights } from '@tokenhub/config';
import type { StoredKey } from '@tokenhub/keys';
import { beforeEach, expect, it } from 'vitest';
import { createMadeKeys, type MadeKeys } from './made-keys.ts';

let now: number;
let asked: string[];
let stored: Map<string, StoredKey>;
let answer: () => Promise<void>;
let made: MadeKeys;
beforeEach(() => {
  now = 0;
  asked = [];
  stored = new Map();
  answer = async () => {};
  made = createMadeKeys({
    store: {
      async findBySecret(secret) {
        asked.push(secret);
        const key = stored.get(secret);
        await answer();
        return key;
      },
    },
    ttlMs: 30_000,
    now: () => now,
    onError: () => {},
  });
});

const keyOf = (id: string, changes: Partial<StoredKey> = {}): StoredKey => {
  return { id, fields: {}, rights: toKeyRights({}), createdAt: 0, version: 1, ...changes };
};

it('asks once for all who ask at the same time, and then remembers for the time it is given', async () => {
  stored.set('secret', keyOf('one'));
  const found = await Promise.all(Array.from({ length: 10 }, () => made.lookUp('digest', 'secret')));
  expect(found[9]).toMatchObject({ id: 'one', org: 'default', models: ['*'] });
  expect(asked).toEqual(['secret']);
  now = 29_999;
  expect(made.peek('digest')).toBe(found[0]);
  now = 30_000;
  expect(made.peek('digest')).toBeUndefined();
});

it('remembers also who is nobody, and who is revoked', async () => {
  stored.set('secret', keyOf('one', { revokedAt: 1 }));
  expect([await made.lookUp('digest', 'secret'), await made.lookUp('other', 'none')]).toEqual(['revoked', 'unknown']);
  expect([made.peek('digest'), made.peek('other')]).toEqual(['revoked', 'unknown']);
});

it('forgets a key that has changed, and no other', async () => {
  stored.set('secret', keyOf('one')).set('secret2', keyOf('two'));
  await made.lookUp('digest', 'secret');
  await made.lookUp('digest2', 'secret2');
  made.forget('one');
  expect(made.peek('digest')).toBeUndefined();
  expect(made.peek('digest2')).toMatchObject({ id: 'two' });
  made.forgetAll();
  expect(made.peek('digest2')).toBeUndefined();
});

it('does not remember an answer that may be from before a change, nor gives it to whoever asks after', async () => {
  stored.set('secret', keyOf('one'));
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = () => promise;
  const before = made.lookUp('digest', 'secret');
  stored.set('secret', keyOf('one', { revokedAt: 1 }));
  made.forget('one');
  answer = async () => {};
  expect(await made.lookUp('digest', 'secret')).toBe('revoked');
  resolve();
  expect(await before).toMatchObject({ id: 'one' });
  expect(made.peek('digest')).toBe('revoked');
});

it('a store that is away makes 503, is asked again, and takes nothing from what is remembered', async () => {
  stored.set('secret', keyOf('one'));
  await made.lookUp('digest', 'secret');
  answer = () => Promise.reject(new Error('away'));
  await expect(made.lookUp('other', 'none')).rejects.toMatchObject({ code: 'quota_unavailable' });
  await expect(made.lookUp('other', 'none')).rejects.toMatchObject({ facts: { status: 503 } });
  expect(asked).toEqual(['secret', 'none', 'none']);
  expect(made.peek('other')).toBeUndefined();
  expect(made.peek('digest')).toMatchObject({ id: 'one' });
});

it('remembers a bounded number, and no flood of guesses pushes out a key', async () => {
  stored.set('secret', keyOf('one'));
  await made.lookUp('digest', 'secret');
  for (let count = 0; count <= 10_000; count++) await made.lookUp(`guess ${count}`, 'none');
  expect(made.peek('guess 0')).toBeUndefined();
  expect(made.peek('guess 10000')).toBe('unknown');
  expect(made.peek('digest')).toMatchObject({ id: 'one' });
});
