import type { RedisConnection } from '@tokenhub/config';
import { Redis } from 'ioredis';

/**
 * A connection for commands whose caller would rather hear that Redis is away than wait for it.
 * @param onError hears of connections that were lost later on; it is made anew by itself.
 * @throws Error when Redis is away now.
 */
export async function connectRedis(connection: RedisConnection, onError: (error: Error) => void): Promise<Redis> {
  const redis = new Redis({
    ...connection,
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
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return redis;
}
