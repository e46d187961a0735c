import type { RedisConnection } from '@tokenhub/config';
import { Redis } from 'ioredis';

/** A connection for commands whose caller would rather hear that Redis is away than wait for it. @throws when it is away now. */
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
  await redis.connect();
  return redis;
}

/** Longest wait for an answer when asked whether this process is ready. */
const READY_TIMEOUT_MS = 1_000;

/** True when Redis answers. */
export async function answers(redis: Redis): Promise<boolean> {
  const { promise: tooLate, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, READY_TIMEOUT_MS, false);
  try {
    return await Promise.race([redis.ping().then(() => true), tooLate]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
