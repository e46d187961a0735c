import { Cluster, type Redis } from 'ioredis';

/**
 * A further connection, made like the one given: one that hears a channel can do nothing else. It comes back by itself, however
 * long Redis is away, and must then subscribe again. Only in a cluster that lost the one node it was connected to, it subscribes at
 * another by itself, and what was said meanwhile goes unheard without a sign.
 */
export function connectSubscriber(redis: Redis | Cluster): Redis | Cluster {
  return redis instanceof Cluster
    ? redis.duplicate([], { lazyConnect: false })
    : redis.duplicate({ lazyConnect: false, autoResubscribe: false });
}
