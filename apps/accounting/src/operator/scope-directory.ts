import type { Config } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { KeyStore, StoredKey } from '@tokenhub/keys';
import type { Limits } from '@tokenhub/metering';
import { answered } from './answered.ts';

/** Where a scope is counted, and what it may use. */
export interface KnownScope {
  readonly org: string;
  /** `undefined`: not known, since they would stand in a configuration that is not there. */
  readonly limits: Limits | undefined;
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
  /** The one in force now; without one every scope is known, but only the limits of keys made here. */
  readonly config: () => Config | undefined;
  readonly keys: Pick<KeyStore, 'find' | 'list'>;
}

const NO_LIMITS: Limits = {};
const NO_ANSWER = 'The store of the API keys did not answer in time. Try again.';
/** Keys read at a time when one is looked for by its user, team or organisation. */
const PAGE = 500;

export function createScopeDirectory({ config, keys }: ScopeDirectoryOptions): ScopeDirectory {
  async function findMade(kind: Kind, id: string): Promise<StoredKey | undefined> {
    if (kind === 'key') return keys.find(id);
    let cursor: number | undefined;
    do {
      // oxlint-disable-next-line no-await-in-loop -- where a page begins is known from the one before
      const page = await keys.list({ cursor, limit: PAGE });
      const found = page.keys.find(({ rights }) => rights[kind] === id);
      if (found !== undefined) return found;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    return undefined;
  }

  return {
    async find(scope) {
      const [, kind, id] = /^(\w+):(.+)$/s.exec(scope) ?? [];
      if (!isKind(kind) || id === undefined) {
        const message = 'scope must be key:<id>, user:<id>, team:<id> or org:<id>.';
        throw new GatewayError('invalid_parameter', message, { param: 'scope' });
      }
      const current = config();
      const known = current && findConfigured(current, kind, id);
      if (known !== undefined) return known;
      const made = await answered(findMade(kind, id), NO_ANSWER);
      if (made !== undefined) {
        const limits = kind === 'key' ? made.rights.limits : current?.[OWNERS[kind]].get(id)?.limits;
        return { org: made.rights.org, limits: limits ?? (current && NO_LIMITS) };
      }
      if (current === undefined) return { org: kind === 'org' ? id : '', limits: undefined };
      throw new GatewayError('not_found', 'There is no such key, user, team or organisation.');
    },
  };
}

/** Where the configuration has the limits of those whom a key belongs to. */
const OWNERS = { user: 'users', team: 'teams', org: 'orgs' } as const;

type Kind = 'key' | keyof typeof OWNERS;

function isKind(kind: string | undefined): kind is Kind {
  return kind !== undefined && (kind === 'key' || Object.hasOwn(OWNERS, kind));
}

function findConfigured(config: Config, kind: Kind, id: string): KnownScope | undefined {
  if (kind === 'key') return config.keys.find((key) => key.id === id);
  const limits = config[OWNERS[kind]].get(id)?.limits;
  // A user and a team are counted where their keys' organisation is
  const org = config.keys.find((key) => key[kind] === id)?.org ?? (kind === 'org' && limits ? id : undefined);
  return org === undefined ? undefined : { org, limits: limits ?? NO_LIMITS };
}
