import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** A figure of a micro-benchmark, as its `run()` returns it. */
export interface MicroRow {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** Against the reference that the benchmark names, in the same run. */
  readonly ratio?: number;
}

const FOLDER = join(import.meta.dirname, 'micro');
const TIMEOUT_MS = 120_000;

export interface MicroResults {
  readonly rows: ReadonlyMap<string, readonly MicroRow[]>;
  /** What went wrong, by file. */
  readonly failures: ReadonlyMap<string, string>;
}

/** Runs each `micro/*.ts` in a process of its own, so that none finds the compiler's state of another. */
export async function runMicro(): Promise<MicroResults> {
  const rows = new Map<string, MicroRow[]>();
  const failures = new Map<string, string>();
  for (const name of (await readdir(FOLDER)).filter((file) => /^[\w-]+\.ts$/.test(file)).toSorted()) {
    const file = name.slice(0, -'.ts'.length);
    try {
      rows.set(file, await runMicroFile(file));
    } catch (error) {
      failures.set(file, error instanceof Error ? error.message : String(error));
    }
  }
  return { rows, failures };
}

/** Runs `micro/<file>.ts` in a process of its own. @throws Error when that fails. */
export async function runMicroFile(file: string): Promise<MicroRow[]> {
  const url = JSON.stringify(pathToFileURL(join(FOLDER, `${file}.ts`)).href);
  const code = `const { run } = await import(${url}); process.stdout.write('\\n' + JSON.stringify(await run()));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], {
    timeout: TIMEOUT_MS,
  });
  const rows: unknown = JSON.parse(stdout.slice(stdout.lastIndexOf('\n') + 1));
  return Array.isArray(rows) ? rows.filter(isRow) : [];
}

function isRow(row: unknown): row is MicroRow {
  return typeof row === 'object' && row !== null && 'name' in row && 'value' in row && typeof row.value === 'number';
}
