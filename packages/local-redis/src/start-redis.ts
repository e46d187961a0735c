import { startEmbeddedRedis } from './embedded-redis.ts';
import type { LocalRedis } from './local-redis.ts';
import { findRedisServer, startRedisServer } from './redis-server.ts';

export interface StartRedisOptions {
  /** Where data survives a restart (append-only file, fsync every second). Absent, or with the embedded server: in memory only. */
  readonly dataDir?: string | undefined;
  /** Always take the in-process server, also where a real one is on PATH. @defaultValue false */
  readonly embedded?: boolean | undefined;
}

/**
 * Starts a Redis that only this machine's user can reach and that ends with this process: `redis-server` or
 * `valkey-server` of PATH on a private unix socket, else a substitute inside this process on the loopback interface.
 * @throws Error when a server of PATH does not come up; its last words are in the message.
 */
export async function startRedis({ dataDir, embedded = false }: StartRedisOptions = {}): Promise<LocalRedis> {
  const server = embedded ? undefined : await findRedisServer();
  return server === undefined ? await startEmbeddedRedis() : await startRedisServer(server, dataDir);
}
