import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { startRedis } from '@tokenhub/local-redis';
import { Redis } from 'ioredis';

/** A Redis for one test file, and clients of it over a line that can fail. */
export interface TestRedis {
  /** A client with a line of its own, which never fails. */
  readonly client: Redis;
  /** A client as the gateway makes it, over the line that can fail. */
  connect(): Promise<Redis>;
  /** Ends all connections and refuses new ones. */
  cut(): void;
  /** Takes what is sent and brings nothing through. */
  stall(): void;
  /** Lets everything through again. */
  mend(): void;
  /** Disconnects all clients and ends the server. */
  stop(): Promise<void>;
}

export async function startTestRedis(options: { readonly embedded?: boolean } = {}): Promise<TestRedis> {
  const redis = await startRedis(options);
  const { protocol, pathname, port: redisPort } = new URL(redis.url);
  const client = protocol === 'unix:' ? new Redis({ path: pathname }) : new Redis(redis.url);
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
      const asTheGateway = { lazyConnect: true, enableAutoPipelining: true, enableOfflineQueue: false };
      // Quick to come back, so that tests are quick
      const retries = { maxRetriesPerRequest: 1, retryStrategy: () => 20 };
      const gatewayClient = new Redis({ host: '127.0.0.1', port, ...asTheGateway, ...retries });
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
