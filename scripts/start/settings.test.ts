import { readFileSync } from 'node:fs';
import { SHARED_SETTINGS } from '@tokenhub/config';
import { expect, test } from 'vitest';
import { describeSettings } from './settings.ts';

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const help = [...describeSettings().matchAll(/^ {2}([A-Z_]+) /gm)].map(([, name = '']) => name);
const table = [...read('README.md').matchAll(/^\| ((?:`[A-Z_]+`(?:, )?)+) +\|/gm)].flatMap(([, names = '']) =>
  [...names.matchAll(/[A-Z_]+/g)].map(([name]) => name),
);

test('every variable that gateway and accounting read is in the help of start', () => {
  const env = ['apps/gateway/src/env.ts', 'apps/accounting/src/env.ts'].map(read).join('\n');
  const own = [...env.matchAll(/^ {2}([A-Z_]+): \{/gm)].map(([, name]) => name);
  expect(own).toContain('GATEWAY_DRAIN_MS');
  expect(help).toEqual(expect.arrayContaining([...Object.keys(SHARED_SETTINGS), ...own]));
});

test('the help of start and the table of the README name the same variables', () => {
  expect(table.toSorted()).toEqual(help.toSorted());
});
