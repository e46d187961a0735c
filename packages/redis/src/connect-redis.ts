import { OperatorError, type RedisConnection } from '@tokenhub/config';
import type { Cluster, Redis } from 'ioredis';
import { createRedis } from './create-redis.ts';
import { withinMs } from './within-ms.ts';

/** A cluster that is not whole is asked again and again; a server that loads a large file answers late. */
const CONNECT_MS = 15_000;

/**
 * A connection for commands whose caller would rather hear that Redis is away than wait for it.
 * @param onError hears of connections that were lost later on; they are made anew by themselves.
 * @throws OperatorError when Redis is away now.
 */
export async function connectRedis(
  connection: RedisConnection,
  onError: (error: Error) => void,
): Promise<Redis | Cluster> {
  const redis = createRedis(connection, {
    lazyConnect: true,
    // All commands of one turn of the event loop go out in one write.
    enableAutoPipelining: true,
    // Whoever waits for admission would rather hear "unavailable" now than "granted" when Redis is back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    connectTimeout: 2_000,
  });
  redis.on('error', onError);
  try {
    await withinMs(redis.connect(), CONNECT_MS);
  } catch (cause) {
    redis.disconnect();
    const remedy = 'No Redis answers at REDIS_URL. Start one there, or let "pnpm start" bring one along.';
    throw new OperatorError(remedy, { cause });
  }
  return redis;
}
