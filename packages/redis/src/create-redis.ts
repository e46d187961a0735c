import type { RedisClusterOptions, RedisConnection } from '@tokenhub/config';
import { Cluster, Redis, type RedisOptions } from 'ioredis';

/** How a client behaves, whatever it is a client of; as ioredis names it. */
export type RedisBehaviour = Pick<
  RedisOptions,
  'lazyConnect' | 'enableAutoPipelining' | 'enableOfflineQueue' | 'maxRetriesPerRequest' | 'connectTimeout'
>;

/** A client of what a `REDIS_URL` names, the only place that makes one. Whoever asks for it closes it. */
export function createRedis(connection: RedisConnection, behaviour: RedisBehaviour = {}): Redis | Cluster {
  if ('nodes' in connection) return createCluster(connection, behaviour);
  if (!('sentinels' in connection)) return new Redis({ ...connection, ...behaviour });
  const { sentinels, tls, ...rest } = connection;
  return new Redis({
    ...rest,
    sentinels: [...sentinels],
    ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
    ...behaviour,
  });
}

function createCluster(
  { nodes, ...ofNode }: RedisClusterOptions,
  { lazyConnect, enableOfflineQueue, ...ofConnection }: RedisBehaviour,
): Cluster {
  return new Cluster([...nodes], {
    ...(lazyConnect !== undefined && { lazyConnect }),
    // No pipelines: when slots move, one of which only some commands are redirected fails, instead of following
    enableAutoPipelining: false,
    ...(enableOfflineQueue !== undefined && { enableOfflineQueue }),
    // A certificate names hosts: they must not become addresses before it is looked at
    ...(ofNode.tls && { dnsLookup: (address, resolve) => resolve(null, address) }),
    redisOptions: { ...ofNode, ...ofConnection, enableAutoPipelining: false },
  });
}
