import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launchServer, toArguments } from './launch-server.ts';
import type { LocalRedis } from './local-redis.ts';

/** A server program of PATH. */
export interface RedisServer {
  readonly kind: 'redis-server' | 'valkey-server';
  readonly version: string;
}

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
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true, mode: 0o700 });
  let socketPath = '';
  const server = await launchServer(kind, (directory) => {
    socketPath = join(directory, 'redis.sock');
    const args = toArguments({
      port: 0,
      unixsocket: socketPath,
      unixsocketperm: 700,
      dir: dataDir ?? directory,
      appendonly: dataDir === undefined ? 'no' : 'yes',
      appendfsync: 'everysec',
      save: '',
      'maxmemory-policy': 'noeviction',
    });
    return { args, address: { path: socketPath } };
  });
  return { kind, version, url: `unix://${socketPath}`, ...server };
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
