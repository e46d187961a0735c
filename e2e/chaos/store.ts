import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Tenant } from './tenant.ts';

/** A Redis that is found at the same address whatever happens to it. */
export interface Store extends Tenant {
  readonly url: string;
  client(): Redis;
  /** A replica takes over that has not heard what the store was told in the last `lostMs`. */
  failOver(lostMs: number): Promise<void>;
}

export async function startStore(directory: string, keepsData: boolean): Promise<Store> {
  const socket = join(directory, 'redis.sock');
  const connect = (path: string): Redis => {
    const client = new Redis({ path, retryStrategy: () => 20, maxRetriesPerRequest: null });
    return client.on('error', () => {});
  };
  let generation = 0;
  const start = async (path: string): Promise<ChildProcess> => {
    const dataDir = join(directory, `redis-${generation}`);
    mkdirSync(dataDir, { recursive: true });
    const settings = ['--port', '0', '--unixsocket', path, '--dir', dataDir, '--save', ''];
    settings.push(
      '--appendonly',
      keepsData ? 'yes' : 'no',
      '--appendfsync',
      'everysec',
      '--maxmemory-policy',
      'noeviction',
    );
    const started = spawn('redis-server', settings, { stdio: 'ignore' });
    const client = connect(path);
    await client.ping();
    client.disconnect();
    return started;
  };
  const end = async (ending: ChildProcess): Promise<void> => {
    if (ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill('SIGKILL');
    await ended;
  };

  let child = await start(socket);
  return {
    name: 'redis',
    url: `unix://${socket}`,
    client: () => connect(socket),
    kill: () => end(child),
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    async restart() {
      child = await start(socket);
    },
    async failOver(lostMs) {
      generation++;
      const replicaSocket = join(directory, `redis-${generation}.sock`);
      const replica = await start(replicaSocket);
      const [primary, follower] = [connect(socket), connect(replicaSocket)];
      await copy(primary, follower);
      await new Promise((resolve) => setTimeout(resolve, lostMs));
      await end(child);
      renameSync(replicaSocket, socket);
      child = replica;
      primary.disconnect();
      follower.disconnect();
    },
  };
}

const DUMP = readFileSync(new URL('dump.lua', import.meta.url), 'utf8');

/** All that one Redis has, at one moment, into another: what a replica has that is cut off from then on. */
async function copy(from: Redis, to: Redis): Promise<void> {
  const all = (await from.callBuffer('EVAL', DUMP, '0')) as [key: Buffer, dump: Buffer, ttlMs: number][];
  const writing = to.multi();
  for (const [key, dump, ttlMs] of all) writing.restore(key, Math.max(0, ttlMs), dump, 'REPLACE');
  await writing.exec();
}
