import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Connection, type Answer } from './connection.ts';

let server: Server;
let connection: Connection;
afterEach(() => {
  connection.close();
  server.close();
});

/** Sends one request to a server that answers with these pieces, one after the other. */
async function ask(pieces: readonly string[], end: (socket: Socket) => void = () => {}) {
  server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', async () => {
      for (const piece of pieces) {
        socket.write(piece);
        await new Promise(setImmediate);
      }
      end(socket);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  connection = new Connection(typeof address === 'object' && address !== null ? address.port : 0);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  let events = 0;
  const onEvents = (count: number): void => void (events += count);
  connection.send({ request: Buffer.from('x'), dueAt: performance.now(), onAnswer: resolve, onEvents });
  return { answer: await promise, events };
}

const STREAM = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';

it('reads a chunked answer however it is cut, and counts its events', async () => {
  const body = `${STREAM}9\r\ndata: a\n\n\r\n12\r\ndata: b\n\ndata: c\n\n\r\n0\r\n\r\n`;
  for (const pieces of [[body], body.split(''), [body.slice(0, 60), body.slice(60)]]) {
    const { answer, events } = await ask(pieces);
    expect(answer).toMatchObject({ status: 200, body: 'data: a\n\ndata: b\n\ndata: c\n\n' });
    expect(answer.firstByteMs).toBeGreaterThan(0);
    expect(events).toBe(3);
    connection.close();
    server.close();
  }
});

it('reads an answer with a length, and is idle again after it', async () => {
  const { answer } = await ask(['HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\n', 'no', 'pe']);
  expect(answer).toMatchObject({ status: 404, body: 'nope' });
  expect(connection.idle).toBe(true);
});

it('says status 0 of an answer that breaks off', async () => {
  const { answer } = await ask([`${STREAM}9\r\ndata: a\n\n\r\n`], (socket) => socket.destroy());
  expect(answer).toMatchObject({ status: 0, body: 'data: a\n\n' });
});
