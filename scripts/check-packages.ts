import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const HELP = `Looks at packages as those who install them from a registry will find them; needs the build.

  node scripts/check-packages.ts    fails when publint has a complaint, when a path of \`exports\` or the LICENSE is missing,
                                    or when tests, fixtures or waste would be shipped`;

/** The packages that others may install. */
const PUBLISHED = ['packages/core'];
/** What nobody wants to install. */
const WASTE = /\.test\.|\.tsbuildinfo$|(?:^|\/)(?:__fixtures__|testdata|node_modules)\//;

if (process.argv.length > 2) {
  process.stdout.write(`${HELP}\n`);
  process.exitCode = process.argv[2] === '--help' ? 0 : 1;
} else {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const complaints = await Promise.all(PUBLISHED.map((name) => check(join(root, name), name)));
  for (const complaint of complaints.flat()) process.stderr.write(`${complaint}\n`);
  process.exitCode = complaints.flat().length === 0 ? 0 : 1;
}

/** What is wrong with a package, a line each. */
async function check(directory: string, name: string): Promise<string[]> {
  const packed = listPacked(directory);
  // By npm, since it comes with every Node, whereas pnpm need not be on the PATH.
  const { messages, pkg } = await publint({ pkgDir: directory, pack: 'npm', strict: true });
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) as { exports: unknown };
  return [
    ...messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code),
    ...targetsOf(manifest.exports)
      .filter((target) => !packed.has(target))
      .map((target) => `exports names ${target}, which would not be shipped; is it built?`),
    ...(packed.has('./LICENSE') ? [] : ['no LICENSE would be shipped']),
    ...[...packed].filter((path) => WASTE.test(path)).map((path) => `${path} would be shipped; see \`files\``),
  ].map((complaint) => `${name}: ${complaint}`);
}

/** The paths of all files that would be shipped, each with `./` in front. */
function listPacked(directory: string): ReadonlySet<string> {
  const output = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 2 ** 24,
    // A command script on Windows
    shell: process.platform === 'win32',
  });
  const packs = JSON.parse(output) as readonly { readonly files: readonly { readonly path: string }[] }[];
  return new Set(packs.flatMap(({ files }) => files.map(({ path }) => `./${path}`)));
}

/** All paths in `exports`, whatever their condition. */
function targetsOf(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports];
  return typeof exports === 'object' && exports !== null ? Object.values(exports).flatMap(targetsOf) : [];
}
