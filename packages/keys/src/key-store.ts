import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { generateApiKey, hashApiKey, hashesOfApiKey, type Peppers } from '@tokenhub/config';
import { withinMs } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';
import { parseKeyRecord, toStoredKey, type KeyRecord, type KeyRightsFields, type StoredKey } from './key-record.ts';
import { CHANGES, IDS, RECORDS, SECRETS } from './redis-keys.ts';

/** What is said of a key when it is made. */
export interface NewKey {
  /** Generated when absent. */
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly fields: KeyRightsFields;
}

/** What can be changed of a key. */
export interface KeyText {
  readonly name?: string | undefined;
  readonly fields: KeyRightsFields;
}

/** A key beside its secret, which is in nobody's hands but the receiver's. */
export interface KeyWithSecret {
  readonly key: StoredKey;
  readonly secret: string;
}

export interface KeyPage {
  /** Newest first. */
  readonly keys: readonly StoredKey[];
  /** Where the next page begins; absent on the last. */
  readonly nextCursor?: number | undefined;
}

/**
 * The API keys that were made at run time. A secret is told once, when it is made, and never kept: what stands in the store is its
 * MAC under the current pepper. All methods reject when the store does not answer in time; a change may then have happened or not.
 */
export interface KeyStore {
  /** `undefined` when the id is taken, also by a revoked key. */
  create(key: NewKey): Promise<KeyWithSecret | undefined>;
  /** @param cursor of the page before */
  list(page: { readonly cursor?: number | undefined; readonly limit: number }): Promise<KeyPage>;
  find(id: string): Promise<StoredKey | undefined>;
  /**
   * The key with this secret; also one that is revoked or has expired. One that is known only under the previous pepper is put
   * under the current one as well, behind the answer.
   */
  findBySecret(secret: string): Promise<StoredKey | undefined>;
  /** Puts what `edit` makes of the key in its place. @returns the key as it is then, unchanged if it is revoked */
  change(id: string, edit: (key: StoredKey) => KeyText): Promise<StoredKey | undefined>;
  /** Replaces the secret; the old one ends with it. @returns no secret if the key is revoked */
  rotate(id: string): Promise<KeyWithSecret | StoredKey | undefined>;
  /** Ends the key for good. Its id stays taken. Twice changes nothing. */
  revoke(id: string): Promise<StoredKey | undefined>;
}

export interface KeyStoreOptions {
  readonly redis: Redis | Cluster;
  /** Secrets under which secrets are hashed; the same for all who share the store. */
  readonly peppers: Peppers;
  /** Longest wait for the store's answer to one question. @defaultValue 2_000 */
  readonly answerTimeoutMs?: number | undefined;
  /** Milliseconds since 1970. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** From `src` and from `dist` alike: the package ships its sources, so the build has nothing to copy. */
const PUT = readFileSync(new URL('../src/lua/put.lua', import.meta.url), 'utf8');
const FIND = readFileSync(new URL('../src/lua/find.lua', import.meta.url), 'utf8');

/** How often a change begins anew because another came in between. */
const TRIES = 50;

/** A {@link KeyStore} in Redis or Valkey, one node or a cluster. */
export function createKeyStore({ redis, peppers, answerTimeoutMs = 2_000, now = Date.now }: KeyStoreOptions): KeyStore {
  const ask = <T>(answer: Promise<T>): Promise<T> => withinMs(answer, answerTimeoutMs);

  async function put(expected: string, before: KeyRecord | undefined, after: KeyRecord): Promise<boolean> {
    const valid = new Set(macsOf(after));
    const ended = before === undefined ? [] : macsOf(before).filter((mac) => !valid.has(mac));
    const args = [after.id, expected, JSON.stringify(after), CHANGES, after.mac, ...ended];
    return (await ask(redis.eval(PUT, 3, RECORDS, SECRETS, IDS, ...args))) === 1;
  }

  /** Changes a record as it stands; whoever comes second changes what the first has left. Revoked ones stay as they are. */
  async function update(id: string, edit: (record: KeyRecord) => KeyRecord): Promise<KeyRecord | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      // One after the other: each try depends on what the store holds by then.
      // oxlint-disable-next-line no-await-in-loop -- see above
      const json = await ask(redis.hget(RECORDS, id));
      if (json === null) return undefined;
      const before = parseKeyRecord(json);
      if (before.revokedAt !== undefined) return before;
      const after = { ...edit(before), changeId: randomUUID(), version: before.version + 1 };
      // oxlint-disable-next-line no-await-in-loop -- see above
      if (await put(json, before, after)) return after;
    }
    throw new Error('the API key was changed by too many at a time');
  }

  /** Whoever is overtaken leaves it to the key's next use. */
  async function putUnderCurrentPepper(json: string, before: KeyRecord, mac: string): Promise<void> {
    const after = { ...before, mac, previousMac: before.mac, rehashedAt: now(), changeId: randomUUID() };
    await put(json, before, after);
  }

  return {
    async create({ id = `key_${randomUUID()}`, name, fields }) {
      const secret = generateApiKey();
      const record: KeyRecord = {
        id,
        name,
        mac: hashApiKey(secret, peppers[0]),
        changeId: randomUUID(),
        fields,
        createdAt: now(),
        version: 1,
      };
      return (await put('', undefined, record)) ? { key: toStoredKey(record), secret } : undefined;
    },

    async list({ cursor, limit }) {
      const end = Math.min(cursor ?? Infinity, await ask(redis.llen(IDS)));
      const begin = Math.max(0, end - limit);
      const ids = end > begin ? await ask(redis.lrange(IDS, begin, end - 1)) : [];
      const records = ids.length > 0 ? await ask(redis.hmget(RECORDS, ...ids)) : [];
      const keys = records.flatMap((json) => (json === null ? [] : toStoredKey(parseKeyRecord(json))));
      return { keys: keys.toReversed(), nextCursor: begin > 0 ? begin : undefined };
    },

    async find(id) {
      const json = await ask(redis.hget(RECORDS, id));
      return json === null ? undefined : toStoredKey(parseKeyRecord(json));
    },

    async findBySecret(secret) {
      const macs = hashesOfApiKey(secret, peppers);
      const [mac, previousMac] = macs;
      const json = await ask(redis.eval(FIND, 2, RECORDS, SECRETS, ...macs));
      if (typeof json !== 'string') return undefined;
      const record = parseKeyRecord(json);
      if (record.mac === previousMac) putUnderCurrentPepper(json, record, mac).catch(() => {});
      return toStoredKey(record);
    },

    async change(id, edit) {
      const record = await update(id, (before) => ({ ...before, ...edit(toStoredKey(before)) }));
      return record && toStoredKey(record);
    },

    async rotate(id) {
      const secret = generateApiKey();
      const mac = hashApiKey(secret, peppers[0]);
      const record = await update(id, (before) => ({ ...before, mac, previousMac: undefined, rotatedAt: now() }));
      if (record === undefined) return undefined;
      const key = toStoredKey(record);
      return record.mac === mac ? { key, secret } : key;
    },

    async revoke(id) {
      const record = await update(id, (before) => ({ ...before, revokedAt: now() }));
      return record && toStoredKey(record);
    },
  };
}

function macsOf({ mac, previousMac }: KeyRecord): readonly string[] {
  return previousMac === undefined ? [mac] : [mac, previousMac];
}
