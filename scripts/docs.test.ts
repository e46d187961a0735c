import { existsSync, globSync, readFileSync } from 'node:fs';
import { MODE_WEIGHTS } from '@tokenhub/core';
import { describe, expect, test } from 'vitest';
import { ENVELOPE_BODY } from '../apps/gateway/src/http/describe-route.ts';

const root = new URL('../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const find = (pattern: string | string[]) => globSync(pattern, { cwd: root }).toSorted();

test.each(find(['*.md', 'docs/**/*.md', 'bench/*.md', 'packages/*/README.md', 'packages/core/docs/**/*.md']))(
  'links of %s lead somewhere',
  (path) => {
    const file = new URL(path, root);
    for (const [, link = '', anchor] of read(path).matchAll(/\]\(([^)#\s]*)(?:#([^)]*))?\)/g)) {
      if (/^https?:/.test(link)) continue;
      const target = link === '' ? file : new URL(link, file);
      expect(existsSync(target), link).toBe(true);
      if (anchor !== undefined)
        expect(slugsOf(readFileSync(target, 'utf8')), link).toContain(anchor.replace(/-\d+$/, ''));
    }
  },
);

/** What the headings of a page are linked by. */
function slugsOf(page: string): string[] {
  return Array.from(page.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs/requests.md', () => {
  const page = read('docs/requests.md');
  /** The first cells of its tables' rows. */
  const cells = Array.from(page.matchAll(/^\| (`[^|]*?) +\|/gm), ([, cell = '']) => cell);

  test('names each header of ours that the gateway reads or writes, and no other', () => {
    const source = find('apps/gateway/src/**/*.ts')
      .filter((path) => !path.endsWith('.test.ts'))
      .map(read)
      .join('\n');
    expect(headersIn(cells.join('\n'))).toEqual(headersIn(source));
  });

  test('names each member of the envelope, and no other', () => {
    const named = cells.flatMap((cell) =>
      Array.from(cell.matchAll(/`((?:request|policy|capabilities|output_format)\.\w+)`/g), ([, name = '']) => name),
    );
    // A second name of model_hint, told beside it.
    const members = membersOf(ENVELOPE_BODY).filter((name) => name !== 'request.model');
    expect(named.toSorted()).toEqual(members.toSorted());
  });

  test('weighs each mode as the router does', () => {
    for (const [mode, { cost, latency, failure, capability }] of Object.entries(MODE_WEIGHTS)) {
      const figures = [cost, latency, failure, capability].map((weight) => weight.toFixed(2));
      expect(page).toMatch(new RegExp(`^\\| \`${mode}\` +\\| ${figures.join(' +\\| ')} +\\|`, 'm'));
    }
  });
});

function headersIn(text: string): string[] {
  return [
    ...new Set(Array.from(text.matchAll(/\bx-tokenhub-[a-z]+(?:-[a-z]+)*/gi), ([name]) => name.toLowerCase())),
  ].toSorted();
}

/** The paths of what an object of this JSON Schema has inside its members. */
function membersOf(schema: typeof ENVELOPE_BODY): string[] {
  return Object.entries(propertiesOf(schema)).flatMap(([name, inner]) =>
    Object.keys(propertiesOf(inner)).map((member) => `${name}.${member}`),
  );
}

function propertiesOf(schema: unknown): Record<string, unknown> {
  const { properties = {} } = schema as { properties?: Record<string, unknown> };
  return properties;
}
