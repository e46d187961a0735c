import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The programs of one PostgreSQL, and who may run them. */
export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
  /** As in `15.18`. */
  readonly version: string;
  /** PostgreSQL refuses to run as root, and then runs as the user `postgres`; absent when we are somebody else. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
}

/** Where Debian and its relatives put them, outside of PATH, one directory per major version. */
const DEBIAN = '/usr/lib/postgresql';

const run = promisify(execFile);

/** PostgreSQL of PATH, else the newest of Debian's; `undefined` when there is none that we could run. */
export async function findPostgres(): Promise<PostgresPrograms | undefined> {
  const user = process.getuid?.() === 0 ? await findUser() : undefined;
  if (process.getuid?.() === 0 && user === undefined) return undefined;
  const majors = await readdir(DEBIAN).catch((): string[] => []);
  const directories = majors
    .toSorted((one, other) => Number(other) - Number(one))
    .map((name) => join(DEBIAN, name, 'bin'));
  for (const directory of ['', ...directories]) {
    const programs = { initdb: join(directory, 'initdb'), postgres: join(directory, 'postgres') };
    const [version] = await Promise.all([readVersion(programs.postgres), readVersion(programs.initdb)]).catch(() => []);
    if (version !== undefined) return { ...programs, version, user };
  }
  return undefined;
}

/** @throws Error when there is no such program */
async function readVersion(program: string): Promise<string | undefined> {
  const { stdout } = await run(program, ['--version'], { timeout: 5000 });
  return /(\d+(?:\.\d+)*)/.exec(stdout)?.[1];
}

/** The user that the packages make, and a way to become it; `undefined` when either is missing. */
async function findUser(): Promise<PostgresPrograms['user']> {
  try {
    const ids = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])));
    await run('setpriv', ['--version']);
    const [uid, gid] = ids.map(({ stdout }) => Number(stdout));
    return uid === undefined || gid === undefined ? undefined : { uid, gid };
  } catch {
    return undefined;
  }
}
