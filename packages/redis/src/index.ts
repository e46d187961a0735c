export { connectRedis } from './connect-redis.ts';
export { connectSubscriber } from './connect-subscriber.ts';
export { createRedis, type RedisBehaviour } from './create-redis.ts';
export { createStoreProbe } from './probe-store.ts';
export { RedisTimeout, saysAway } from './says-away.ts';
export { answersWithin, withinMs } from './within-ms.ts';
