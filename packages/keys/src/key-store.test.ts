import { generateApiKey, hashApiKey, type Peppers } from '@tokenhub/config';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { startTestRedis, type TestRedis } from '../../cluster/test/test-redis.ts';
import { checkDeclaredKeys } from '../../local-redis/test/declared-keys.ts';
import { TEST_STORES } from '../../local-redis/test/test-stores.ts';
import { listenForKeyChanges } from './key-changes.ts';
import { createKeyStore, type KeyStore, type KeyWithSecret } from './key-store.ts';
import { IDS, RECORDS, SECRETS } from './redis-keys.ts';

const PEPPER = 'a pepper of the tests';
const NOON = Date.UTC(2026, 10, 20, 12);

describe.each(TEST_STORES)('API keys in $name', ({ isSkipped, start }) => {
  if (isSkipped) {
    test.skip('Redis is not installed', () => {});
    return;
  }
  let server: TestRedis;
  let redis: Redis | Cluster;
  let client: Redis | Cluster;
  let store: KeyStore;
  let now: number;
  beforeAll(async () => {
    server = await startTestRedis(start);
    redis = server.client;
    client = await server.connect();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await redis.flushall();
    now = NOON;
    store = storeWith(PEPPER);
  });
  afterEach(() => server.mend());

  const make = async (id: string, keys: KeyStore = store): Promise<KeyWithSecret> => {
    const made = await keys.create({ id, fields: { org: 'acme' } });
    if (made === undefined) throw new Error(`${id} was taken`);
    return made;
  };
  const storeWith = (...peppers: Peppers): KeyStore =>
    createKeyStore({ redis: client, peppers, answerTimeoutMs: 10_000, now: () => now });
  const findBySecret = (secret: string) => store.findBySecret(secret);
  const rotate = async (id: string): Promise<KeyWithSecret> => {
    const rotated = await store.rotate(id);
    if (rotated === undefined || !('secret' in rotated)) throw new Error(`${id} could not be rotated`);
    return rotated;
  };
  const dump = async () => JSON.stringify([await redis.hgetall(RECORDS), await redis.hgetall(SECRETS)]);

  test('a key is found by its secret and by its id, with every default in place', async () => {
    const { key, secret } = await make('one');
    expect(key).toEqual({
      id: 'one',
      name: undefined,
      fields: { org: 'acme' },
      rights: expect.objectContaining({ scopes: ['chat', 'plan'], models: ['*'], org: 'acme', heartbeat: true }),
      createdAt: NOON,
      version: 1,
    });
    expect(await findBySecret(secret)).toEqual(await store.find('one'));
    expect(await findBySecret(secret)).toMatchObject({ id: 'one', version: 1, rights: { org: 'acme' } });
    expect(await findBySecret(generateApiKey())).toBeUndefined();
    expect(await store.find('two')).toBeUndefined();
  });

  test('an id is given to one key only, whoever asks first, and one is found when none is wished for', async () => {
    const other = createKeyStore({ redis, peppers: [PEPPER] });
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? store : other).create({ id: 'one', fields: {} })),
    );
    expect(made.filter((key) => key !== undefined)).toHaveLength(1);
    expect(await redis.hlen(SECRETS)).toBe(1);
    const unnamed = await store.create({ fields: {} });
    expect(unnamed?.key.id).toMatch(/^key_[0-9a-f-]{36}$/);
  });

  test('what stands in the store is neither the secret nor anything made of it without the pepper', async () => {
    const { secret } = await make('one');
    const { secret: next } = await rotate('one');
    const text = await dump();
    for (const each of [secret, next]) {
      expect(text).not.toContain(each);
      expect(text).not.toContain(each.slice('tokenhub_'.length, 30));
    }
    expect(text).toContain(hashApiKey(next, PEPPER));
    expect(text).not.toContain(hashApiKey(next, 'another pepper'));
  });

  test('a change keeps the secret, and counts up', async () => {
    const { secret } = await make('one');
    await store.change('one', ({ fields }) => ({ name: 'Ada', fields: { ...fields, limits: { rpm: 5 } } }));
    expect(await findBySecret(secret)).toMatchObject({
      name: 'Ada',
      version: 2,
      rights: { org: 'acme', limits: { requestsPerMinute: 5 } },
    });
    expect(await store.change('two', ({ fields }) => ({ fields }))).toBeUndefined();
  });

  test('of changes at the same time none is lost', async () => {
    await make('one');
    await Promise.all(
      Array.from({ length: 10 }, () =>
        store.change('one', ({ fields }) => ({
          fields: { ...fields, limits: { rpm: (fields.limits?.rpm ?? 0) + 1 } },
        })),
      ),
    );
    expect(await store.find('one')).toMatchObject({ version: 11, fields: { limits: { rpm: 10 } } });
  });

  test('the old secret ends with the rotation', async () => {
    const { secret } = await make('one');
    now += 1000;
    const rotated = await rotate('one');
    expect(rotated.key).toMatchObject({ id: 'one', createdAt: NOON, rotatedAt: NOON + 1000, version: 2 });
    expect(await findBySecret(secret)).toBeUndefined();
    expect(await findBySecret(rotated.secret)).toMatchObject({ id: 'one' });
  });

  test('rotations that race leave exactly one secret that is valid', async () => {
    const { secret } = await make('one');
    const rotated = await Promise.all(Array.from({ length: 10 }, () => rotate('one')));
    const found = await Promise.all([secret, ...rotated.map((each) => each.secret)].map(findBySecret));
    expect(found.filter((key) => key !== undefined)).toHaveLength(1);
    expect(await redis.hlen(SECRETS)).toBe(1);
  });

  test('a revoked key is still known, but never valid again, and its id stays taken', async () => {
    const { secret } = await make('one');
    expect(await store.revoke('one')).toMatchObject({ revokedAt: NOON, version: 2 });
    now += 1000;
    expect(await store.revoke('one')).toMatchObject({ revokedAt: NOON, version: 2 });
    expect(await findBySecret(secret)).toMatchObject({ id: 'one', revokedAt: NOON });
    expect(await store.create({ id: 'one', fields: {} })).toBeUndefined();
    expect(await store.rotate('one')).not.toHaveProperty('secret');
    expect(await store.change('one', () => ({ fields: { org: 'evil' } }))).toMatchObject({ rights: { org: 'acme' } });
    expect(await store.revoke('two')).toBeUndefined();
  });

  test('all are listed, newest first, page by page, also while more are made', async () => {
    for (const id of ['a', 'b', 'c', 'd', 'e']) await make(id);
    const first = await store.list({ limit: 2 });
    await make('f');
    const second = await store.list({ limit: 2, cursor: first.nextCursor });
    const third = await store.list({ limit: 2, cursor: second.nextCursor });
    expect([first, second, third].map(({ keys }) => keys.map(({ id }) => id))).toEqual([['e', 'd'], ['c', 'b'], ['a']]);
    expect(third.nextCursor).toBeUndefined();
    await redis.flushall();
    expect(await store.list({ limit: 2 })).toEqual({ keys: [], nextCursor: undefined });
  });

  test('what a later version has written is not passed over', async () => {
    const { secret } = await make('one');
    const record = JSON.parse((await redis.hget(RECORDS, 'one')) ?? '') as { fields: object };
    await redis.hset(RECORDS, 'one', JSON.stringify({ ...record, fields: { ...record.fields, countries: ['eu'] } }));
    await expect(findBySecret(secret)).rejects.toThrow('cannot be read');
  });

  describe('while the pepper changes', () => {
    const NEW = 'the pepper to come';
    /** Until the store holds one more MAC than `count`. */
    const rehashed = (count: number) =>
      vi.waitUntil(async () => (await redis.hlen(SECRETS)) === count + 1, { timeout: 10_000 });

    test('a key is known under both, and put under the new one when it is used', async () => {
      const { secret } = await make('used');
      const { secret: idle } = await make('idle');
      const changing = storeWith(NEW, PEPPER);
      now += 1000;
      expect(await changing.findBySecret(secret)).toMatchObject({ id: 'used' });
      await rehashed(2);
      const changed = storeWith(NEW);
      expect(await changed.findBySecret(secret)).toMatchObject({ id: 'used', rehashedAt: NOON + 1000, version: 1 });
      expect(await changed.findBySecret(idle)).toBeUndefined();
      expect(await changing.find('idle')).not.toHaveProperty('rehashedAt');
    });

    test('processes that do not have the new one yet know every key that was used under it', async () => {
      const { secret } = await make('one');
      await storeWith(NEW, PEPPER).findBySecret(secret);
      await rehashed(1);
      expect(await store.findBySecret(secret)).toMatchObject({ id: 'one' });
      expect(await storeWith(PEPPER, NEW).findBySecret(secret)).toMatchObject({ id: 'one' });
    });

    test('new keys and new secrets are hashed under the new one alone, and a rotated secret ends under both', async () => {
      const { secret } = await make('one');
      const changing = storeWith(NEW, PEPPER);
      await changing.findBySecret(secret);
      await rehashed(1);
      const rotated = await changing.rotate('one');
      if (rotated === undefined || !('secret' in rotated)) throw new Error('not rotated');
      const made = await make('two', changing);
      expect(Object.keys(await redis.hgetall(SECRETS)).toSorted()).toEqual(
        [rotated.secret, made.secret].map((each) => hashApiKey(each, NEW)).toSorted(),
      );
      expect(await changing.findBySecret(secret)).toBeUndefined();
      expect(await store.findBySecret(secret)).toBeUndefined();
    });

    test('of the uses, changes and rotations of a key at the same time none is lost', async () => {
      const { secret } = await make('one');
      const changing = storeWith(NEW, PEPPER);
      await Promise.all([
        ...Array.from({ length: 10 }, () => changing.findBySecret(secret)),
        store.change('one', ({ fields }) => ({ fields: { ...fields, user: 'ada' } })),
        changing.change('one', ({ fields }) => ({ fields: { ...fields, limits: { rpm: 5 } } })),
      ]);
      await changing.findBySecret(secret);
      await rehashed(1);
      expect(await storeWith(NEW).findBySecret(secret)).toMatchObject({ rights: { user: 'ada' }, version: 3 });
      const [, rotated] = await Promise.all([changing.findBySecret(secret), changing.rotate('one')]);
      expect(rotated).toHaveProperty('secret');
      expect(await redis.hlen(SECRETS)).toBe(1);
      expect(await changing.findBySecret(secret)).toBeUndefined();
    });

    test('a revoked key stays revoked', async () => {
      const { secret } = await make('one');
      await store.revoke('one');
      await storeWith(NEW, PEPPER).findBySecret(secret);
      await rehashed(1);
      expect(await storeWith(NEW).findBySecret(secret)).toMatchObject({ revokedAt: NOON });
    });
  });

  test('its scripts touch only the keys that they are given', async () => {
    const checked = createKeyStore({ redis: checkDeclaredKeys(client), peppers: [PEPPER], answerTimeoutMs: 10_000 });
    const made = await make('one', checked);
    expect(await checked.findBySecret(made.secret)).toMatchObject({ id: 'one' });
    expect(await checked.rotate('one')).toHaveProperty('secret');
    expect(await checked.revoke('one')).toMatchObject({ id: 'one' });
  });

  test('everything is under one hash tag', async () => {
    await make('one');
    expect((await redis.keys('*')).toSorted()).toEqual([IDS, RECORDS, SECRETS].toSorted());
    for (const key of [IDS, RECORDS, SECRETS]) expect(key).toMatch(/^gw:\{keys\}:/);
  });

  test('every change is heard by others, and a channel that comes back says so', async () => {
    const heard: string[] = [];
    let listening = 0;
    const changes = listenForKeyChanges({
      redis: await server.connect(),
      onChange: (id) => heard.push(id),
      onListening: () => listening++,
      onError: () => {},
    });
    try {
      await vi.waitUntil(() => listening === 1, { timeout: 10_000 });
      await make('one');
      await store.change('one', ({ fields }) => ({ fields }));
      await rotate('one');
      await store.revoke('one');
      await vi.waitUntil(() => heard.length === 4, { timeout: 10_000 });
      expect(heard).toEqual(['one', 'one', 'one', 'one']);
      server.cut();
      server.mend();
      await vi.waitUntil(() => listening === 2, { timeout: 10_000 });
      await vi.waitUntil(() => client.status === 'ready', { timeout: 10_000 });
      await make('two');
      await vi.waitUntil(() => heard.includes('two'), { timeout: 10_000 });
    } finally {
      changes.close();
    }
  });

  test('fails within an end when Redis does not answer or is away', async () => {
    const impatient = createKeyStore({ redis: client, peppers: [PEPPER], answerTimeoutMs: 100 });
    server.stall();
    await expect(impatient.find('one')).rejects.toThrow('no answer within 100 ms');
    server.cut();
    await vi.waitUntil(() => client.status !== 'ready', { timeout: 10_000 });
    await expect(impatient.create({ fields: {} })).rejects.toThrow(/.+/);
    server.mend();
    await vi.waitUntil(() => client.status === 'ready', { timeout: 10_000 });
  });
});
