import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { type ExportedName, readEntry } from './api-reference/read-entry.ts';
import { type Page, writePage } from './api-reference/write-page.ts';

const HELP = `Writes packages/core/docs/api, a page for each import of @tokenhub/core, from the declarations of the build.

  node scripts/api-reference.ts            writes it, and names what has no docstring or cannot be imported
  node scripts/api-reference.ts --check    fails when the files are not what would be written`;

const core = fileURLToPath(new URL('../packages/core', import.meta.url));
const folder = join(core, 'docs/api');
const [argument] = process.argv.slice(2);

if (argument === undefined) {
  const pages = readPages();
  const texts = await writePages(pages);
  mkdirSync(folder, { recursive: true });
  for (const file of listFiles()) if (!texts.has(file)) rmSync(join(folder, file));
  for (const [file, text] of texts) writeFileSync(join(folder, file), text);
  report(pages.flatMap(({ names }) => names));
} else if (argument === '--check') {
  const texts = await writePages(readPages());
  const stale = [...new Set([...texts.keys(), ...listFiles()])].filter((file) => texts.get(file) !== readIfThere(file));
  for (const file of stale) process.stderr.write(`packages/core/docs/api/${file} is not up to date\n`);
  if (stale.length > 0) process.stderr.write('Build, then run `node scripts/api-reference.ts`\n');
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  process.stdout.write(`${HELP}\n`);
  process.exitCode = argument === '--help' ? 0 : 1;
}

/** All that `exports` of the package offers to TypeScript. */
function readPages(): Page[] {
  const { name, exports } = JSON.parse(readFileSync(join(core, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, string | { readonly types: string }>>;
  };
  return Object.entries(exports).flatMap(([path, target]) => {
    if (typeof target === 'string') return [];
    const names = readEntry(join(core, target.types), join(core, 'dist'));
    return [{ specifier: name + path.slice(1), file: `${path === '.' ? 'index' : path.slice(2)}.md`, names }];
  });
}

/** The text of each page, by its file. */
async function writePages(pages: readonly Page[]): Promise<ReadonlyMap<string, string>> {
  const style = await resolveConfig(join(folder, 'index.md'));
  return new Map(
    await Promise.all(
      pages.map(async (page) => {
        const text = await format(writePage(page, pages), { ...style, parser: 'markdown' });
        return [page.file, text] as const;
      }),
    ),
  );
}

/** Tells what readers of the reference will miss. */
function report(names: readonly ExportedName[]): void {
  const exported = new Set(names.map(({ name }) => name));
  const undocumented = names.filter(({ doc }) => doc === undefined).map(({ name }) => name);
  const hidden = names.flatMap(({ name, mentions }) =>
    mentions.filter((mention) => !exported.has(mention)).map((mention) => `${mention} (of ${name})`),
  );
  const say = (title: string, list: readonly string[]): void =>
    void (list.length > 0 && process.stdout.write(`${title}: ${[...new Set(list)].join(', ')}\n`));
  say('Without docstring', undocumented);
  say('Mentioned, but not exported', hidden);
}

function listFiles(): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(join(folder, file), 'utf8');
  } catch {
    return undefined;
  }
}
