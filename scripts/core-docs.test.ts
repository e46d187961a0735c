import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const core = new URL('../packages/core/', import.meta.url);
const page = new URL('docs/route-and-stream-without-the-gateway.md', core);
const codeOf = (text: string): string[] => Array.from(text.matchAll(/^```ts\n([^]*?)^```$/gm), ([, code = '']) => code);

test('what the page quotes is in the program that runs', () => {
  const program = readFileSync(new URL('examples/own-server.ts', core), 'utf8');
  const quotes = codeOf(readFileSync(page, 'utf8'));
  expect(quotes.length).toBeGreaterThan(5);
  for (const quote of quotes) expect(flatten(program)).toContain(flatten(quote));
});

test.each([
  ['the README', new URL('README.md', core)],
  ['the page', page],
  ['the reference', new URL('docs/api/index.md', core)],
])('links of %s lead somewhere', (_, file) => {
  const text = readFileSync(file, 'utf8');
  for (const [, link = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
    if (!/^https?:/.test(link)) expect(existsSync(new URL(link, file)), link).toBe(true);
  }
  for (const [, link = '', anchor = ''] of text.matchAll(/\]\(([^)#\s]*)#([^)]*)\)/g)) {
    const target = readFileSync(link === '' ? file : new URL(link, file), 'utf8');
    const headings = Array.from(target.matchAll(/^#+ (.*)$/gm), ([, heading = '']) => heading);
    const slugs = headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(slugs, link).toContain(anchor.replace(/-\d+$/, ''));
  }
});

/** Without indents, which prettier sets anew in a page. */
function flatten(code: string): string {
  return code.replace(/\s+/g, ' ').trim();
}
