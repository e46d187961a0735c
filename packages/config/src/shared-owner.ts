import type { KeyConfig } from './config.ts';

/** A user or a team whose keys are of two organisations. */
export interface SharedOwner {
  readonly owner: 'user' | 'team';
  readonly id: string;
  readonly orgs: readonly [string, string];
}

/**
 * Where organisations are spread over several shards, what a user or a team has used is counted beside what its organisation
 * has: there must be one such place. Gives the first one for whom there are two.
 */
export function findSharedOwner(keys: readonly KeyConfig[]): SharedOwner | undefined {
  for (const owner of ['user', 'team'] as const) {
    const orgs = new Map<string, string>();
    for (const { [owner]: id, org } of keys) {
      if (id === undefined) continue;
      const first = orgs.get(id) ?? org;
      if (first !== org) return { owner, id, orgs: [first, org] };
      orgs.set(id, first);
    }
  }
  return undefined;
}
