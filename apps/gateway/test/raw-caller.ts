import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A caller on a socket of its own, which can do what no HTTP library would: leave at any byte, stop reading, ask twice at once. */
export interface RawCaller {
  readonly socket: Socket;
  /** All that has come so far, head and chunk sizes included. */
  readonly text: string;
  readonly ended: boolean;
  /** Resolves when the pattern has come; rejects when the connection ends before. */
  until(pattern: RegExp): Promise<void>;
  send(text: string): void;
  /** Ends the connection without a word. */
  leave(): void;
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>;
}

export async function connectRawCaller(url: string, { reads = true } = {}): Promise<RawCaller> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  socket.on('error', () => socket.destroy());
  let text = '';
  let wake: (() => void)[] = [];
  const onNews = (): void => {
    const waiting = wake;
    wake = [];
    for (const go of waiting) go();
  };
  if (reads) {
    socket.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
      onNews();
    });
  } else socket.pause();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  void closed.then(onNews);
  await once(socket, 'connect');
  return {
    socket,
    get text() {
      return text;
    },
    get ended() {
      return socket.readableEnded || socket.destroyed;
    },
    async until(pattern) {
      while (!pattern.test(text)) {
        if (socket.destroyed) throw new Error(`the connection ended before ${String(pattern)} came:\n${text}`);
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
    send: (request) => void socket.write(request),
    leave: () => void socket.destroy(),
    closed,
  };
}

export interface RawRequest {
  readonly path?: string;
  readonly key: string;
  readonly body: unknown;
  /** Comes back as the `clientRequestId` of the cost event. */
  readonly id?: string;
}

export function writeRawRequest({ path = '/v1/chat/completions', key, body, id }: RawRequest): string {
  const text = JSON.stringify(body);
  const head = [
    `POST ${path} HTTP/1.1`,
    'host: gateway',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    ...(id === undefined ? [] : [`x-request-id: ${id}`]),
    `content-length: ${Buffer.byteLength(text)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}
