import type { Config } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { Limits } from '@tokenhub/metering';

/** Where a scope is counted, and what it may use. */
export interface KnownScope {
  readonly org: string;
  readonly limits: Limits;
}

/** Knows the scopes that the configuration speaks of. */
export interface ScopeDirectory {
  /**
   * @param scope `key:<id>`, `user:<id>`, `team:<id>` or `org:<id>`
   * @throws GatewayError `invalid_parameter` for another form, `not_found` for a scope that nobody uses.
   */
  find(scope: string): KnownScope;
}

const NO_LIMITS: Limits = {};

/** @param config the one in force now; without one every scope is known, and none has a limit. */
export function createScopeDirectory(config: () => Config | undefined): ScopeDirectory {
  return {
    find(scope) {
      const [, kind, id] = /^(key|user|team|org):(.+)$/s.exec(scope) ?? [];
      if (kind === undefined || id === undefined) {
        const message = 'scope must be key:<id>, user:<id>, team:<id> or org:<id>.';
        throw new GatewayError('invalid_parameter', message, { param: 'scope' });
      }
      const current = config();
      if (current === undefined) return { org: kind === 'org' ? id : '', limits: NO_LIMITS };
      const found = FINDERS[kind]?.(current, id);
      if (found === undefined)
        throw new GatewayError('not_found', 'The configuration has no such key, user or organisation.');
      return found;
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
