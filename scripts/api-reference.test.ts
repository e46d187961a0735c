import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readEntry } from './api-reference/read-entry.ts';
import { writeDoc, writePage } from './api-reference/write-page.ts';

const root = mkdtempSync(join(tmpdir(), 'tokenhub-api-reference-test-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function read(files: Readonly<Record<string, string>>) {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(root, name), text);
  return readEntry(join(root, 'index.d.ts'), root);
}

test('follows names through files and under other names', () => {
  const names = read({
    'index.d.ts': "export { a, type B as C } from './one.js';\nexport type { D, } from './two.ts';\n",
    'one.d.ts':
      "import type { D } from './two.ts';\nexport { a } from './two.ts';\n/** B. */\nexport type B = D | 'a;b}';\n",
    'two.d.ts':
      'export declare const a: 1;\n/** D. */\nexport interface D {\n    /** a; } { */\n    b(c: D): a;\n}\nexport {};\n',
  });
  expect(names).toEqual([
    { name: 'a', doc: undefined, code: 'export declare const a: 1;', place: 'two', mentions: [] },
    { name: 'C', doc: 'B.', code: "export type B = D | 'a;b}';", place: 'one', mentions: ['D'] },
    expect.objectContaining({ name: 'D', doc: 'D.', place: 'two', mentions: ['a'] }),
  ]);
});

test('keeps overloads together, and takes the comment right in front only', () => {
  const text = `/** Not of it. */
declare const B: unique symbol;
export declare class A extends Error {
    readonly [B] = true;
}
/** First. */
export declare function f(a: { b: string; }): void;
export declare function f(a: number): void;
`;
  const [a, f] = read({ 'index.d.ts': text });
  expect(a).toMatchObject({ name: 'A', doc: undefined, mentions: ['B'] });
  expect(f).toMatchObject({ name: 'f', doc: 'First.' });
  expect(f?.code.split('\n')).toHaveLength(2);
});

test.each(["export * from './two.js';", "export { x } from 'elsewhere';", 'export default 1;', 'export { gone };'])(
  'leaves nothing out in silence: %s',
  (text) => {
    expect(() => read({ 'index.d.ts': `${text}\n` })).toThrow();
  },
);

test('puts tags into words', () => {
  expect(writeDoc('Reads {@link Price}. @throws RangeError for\nnonsense.')).toBe(
    'Reads `Price`.\n\nThrows `RangeError` for\nnonsense.',
  );
  expect(writeDoc('A.\n@param b how many\n@defaultValue 1')).toBe('A.\n\n`b`: how many\n\nDefault: 1');
});

test('links to names of the same page first, as GitHub names its places', () => {
  const name = { doc: undefined, code: 'export type A = B | C;', mentions: ['B', 'C', 'D'] };
  const page = {
    specifier: 'x',
    file: 'x.md',
    names: ['A', 'B', 'b'].map((n) => ({ ...name, name: n, place: 'cost/a' })),
  };
  const other = { specifier: 'y', file: 'y.md', names: ['B', 'C'].map((n) => ({ ...name, name: n, place: 'cost/a' })) };
  const text = writePage(page, [page, other]);
  expect(text).toContain('[src/cost/a.ts](../../src/cost/a.ts), with [`B`](#b), [`C`](y.md#c)');
  expect(text).toContain('[`b`](#b-1)');
});
