import type { Config, KeyConfig, LimitsConfig } from '@tokenhub/config';
import type { Scope } from '@tokenhub/metering';

const UNLIMITED: LimitsConfig = {};

/** Whose quotas a request of this key draws on: the key's own, its user's, its team's, its organisation's. All of them must admit it. */
export function scopesOf(key: KeyConfig, config: Config): readonly Scope[] {
  const scopes: Scope[] = [{ id: `key:${key.id}`, limits: key.limits }];
  if (key.user !== undefined)
    scopes.push({ id: `user:${key.user}`, limits: config.users.get(key.user)?.limits ?? UNLIMITED });
  if (key.team !== undefined)
    scopes.push({ id: `team:${key.team}`, limits: config.teams.get(key.team)?.limits ?? UNLIMITED });
  scopes.push({ id: `org:${key.org}`, limits: config.orgs.get(key.org)?.limits ?? UNLIMITED });
  return scopes;
}
