import { keyRightsSchema, toKeyRights, type KeyRights, type KeyRightsFile } from '@tokenhub/config';
import { z } from 'zod';

/** What the holder of a key may do, as operators write it: the fields of `keys:` in the configuration file. */
export type KeyRightsFields = Omit<KeyRightsFile, 'id' | 'name'>;

/** A key that was made at run time. Neither its secret nor the secret's MAC is in it. */
export interface StoredKey {
  readonly id: string;
  /** For people; absent when none was given. */
  readonly name?: string | undefined;
  /** As they were given, to be changed field by field. */
  readonly fields: KeyRightsFields;
  /** With every default in place. */
  readonly rights: KeyRights;
  /** Milliseconds since 1970, like the other times. */
  readonly createdAt: number;
  /** When its secret was last replaced; absent: it still has its first. */
  readonly rotatedAt?: number | undefined;
  /** When it was used for the first time after the pepper had changed, and put under the new one; absent: it was not. */
  readonly rehashedAt?: number | undefined;
  /** From when on it opens nothing any more; absent: it does. */
  readonly revokedAt?: number | undefined;
  /** 1 for a new key, one more with every change. */
  readonly version: number;
}

/** What stands in Redis for a key. */
export interface KeyRecord extends Omit<StoredKey, 'rights'> {
  /** Hex HMAC-SHA-256 of the secret under the pepper. */
  readonly mac: string;
  /** Of the same secret under the pepper before, for processes that have no other yet. */
  readonly previousMac?: string | undefined;
  /** Names the change that made it so: the same change sent twice is told from two that make the same of it. */
  readonly changeId: string;
}

const time = z.int().nonnegative();
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const recordSchema: z.ZodType<KeyRecord> = z.object({
  id: z.string().min(1),
  name: z.string().optional(),
  mac: hash,
  previousMac: hash.optional(),
  changeId: z.string(),
  fields: keyRightsSchema.omit({ id: true, name: true }),
  createdAt: time,
  rotatedAt: time.optional(),
  rehashedAt: time.optional(),
  revokedAt: time.optional(),
  version: z.int().positive(),
});

/** @throws Error for what only a later version of this program can read: a right or a limit must not be passed over. */
export function parseKeyRecord(json: string): KeyRecord {
  const { data } = recordSchema.safeParse(JSON.parse(json));
  if (data === undefined) throw new Error('the record of an API key cannot be read');
  return data;
}

/** Without what is the store's own. */
export function toStoredKey({
  mac: _mac,
  previousMac: _previousMac,
  changeId: _changeId,
  ...record
}: KeyRecord): StoredKey {
  return { ...record, rights: toKeyRights(record.fields) };
}
