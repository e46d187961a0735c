import { Cluster } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { startRedisCluster } from './redis-cluster.ts';
import { findRedisServer } from './redis-server.ts';

const canRun = (await findRedisServer()) !== undefined;

describe.skipIf(!canRun)('a Redis Cluster of tests (skipped where no Redis is installed)', () => {
  test.each([1, 2])('of %i serves every key, each slot by one node only', async (primaries) => {
    const server = await startRedisCluster({ primaries });
    const addresses = server.url.replace('redis-cluster://', '').split(',');
    expect(addresses).toHaveLength(primaries);
    const client = new Cluster(addresses.map((address) => `redis://${address}`));
    try {
      await Promise.all(['a', 'b', 'c', 'd'].map((key) => client.set(key, key)));
      expect(await Promise.all(['a', 'b', 'c', 'd'].map((key) => client.get(key)))).toEqual(['a', 'b', 'c', 'd']);
      await expect(client.mget('a', 'b')).rejects.toThrow('CROSSSLOT');
      expect(client.nodes('master')).toHaveLength(primaries);
    } finally {
      client.disconnect();
      await Promise.all([server.stop(), server.stop()]);
    }
    await server.exited;
  });
});
