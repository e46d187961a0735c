import { expect, test } from 'vitest';
import type { KeyConfig } from './config.ts';
import { findSharedOwner } from './shared-owner.ts';
import { toKeyRights } from './to-config.ts';

const key = (org: string, owner: { user?: string; team?: string }): KeyConfig => ({
  id: org,
  ...toKeyRights({ org, ...owner }),
});

test.each(['user', 'team'] as const)('finds a %s of two organisations', (owner) => {
  const keys = [key('acme', { [owner]: 'ada' }), key('acme', { [owner]: 'ada' }), key('other', { [owner]: 'ada' })];
  expect(findSharedOwner(keys)).toEqual({ owner, id: 'ada', orgs: ['acme', 'other'] });
});

test('a user and a team of the same name are two, and so are keys of nobody', () => {
  expect(
    findSharedOwner([key('acme', { user: 'ada' }), key('other', { team: 'ada' }), key('third', {})]),
  ).toBeUndefined();
});
