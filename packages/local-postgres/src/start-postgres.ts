import { execFile, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { spawnBound } from '@tokenhub/local-redis';
import type { PostgresPrograms } from './find-postgres.ts';

/** A running PostgreSQL of this process's own, with one empty database. */
export interface LocalPostgres {
  /** `postgres://tokenhub@localhost/postgres?host=/directory`, the same over a restart. */
  readonly url: string;
  /** The same for clients that would not find the directory in it. */
  readonly connection: { readonly host: string; readonly user: string; readonly database: string };
  readonly version: string;
  /** What the server has logged. */
  readLog(): Promise<string>;
  /** Ends the server as `pg_ctl stop -m immediate` does: connections are cut, nothing is written any more. */
  kill(): Promise<void>;
  /** Starts it again with what it had committed. */
  restart(): Promise<void>;
  /** Ends the server and removes its data; a second call waits for the same end. */
  stop(): Promise<void>;
}

/** Longest wait for the server to be ready. */
const START_TIMEOUT_MS = 30_000;
const USER = 'tokenhub';

/**
 * Makes a database in a directory that only its user may enter, and serves it on a unix socket there. It ends with this
 * process, and it survives the end of the server but not that of the machine: nothing is synced to the disk.
 * @throws Error when it does not come up; its last words are in the message.
 */
export async function startPostgres(programs: PostgresPrograms): Promise<LocalPostgres> {
  const { user, version } = programs;
  const directory = await mkdtemp(join(tmpdir(), 'tokenhub-postgres-'));
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  const dataDir = join(directory, 'data');
  const log = join(directory, 'log');
  const readLog = () => readFile(log, 'utf8');
  const remove = () => rm(directory, { recursive: true, force: true });

  const shape = ['--auth=trust', '--encoding=UTF8', '--no-locale', '--no-sync'];
  const [initdb = '', ...options] = asUser(user, [programs.initdb, '-D', dataDir, '-U', USER, ...shape]);
  await promisify(execFile)(initdb, options, { cwd: directory }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });

  const settings = { listen_addresses: '', unix_socket_directories: directory, fsync: 'off', max_connections: '50' };
  const serve = asUser(user, [
    programs.postgres,
    '-D',
    dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  /** In `postmaster.pid`, when it serves this child. */
  const isReady = async ({ pid }: ChildProcess): Promise<boolean> => {
    const lines = (await readFile(join(dataDir, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
  };
  const start = async (): Promise<ChildProcess> => {
    const child = spawnBound('sh', ['-c', 'cd "$1" && shift && exec "$@" >>log 2>&1', 'sh', directory, ...serve]);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await isReady(child))) {
      if (hasEnded(child) || Date.now() > deadline) {
        await end(child, 'SIGQUIT');
        throw new Error(`PostgreSQL did not start. Its last words:\n${(await readLog()).slice(-2000).trim()}`);
      }
      await sleep(10);
    }
    return child;
  };

  let child = await start().catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  let stopped: Promise<void> | undefined;
  return {
    url: `postgres://${USER}@localhost/postgres?host=${encodeURIComponent(directory)}`,
    connection: { host: directory, user: USER, database: 'postgres' },
    version,
    readLog,
    kill: () => end(child, 'SIGQUIT'),
    async restart() {
      child = await start();
    },
    stop: () => (stopped ??= end(child, 'SIGINT').then(remove)),
  };
}

function asUser(user: PostgresPrograms['user'], command: readonly string[]): readonly string[] {
  if (user === undefined) return command;
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', ...command];
}

/** SIGINT: cuts connections and writes everything. SIGQUIT: at once. */
async function end(child: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
