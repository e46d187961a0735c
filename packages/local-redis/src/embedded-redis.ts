import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import {
  attachSession,
  createRedisCommandExecutor,
  RedisServerState,
  resolveCompatibilityProfile,
  SocketConnectionTransport,
} from 'js-redis-server/core';
import type { LocalRedis } from './local-redis.ts';

const VERSION = '7.2';

/**
 * Starts a Redis substitute inside this process: the commands and Lua scripts of Redis, no persistence, a fraction of the speed.
 * Put together from the library's parts because its own server listens on every network interface.
 */
export async function startEmbeddedRedis(): Promise<LocalRedis> {
  const compatibility = resolveCompatibilityProfile(`redis-${VERSION}`);
  const state = new RedisServerState({ databaseCount: 16, compatibility });
  const executor = createRedisCommandExecutor({ compatibility });

  const sockets = new Set<Socket>();
  const server = createServer({ keepAlive: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    const { session } = attachSession(new SocketConnectionTransport(socket), { state, executor });
    // By itself the library waits on for a client that has gone until its blocked command times out, and the process lives as long.
    const onClose = (): void => {
      sockets.delete(socket);
      session.close();
    };
    socket.on('close', onClose).on('error', () => socket.destroy());
  });
  server.listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');

  const exited = once(server, 'close').then(() => state.close());
  const stop = async (): Promise<void> => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await exited;
  };
  return { kind: 'embedded', version: VERSION, url: `redis://127.0.0.1:${address.port}`, exited, stop };
}
