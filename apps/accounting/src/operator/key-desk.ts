import { formatPath, toKeyRights, type Config, type KeyRights, type KeyRightsFile } from '@tokenhub/config';
import { GatewayError, isGatewayError } from '@tokenhub/core';
import type { KeyPage, KeyStore, KeyText, KeyWithSecret, StoredKey } from '@tokenhub/keys';
import { answered } from './answered.ts';
import type { KeyChange } from './parse-body.ts';
import type { ScopeDirectory } from './scope-directory.ts';
import { toKeyItem, toStaticKeyItem } from './to-key-item.ts';

type KeyItem = ReturnType<typeof toKeyItem> | ReturnType<typeof toStaticKeyItem>;
/** `key` is the secret, shown this once. */
type NewKeyItem = { readonly id: string; readonly key: string } & ReturnType<typeof toKeyItem>;

/**
 * What operators do with keys: those of the store, beside the static ones of the configuration, which can only be looked at.
 * Everything throws GatewayError: `not_found` for an id that nobody has, `conflict` for what does not go with the key as it is,
 * `quota_unavailable` when the store does not answer.
 */
export interface KeyDesk {
  create(key: KeyRightsFile): Promise<NewKeyItem>;
  /** Newest first, then the static ones in the order of the file. */
  list(page: {
    readonly cursor?: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly items: readonly KeyItem[]; readonly next_cursor: string | null }>;
  find(id: string): Promise<KeyItem>;
  change(id: string, change: KeyChange): Promise<KeyItem>;
  rotate(id: string): Promise<NewKeyItem>;
  revoke(id: string): Promise<void>;
}

export interface KeyDeskOptions {
  readonly store: KeyStore;
  /** The one in force now, if there is one. */
  readonly config: () => Config | undefined;
  /** Given where users and teams must be of one organisation, which is where organisations are spread over shards. */
  readonly scopes?: ScopeDirectory | undefined;
}

const NO_ANSWER = 'The store of the API keys did not answer in time. Look whether it was done, and try again.';

const fromStore = <T>(answer: Promise<T>): Promise<T> => answered(answer, NO_ANSWER);

export function createKeyDesk({ store, config, scopes }: KeyDeskOptions): KeyDesk {
  const staticKeys = () => config()?.keys ?? [];
  const findStatic = (id: string) => staticKeys().find((key) => key.id === id);

  function mustBeMade(id: string): void {
    if (findStatic(id) === undefined) return;
    const message = `${id} is a static key. Change it under keys: in the configuration file, which is then reloaded.`;
    throw new GatewayError('invalid_request', message);
  }

  /** A model that nobody serves would be a right to nothing. */
  function mustBeServed(models: readonly string[] | null | undefined): void {
    const current = config();
    if (current === undefined) return;
    for (const [index, id] of (models ?? []).entries()) {
      if (id === '*' || current.models.some((model) => model.id === id)) continue;
      const param = formatPath(['models', index]);
      throw new GatewayError('invalid_parameter', `${param} names ${id}, which is none of the models.`, { param });
    }
  }

  async function mustBeOfOneOrg(key: KeyRights): Promise<void> {
    for (const owner of ['user', 'team'] as const) {
      const id = key[owner];
      if (id === undefined || scopes === undefined) continue;
      const known = await scopes.find(`${owner}:${id}`).catch((error: unknown) => {
        if (isGatewayError(error) && error.code === 'not_found') return undefined;
        throw error;
      });
      if (known === undefined || known.org === '' || known.org === key.org) continue;
      const message = `${owner} names ${id}, who is of the organisation ${known.org}; a ${owner} belongs to one organisation.`;
      throw new GatewayError('invalid_parameter', message, { param: owner });
    }
  }

  return {
    async create({ id, name, ...fields }) {
      mustBeServed(fields.models);
      await mustBeOfOneOrg(toKeyRights(fields));
      const isStatic = id !== undefined && findStatic(id) !== undefined;
      const made = isStatic ? undefined : await fromStore(store.create({ id, name, fields }));
      if (made === undefined) {
        const where = isStatic ? 'a static key of the configuration' : 'another key, or by one that was revoked';
        throw new GatewayError('conflict', `The id ${id} is taken by ${where}. Take another one.`, { param: 'id' });
      }
      return toNewKeyItem(made);
    },

    async list({ cursor, limit }) {
      const { isStatic, position } = readCursor(cursor);
      const page: KeyPage = isStatic ? { keys: [] } : await fromStore(store.list({ cursor: position, limit }));
      if (page.nextCursor !== undefined)
        return { items: page.keys.map(toKeyItem), next_cursor: String(page.nextCursor) };
      const begin = isStatic ? (position ?? 0) : 0;
      const end = begin + limit - page.keys.length;
      const keys = staticKeys();
      return {
        items: [...page.keys.map(toKeyItem), ...keys.slice(begin, end).map(toStaticKeyItem)],
        next_cursor: end < keys.length ? `static-${end}` : null,
      };
    },

    async find(id) {
      const key = findStatic(id);
      return key === undefined ? toKeyItem(found(await fromStore(store.find(id)))) : toStaticKeyItem(key);
    },

    async change(id, change) {
      mustBeMade(id);
      mustBeServed(change.models);
      const before = found(await fromStore(store.find(id)));
      await mustBeOfOneOrg(toKeyRights(applyChange(before, change).fields));
      const key = await fromStore(store.change(id, (current) => applyChange(current, change)));
      return toKeyItem(alive(found(key)));
    },

    async rotate(id) {
      mustBeMade(id);
      const rotated = found(await fromStore(store.rotate(id)));
      if ('secret' in rotated) return toNewKeyItem(rotated);
      alive(rotated);
      throw new Error('a key that is not revoked was not rotated');
    },

    async revoke(id) {
      mustBeMade(id);
      found(await fromStore(store.revoke(id)));
    },
  };
}

function toNewKeyItem({ key, secret }: KeyWithSecret): NewKeyItem {
  const { id, ...rest } = toKeyItem(key);
  return { id, key: secret, ...rest };
}

function applyChange({ name: oldName, fields: oldFields }: StoredKey, change: KeyChange): KeyText {
  const { name, limits, ...fields } = { name: oldName, ...oldFields, ...change };
  // Limits change one by one: whoever raises one does not mean to take the others away
  const changed = limits && withoutNulls({ ...oldFields.limits, ...limits });
  return { name: name ?? undefined, fields: withoutNulls({ ...fields, limits: changed ?? null }) };
}

/** The given fields that are not null. */
function withoutNulls<T extends object>(fields: T): { [Field in keyof T]: Exclude<T[Field], null> } {
  const given = Object.entries(fields).filter(([, value]) => value !== null);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the compiler cannot see of a filter
  return Object.fromEntries(given) as { [Field in keyof T]: Exclude<T[Field], null> };
}

function readCursor(cursor: string | undefined): { isStatic: boolean; position: number | undefined } {
  if (cursor === undefined) return { isStatic: false, position: undefined };
  const [, prefix, digits] = /^(static-)?(\d{1,15})$/.exec(cursor) ?? [];
  if (digits === undefined) {
    throw new GatewayError('invalid_parameter', 'cursor must be the next_cursor of another page.', { param: 'cursor' });
  }
  return { isStatic: prefix !== undefined, position: Number(digits) };
}

function found<T>(key: T | undefined): T {
  if (key === undefined) throw new GatewayError('not_found', 'There is no key of this id.');
  return key;
}

function alive(key: StoredKey): StoredKey {
  if (key.revokedAt !== undefined)
    throw new GatewayError('conflict', `The key ${key.id} has been revoked, which is for good. Make another one.`);
  return key;
}
