import { readFileSync } from 'node:fs';
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

/** Without indents, which prettier sets anew in a page. */
function flatten(code: string): string {
  return code.replace(/\s+/g, ' ').trim();
}
