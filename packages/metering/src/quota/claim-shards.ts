import type { Cluster, Redis } from 'ioredis';

const KEY = 'gw:shards';

/**
 * Makes sure that all processes which use a store spread organisations over the same number of shards: the first one decides.
 * @throws Error when it was another number, since counters and reservations would then be looked for where they are not.
 */
export async function claimShards(redis: Redis | Cluster, shards: number): Promise<void> {
  await redis.setnx(KEY, shards);
  const claimed = await redis.get(KEY);
  if (claimed !== String(shards)) throw new Error(`must be ${claimed}, as it was when the store was first used`);
}
