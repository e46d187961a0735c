import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { parseRedisUrl } from '@tokenhub/config';
import { startRedis, type LocalRedis } from '@tokenhub/local-redis';
import { createRedis } from '@tokenhub/redis';
import { Cluster, Redis } from 'ioredis';

/** A Redis for one test file, and clients of it over a line that can fail. */
export interface TestRedis {
  /** A client with a line of its own, which never fails. */
  readonly client: Redis | Cluster;
  /** A client as the gateway makes it, over the line that can fail. */
  connect(): Promise<Redis | Cluster>;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  /** Takes what is sent and brings nothing through. */
  stall(): void;
  /** Lets everything through again. */
  mend(): void;
  /** Disconnects all clients and ends the server. */
  stop(): Promise<void>;
}

export async function startTestRedis(start: () => Promise<LocalRedis> = startRedis): Promise<TestRedis> {
  const redis = await start();
  const { protocol, pathname, port: redisPort } = new URL(redis.url);
  const client = createRedis(parseRedisUrl(redis.url));
  const clients = [client];
  const lines = new Set<Socket>();
  let stalled = false;

  const relay = createServer((downstream) => {
    const upstream = protocol === 'unix:' ? connect(pathname) : connect(Number(redisPort), '127.0.0.1');
    for (const [socket, other] of [
      [downstream, upstream],
      [upstream, downstream],
    ] as const) {
      lines.add(socket);
      socket.on('error', () => {}).on('close', () => (lines.delete(socket), other.destroy()));
      socket.on('data', (bytes) => other.write(bytes));
      if (stalled) socket.pause();
    }
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const address = relay.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  const { port } = address;

  return {
    client,
    async connect() {
      const asTheGateway = { lazyConnect: true, enableOfflineQueue: false };
      // Quick to come back, so that tests are quick
      const backSoon = (): number => 20;
      const gatewayClient =
        protocol === 'redis-cluster:'
          ? new Cluster([{ host: '127.0.0.1', port }], {
              ...asTheGateway,
              clusterRetryStrategy: backSoon,
              natMap: { [`127.0.0.1:${redisPort}`]: { host: '127.0.0.1', port } },
            })
          : new Redis({
              ...asTheGateway,
              host: '127.0.0.1',
              port,
              enableAutoPipelining: true,
              maxRetriesPerRequest: 1,
              retryStrategy: backSoon,
            });
      gatewayClient.on('error', () => {});
      clients.push(gatewayClient);
      await gatewayClient.connect();
      return gatewayClient;
    },
    cut() {
      relay.close();
      for (const socket of lines) socket.destroy();
    },
    stall() {
      stalled = true;
      for (const socket of lines) socket.pause();
    },
    mend() {
      stalled = false;
      for (const socket of lines) socket.resume();
      if (!relay.listening) relay.listen(port, '127.0.0.1');
    },
    async stop() {
      for (const each of clients) each.disconnect();
      relay.close();
      for (const socket of lines) socket.destroy();
      await redis.stop();
    },
  };
}
