import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { LocalRedis } from './local-redis.ts';
import { spawnBound } from './spawn-bound.ts';

/** A server program of PATH. */
export interface RedisServer {
  readonly kind: 'redis-server' | 'valkey-server';
  readonly version: string;
}

/** Longest wait for the first PONG; loading a large append-only file is what may take long. */
const START_TIMEOUT_MS = 30_000;

/** The first server of PATH that is recent enough (6.2, which BullMQ asks for); `undefined` when there is none. */
export async function findRedisServer(): Promise<RedisServer | undefined> {
  for (const kind of ['redis-server', 'valkey-server'] as const) {
    const version = await readVersion(kind);
    if (version !== undefined && isRecentEnough(version)) return { kind, version };
  }
  return undefined;
}

/** Starts a server on a unix socket in a directory that only this user may enter. */
export async function startRedisServer({ kind, version }: RedisServer, dataDir?: string): Promise<LocalRedis> {
  const socketDir = await mkdtemp(join(tmpdir(), 'tokenhub-redis-'));
  const socketPath = join(socketDir, 'redis.sock');
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 });

  const settings = Object.entries({
    port: '0',
    unixsocket: socketPath,
    unixsocketperm: '700',
    dir: dataDir ?? socketDir,
    appendonly: dataDir === undefined ? 'no' : 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
  }).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawnBound(kind, settings, { stdout: 'pipe' });
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-2000);
  });
  const exited = once(child, 'close').then(() => rm(socketDir, { recursive: true, force: true }));

  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answersPing(socketPath))) {
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      await stop();
      throw new Error(`${kind} did not start. Its last words:\n${output.trim()}`);
    }
    await sleep(10);
  }
  return { kind, version, url: `unix://${socketPath}`, pid: child.pid, exited, stop };
}

async function readVersion(program: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(program, ['--version'], { timeout: 5000 });
    return /\bv=(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
  } catch {
    return undefined; // not on PATH, or not able to run here
  }
}

function isRecentEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 2);
}

/** A server that is still loading its data answers `-LOADING`, which is not yet a PONG. */
async function answersPing(socketPath: string): Promise<boolean> {
  const socket = connect(socketPath);
  try {
    socket.setTimeout(1000, () => socket.destroy(new Error('no answer to PING')));
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    return String(answer).startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
