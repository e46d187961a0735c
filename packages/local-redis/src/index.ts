export { startRedis, type StartRedisOptions } from './start-redis.ts';
export type { LocalRedis } from './local-redis.ts';
export { spawnBound, type SpawnBoundOptions } from './spawn-bound.ts';
