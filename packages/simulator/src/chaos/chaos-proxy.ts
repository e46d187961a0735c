import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { ChaosConnection } from './chaos-connection.ts';
import type { ChaosRules } from './chaos-rules.ts';

export interface ChaosProxyOptions {
  /** Where connections go: a TCP port (host `127.0.0.1` if absent), or a unix socket, which takes a close for a reset. */
  readonly target: { readonly host?: string; readonly port: number } | { readonly path: string };
  /** What holds from the start. @defaultValue all passes untouched */
  readonly rules?: ChaosRules;
}

export interface ChaosProxy {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  /** Clients that are connected and have not ended their side. An end behind bytes that a rule holds back is not seen. */
  readonly connections: number;
  /** Connections to the target that the target has not ended, those being made included. */
  readonly targetConnections: number;
  /** Bytes that came from clients, passed on or not. */
  readonly bytesUp: number;
  /** Bytes that came from the target, passed on or not. */
  readonly bytesDown: number;
  /** Replaces all rules, for running connections too; `{}` heals. Counts of bytes begin anew. */
  set(rules: ChaosRules): void;
  /** Cuts every connection and frees the port; nothing is left running. */
  close(): Promise<void>;
}

/** Starts a TCP proxy on a free loopback port that treats its connections as badly as it is told to, and differently at any time. */
export async function startChaosProxy({ target, rules: firstRules = {} }: ChaosProxyOptions): Promise<ChaosProxy> {
  let rules = firstRules;
  const connections = new Set<ChaosConnection>();
  const clients = new Set<Socket>();
  const targets = new Set<Socket>();
  const bytes = { up: 0, down: 0 };

  const server = createServer({ allowHalfOpen: true, noDelay: true });
  server.on('connection', (client) => {
    track(client, clients);
    if (rules.refuse === true) {
      client.resetAndDestroy();
      return;
    }
    if (rules.blackHole === true) {
      client.on('data', (chunk: Buffer) => (bytes.up += chunk.length));
      client.on('end', () => client.destroy());
      return;
    }
    const upstream = connect({ host: '127.0.0.1', ...target, allowHalfOpen: true, noDelay: true });
    track(upstream, targets);
    const connection = new ChaosConnection({
      client,
      target: upstream,
      rules,
      onBytes: (lane, count) => (bytes[lane] += count),
    });
    connections.add(connection);
    void Promise.all([closed(client), closed(upstream)]).then(() => connections.delete(connection));
  });

  server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 });
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get connections() {
      return countLive(clients);
    },
    get targetConnections() {
      return countLive(targets);
    },
    get bytesUp() {
      return bytes.up;
    },
    get bytesDown() {
      return bytes.down;
    },
    set(newRules) {
      rules = newRules;
      for (const connection of connections) connection.rules = rules;
    },
    async close() {
      const sockets = [...clients, ...targets];
      const allClosed = [closed(server), ...sockets.map(closed)];
      server.close();
      for (const connection of connections) connection.destroy();
      for (const socket of sockets) socket.destroy();
      await Promise.all(allClosed);
    },
  };
}

/** Keeps the socket in the set for as long as it is open. What goes wrong with it shows in its `close`. */
function track(socket: Socket, sockets: Set<Socket>): void {
  sockets.add(socket);
  socket.on('error', () => {});
  socket.on('close', () => sockets.delete(socket));
}

function closed(emitter: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once('close', () => resolve()));
}

function countLive(sockets: ReadonlySet<Socket>): number {
  let count = 0;
  for (const socket of sockets) if (!socket.readableEnded) count++;
  return count;
}
