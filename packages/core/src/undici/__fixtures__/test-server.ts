import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';

/** A server on loopback for one test. */
export interface TestServer extends AsyncDisposable {
  readonly origin: string;
  /** Every connection that was ever made to it. */
  readonly sockets: readonly Socket[];
}

/** How a provider behaves when it is asked. */
export type Script = (response: ServerResponse, request: IncomingMessage) => void;

/** An HTTP server. */
export function startHttpServer(script: Script): Promise<TestServer> {
  return listen(createHttpServer((request, response) => script(response, request)));
}

/** A TCP server that says what it likes: `speak` is called once a connection has sent something. */
export function startTcpServer(speak: (socket: Socket) => void): Promise<TestServer> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => {}); // Resets are part of what is tested.
      socket.once('data', () => speak(socket));
    }),
  );
}

async function listen(server: Server): Promise<TestServer> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => sockets.push(socket));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    sockets,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((close) => server.close(close));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
