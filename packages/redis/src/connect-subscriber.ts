import { Cluster, type Redis } from 'ioredis';

/**
 * A further connection, made like the one given: one that hears a channel can do nothing else. It comes back by itself, however
 * long Redis is away, and must then subscribe again.
 */
export function connectSubscriber(redis: Redis | Cluster): Redis | Cluster {
  return redis instanceof Cluster
    ? redis.duplicate([], { lazyConnect: false })
    : redis.duplicate({ lazyConnect: false, autoResubscribe: false });
}
