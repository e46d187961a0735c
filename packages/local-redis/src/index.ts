export { startRedis, type StartRedisOptions } from './start-redis.ts';
export type { LocalRedis } from './local-redis.ts';
export { spawnBound, type SpawnBoundOptions } from './spawn-bound.ts';
export { findRedisServer, type RedisServer } from './redis-server.ts';
export { startRedisCluster, type StartRedisClusterOptions } from './redis-cluster.ts';
export { SENTINEL_GROUP, startRedisSentinel } from './redis-sentinel.ts';
export { findFreePorts } from './free-ports.ts';
