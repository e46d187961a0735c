import { startRedis, type LocalRedis } from '@tokenhub/local-redis';
import { Redis } from 'ioredis';

/** A Redis for one test file, and clients of it. */
export interface TestRedis {
  readonly url: string;
  readonly kind: LocalRedis['kind'];
  connect(options?: { readonly enableAutoPipelining?: boolean }): Redis;
  /** Disconnects all clients and ends the server. */
  stop(): Promise<void>;
}

export async function startTestRedis(options: { readonly embedded?: boolean } = {}): Promise<TestRedis> {
  const server = await startRedis(options);
  const clients: Redis[] = [];
  return {
    url: server.url,
    kind: server.kind,
    connect(clientOptions = {}) {
      const { url } = server;
      const client = url.startsWith('unix://')
        ? new Redis({ ...clientOptions, path: url.slice('unix://'.length) })
        : new Redis(url, clientOptions);
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.disconnect();
      await server.stop();
    },
  };
}
