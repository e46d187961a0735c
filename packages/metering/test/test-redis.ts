import { parseRedisUrl } from '@tokenhub/config';
import { startRedis, type LocalRedis } from '@tokenhub/local-redis';
import { createRedis, type RedisBehaviour } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';

/** A Redis for one test file, and clients of it. */
export interface TestRedis {
  readonly url: string;
  readonly kind: LocalRedis['kind'];
  connect(behaviour?: RedisBehaviour): Redis | Cluster;
  /** Disconnects all clients and ends the server. */
  stop(): Promise<void>;
}

export async function startTestRedis(start: () => Promise<LocalRedis> = startRedis): Promise<TestRedis> {
  const server = await start();
  const clients: (Redis | Cluster)[] = [];
  return {
    url: server.url,
    kind: server.kind,
    connect(behaviour = {}) {
      const client = createRedis(parseRedisUrl(server.url), behaviour);
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.disconnect();
      await server.stop();
    },
  };
}
