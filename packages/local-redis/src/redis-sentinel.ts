import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePorts } from './free-ports.ts';
import { launchServer, toArguments } from './launch-server.ts';
import type { LocalRedis } from './local-redis.ts';
import { findRedisServer } from './redis-server.ts';

/** Of the group that {@link startRedisSentinel} starts. */
export const SENTINEL_GROUP = 'tokenhub';

/**
 * Starts a Redis for tests on a free port of the loopback interface, in memory, and a sentinel that knows where it is; both end
 * with this process. Its url is `redis-sentinel://…`.
 * @throws Error where no Redis or Valkey is installed.
 */
export async function startRedisSentinel(): Promise<LocalRedis> {
  const server = await findRedisServer();
  if (server === undefined) throw new Error('no redis-server or valkey-server on PATH');
  const [port = 0, sentinelPort = 0] = await findFreePorts(2);
  const primary = await launchServer(server.kind, (directory) => ({
    args: toArguments({ bind: '127.0.0.1', port, dir: directory, appendonly: 'no', save: '' }),
    address: { port },
  }));
  const sentinel = await launchServer(server.kind, async (directory) => {
    // It writes into its file what it finds out
    const file = join(directory, 'sentinel.conf');
    const monitor = `sentinel monitor ${SENTINEL_GROUP} 127.0.0.1 ${port} 1`;
    await writeFile(file, `bind 127.0.0.1\nport ${sentinelPort}\n${monitor}\n`);
    return { args: [file, '--sentinel'], address: { port: sentinelPort } };
  }).catch(async (error: unknown) => {
    await primary.stop();
    throw error;
  });
  return {
    ...server,
    url: `redis-sentinel://127.0.0.1:${sentinelPort}/0?master=${SENTINEL_GROUP}`,
    pid: primary.pid,
    exited: Promise.all([primary.exited, sentinel.exited]).then(() => undefined),
    async stop() {
      await Promise.all([sentinel.stop(), primary.stop()]);
    },
  };
}
