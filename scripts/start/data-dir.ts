import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { OperatorError } from '@tokenhub/config';

/** The directory that everything of this machine's own is written to, held by one `start` at a time. */
export interface DataDir {
  readonly path: string;
  /** The secret of this name as an earlier start left it, else a new one. Only this user may read it. */
  keepSecret(name: string, generate: () => string): string;
  write(name: string, text: string): string;
  /** Lets another start have it. */
  release(): void;
}

/** @throws OperatorError when another start that still runs has it. */
export function openDataDir(directory: string): DataDir {
  const path = resolve(directory);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const lock = join(path, 'start.pid');
  const owner = Number(readIfThere(lock));
  // Two servers on one append-only file would destroy it.
  if (owner > 0 && owner !== process.pid && isRunning(owner)) {
    throw new OperatorError(
      `TOKENHUB_DATA_DIR ${path} is in use by another start (process ${owner}). Stop that one or set another directory; ` +
        `if there is none, remove ${lock}`,
    );
  }
  writeFileSync(lock, `${process.pid}\n`);

  return {
    path,
    keepSecret: (name, generate) => {
      const file = join(path, name);
      const kept = readIfThere(file)?.trim();
      if (kept !== undefined && kept !== '') return kept;
      const secret = generate();
      writeFileSync(file, `${secret}\n`, { mode: 0o600 });
      // The mode above holds only for a new file.
      chmodSync(file, 0o600);
      return secret;
    },
    write: (name, text) => {
      const file = join(path, name);
      writeFileSync(file, text);
      return file;
    },
    release: () => rmSync(lock, { force: true }),
  };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
