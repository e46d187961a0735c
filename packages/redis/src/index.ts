export { connectRedis } from './connect-redis.ts';
export { connectSubscriber } from './connect-subscriber.ts';
export { answersWithin, withinMs } from './within-ms.ts';
