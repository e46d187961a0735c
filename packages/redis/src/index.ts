export { connectRedis } from './connect-redis.ts';
export { connectSubscriber } from './connect-subscriber.ts';
export { createStoreProbe } from './probe-store.ts';
export { RedisTimeout, saysAway } from './says-away.ts';
export { answersWithin, withinMs } from './within-ms.ts';
