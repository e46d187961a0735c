import type { Config } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { KeyStore, StoredKey } from '@tokenhub/keys';
import type { Limits } from '@tokenhub/metering';

/** Where a scope is counted, and what it may use. */
export interface KnownScope {
  readonly org: string;
  readonly limits: Limits;
}

/** Knows the scopes that the configuration and the keys made here speak of. */
export interface ScopeDirectory {
  /**
   * @param scope `key:<id>`, `user:<id>`, `team:<id>` or `org:<id>`
   * @throws GatewayError `invalid_parameter` for another form, `not_found` for a scope that nobody uses,
   * `quota_unavailable` when the store of the keys does not answer.
   */
  find(scope: string): Promise<KnownScope>;
}

export interface ScopeDirectoryOptions {
  /** The one in force now; without one every scope is known, and only keys made here have limits. */
  readonly config: () => Config | undefined;
  readonly keys: Pick<KeyStore, 'find' | 'list'>;
}

const NO_LIMITS: Limits = {};
/** Keys read at a time when one is looked for by its user or organisation. */
const PAGE = 500;

export function createScopeDirectory({ config, keys }: ScopeDirectoryOptions): ScopeDirectory {
  async function findMade(kind: string, id: string): Promise<StoredKey | undefined> {
    if (kind === 'key') return keys.find(id);
    if (kind === 'team') return undefined;
    let cursor: number | undefined;
    do {
      // oxlint-disable-next-line no-await-in-loop -- where a page begins is known from the one before
      const page = await keys.list({ cursor, limit: PAGE });
      const found = page.keys.find(({ rights }) => (kind === 'user' ? rights.user : rights.org) === id);
      if (found !== undefined) return found;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return undefined;
  }

  return {
    async find(scope) {
      const [, kind, id] = /^(key|user|team|org):(.+)$/s.exec(scope) ?? [];
      if (kind === undefined || id === undefined) {
        const message = 'scope must be key:<id>, user:<id>, team:<id> or org:<id>.';
        throw new GatewayError('invalid_parameter', message, { param: 'scope' });
      }
      const current = config();
      const known = current && FINDERS[kind]?.(current, id);
      if (known !== undefined) return known;
      const made = await findMade(kind, id).catch((cause: unknown) => {
        const message = 'The store of the API keys did not answer in time. Try again.';
        throw new GatewayError('quota_unavailable', message, { cause, retryAfterMs: 1000 });
      });
      if (made !== undefined) {
        const limits =
          kind === 'key' ? made.rights.limits : current?.[kind === 'user' ? 'users' : 'orgs'].get(id)?.limits;
        return { org: made.rights.org, limits: limits ?? NO_LIMITS };
      }
      if (current === undefined) return { org: kind === 'org' ? id : '', limits: NO_LIMITS };
      throw new GatewayError('not_found', 'There is no such key, user or organisation.');
    },
  };
}

const FINDERS: Readonly<Record<string, (config: Config, id: string) => KnownScope | undefined>> = {
  key: ({ keys }, id) => keys.find((key) => key.id === id),
  user({ keys, users }, id) {
    const key = keys.find(({ user }) => user === id);
    return key && { org: key.org, limits: users.get(id)?.limits ?? NO_LIMITS };
  },
  org({ keys, orgs }, id) {
    const limits = orgs.get(id)?.limits;
    return limits !== undefined || keys.some(({ org }) => org === id)
      ? { org: id, limits: limits ?? NO_LIMITS }
      : undefined;
  },
};
