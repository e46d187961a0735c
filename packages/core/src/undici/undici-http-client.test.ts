import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { HttpAnswer, HttpRequest } from '../providers/http-client.ts';
import { startBlackHole } from './__fixtures__/black-hole.ts';
import { startHttpServer, startTcpServer, type Script } from './__fixtures__/test-server.ts';
import { createUndiciHttpClient, type UndiciHttpClientOptions } from './undici-http-client.ts';

const WAIT = { timeout: 10_000 };

const MIB = 1024 * 1024;

function createClient(origin: string, options: Partial<UndiciHttpClientOptions> = {}) {
  const client = createUndiciHttpClient({ origin, allowPrivate: true, ...options });
  return {
    close: () => client.close(),
    post: (more: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
      client.post({
        url: new URL('/v1/x?y=1', origin),
        headers: { 'x-a': 'b' },
        body: '{}',
        signal: new AbortController().signal,
        headersTimeoutMs: 10_000,
        ...more,
      }),
  };
}

async function piecesOf({ body }: HttpAnswer): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of body) pieces.push(Buffer.from(piece).toString());
  return pieces;
}

/** A chunked answer's head and these pieces, each an HTTP chunk of its own. */
function chunked(...pieces: string[]): string {
  const chunks = pieces.map((piece) => `${Buffer.byteLength(piece).toString(16)}\r\n${piece}\r\n`);
  return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks.join('')}`;
}

test('posts a body with the given headers and gives status, headers and body', async () => {
  const echo: Script = (response, request) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      const { method, url, headers } = request;
      response.writeHead(418, { 'X-Kind': 'teapot' }).end(JSON.stringify({ method, url, a: headers['x-a'], body }));
    });
  };
  await using server = await startHttpServer(echo);
  const client = createClient(server.origin);
  const answer = await client.post({ body: '{"grüße":1}' });
  expect(answer.status).toBe(418);
  expect(answer.headers['x-kind']).toBe('teapot');
  expect(JSON.parse((await piecesOf(answer)).join(''))).toEqual({
    method: 'POST',
    url: '/v1/x?y=1',
    a: 'b',
    body: '{"grüße":1}',
  });
  await client.close();
});

test('of a repeated header the last value counts', async () => {
  await using server = await startTcpServer((socket) =>
    socket.end('HTTP/1.1 200 OK\r\nX-Id: 1\r\nx-id: 2\r\nX-Other: 3\r\nContent-Length: 0\r\n\r\n'),
  );
  const answer = await createClient(server.origin).post();
  expect(answer.headers).toMatchObject({ 'x-id': '2', 'x-other': '3' });
});

test('early hints are not yet the answer', async () => {
  await using server = await startTcpServer((socket) =>
    socket.write('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', () =>
      setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 50),
    ),
  );
  const answer = await createClient(server.origin).post();
  expect(answer.status).toBe(200);
  expect(await piecesOf(answer)).toEqual(['ok']);
});

test('a redirect is not followed', async () => {
  let asked = 0;
  await using server = await startHttpServer((response) => {
    asked++;
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect((await createClient(server.origin).post()).status).toBe(307);
  expect(asked).toBe(1);
});

describe('the body', () => {
  test('of many HTTP chunks in one read comes as one piece', async () => {
    const words = Array.from({ length: 100 }, (_, i) => `word ${i} `);
    let send: (() => void) | undefined;
    await using server = await startTcpServer((socket) => {
      socket.write(chunked('first '));
      send = () => socket.end(chunked(...words).replace(/^.*?\r\n\r\n/s, '') + '0\r\n\r\n');
    });
    const answer = await createClient(server.origin).post();
    const body = answer.body[Symbol.asyncIterator]();
    expect(Buffer.from((await body.next()).value ?? []).toString()).toBe('first ');
    const next = body.next();
    send?.();
    expect(Buffer.from((await next).value ?? []).toString()).toBe(words.join(''));
    expect(await body.next()).toEqual({ value: undefined, done: true });
  });

  test('is not taken from a provider faster than it is read', async () => {
    const { script, written } = createFlood(100 * MIB);
    await using server = await startHttpServer(script);
    const answer = await createClient(server.origin, { idleTimeoutMs: 500 }).post();
    // What was written stands still: in the sockets' buffers, which are the kernel's, and at most 128 KiB of ours.
    // It does so for longer than a provider may be silent, for it is not the provider's fault.
    let before = -1;
    while (before !== written()) {
      before = written();
      await wait(1_200);
    }
    expect(before).toBeLessThan(30 * MIB);
    let read = 0;
    for await (const piece of answer.body) {
      expect(piece.length).toBeLessThan(MIB);
      read += piece.length;
    }
    expect(read).toBe(100 * MIB);
  });
});

describe('a connection', () => {
  test('is used again after an answer was read', async () => {
    await using server = await startHttpServer((response) => response.end('x'));
    const client = createClient(server.origin, { maxConnections: 1 });
    for (let i = 0; i < 3; i++) expect(await piecesOf(await client.post())).toEqual(['x']);
    expect(server.sockets).toHaveLength(1);
  });

  test('is used again when the rest of an answer is discarded and soon over', async () => {
    const end: (() => void)[] = [];
    await using server = await startHttpServer((response) => {
      response.write('some');
      end.push(() => response.end('more'));
    });
    const client = createClient(server.origin, { maxConnections: 1 });
    const answer = await client.post();
    answer.discard();
    end[0]?.();
    await client.post();
    expect(server.sockets).toHaveLength(1);
  });

  test('is used again when a reader breaks off near the end', async () => {
    await using server = await startTcpServer((socket) => {
      socket.on('data', () => socket.write(chunked('a') + '0\r\n\r\n'));
      socket.write(chunked('a') + '0\r\n\r\n');
    });
    const client = createClient(server.origin, { maxConnections: 1 });
    for await (const piece of (await client.post()).body) {
      expect(piece).toHaveLength(1);
      break;
    }
    await client.post();
    expect(server.sockets).toHaveLength(1);
  });

  test('is closed when the discarded rest is long', async () => {
    const { script, written } = createFlood(Infinity);
    await using server = await startHttpServer(script);
    (await createClient(server.origin).post()).discard();
    await vi.waitFor(() => expect(server.sockets[0]?.closed).toBe(true), WAIT);
    // Sockets' buffers again; a second's worth of loopback would be hundreds.
    expect(written()).toBeLessThan(30 * MIB);
  });

  test('is closed when the discarded rest does not come', async () => {
    await using server = await startHttpServer((response) => response.write('x'));
    (await createClient(server.origin).post()).discard();
    await vi.waitFor(() => expect(server.sockets[0]?.closed).toBe(true), WAIT);
  });

  test('on which a provider speaks unasked is not used again', async () => {
    await using server = await startTcpServer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
      setTimeout(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'), 20);
    });
    const client = createClient(server.origin);
    expect(await piecesOf(await client.post())).toEqual(['good']);
    await vi.waitFor(() => expect(server.sockets[0]?.closed).toBe(true), WAIT);
    expect(await piecesOf(await client.post())).toEqual(['good']);
    expect(server.sockets).toHaveLength(2);
  });
});

describe('an aborted signal', () => {
  const LEFT = new Error('left');

  test('sends nothing at all', async () => {
    await using server = await startHttpServer((response) => response.end());
    await expect(createClient(server.origin).post({ signal: AbortSignal.abort(LEFT) })).rejects.toBe(LEFT);
    expect(server.sockets).toHaveLength(0);
  });

  test('ends the wait for a connection, and the request is never sent', async () => {
    let asked = 0;
    let finish: (() => void) | undefined;
    await using server = await startHttpServer((response) => {
      asked++;
      finish = () => response.end();
    });
    const client = createClient(server.origin, { maxConnections: 1 });
    const first = client.post();
    await vi.waitFor(() => expect(asked).toBe(1), WAIT);
    const cancel = new AbortController();
    const second = client.post({ signal: cancel.signal });
    cancel.abort(LEFT);
    await expect(second).rejects.toBe(LEFT);
    finish?.();
    await piecesOf(await first);
    await client.close();
    expect(asked).toBe(1);
  });

  test('ends the wait for headers and closes the connection', async () => {
    let asked = 0;
    await using server = await startHttpServer(() => asked++);
    const cancel = new AbortController();
    const answer = createClient(server.origin).post({ signal: cancel.signal });
    await vi.waitFor(() => expect(asked).toBe(1), WAIT);
    cancel.abort(LEFT);
    await expect(answer).rejects.toBe(LEFT);
    await vi.waitFor(() => expect(server.sockets[0]?.closed).toBe(true), WAIT);
  });

  test('closes the connection in the same turn, and the reader gets its reason', async () => {
    await using server = await startHttpServer((response) => response.write('x'));
    const cancel = new AbortController();
    const { body } = await createClient(server.origin).post({ signal: cancel.signal });
    const reader = body[Symbol.asyncIterator]();
    await reader.next();
    const destroy = vi.spyOn(Socket.prototype, 'destroy');
    cancel.abort(LEFT);
    expect(destroy).toHaveBeenCalledTimes(1);
    destroy.mockRestore();
    await expect(reader.next()).rejects.toBe(LEFT);
    await vi.waitFor(() => expect(server.sockets[0]?.closed).toBe(true), WAIT);
  });

  test('whose reason is no error is wrapped in one', async () => {
    await using server = await startHttpServer(() => {});
    const error = createClient(server.origin).post({ signal: AbortSignal.abort('why') });
    await expect(error).rejects.toMatchObject({ message: 'aborted', cause: 'why' });
  });

  test('has nobody listening once the answer is over', async () => {
    await using server = await startHttpServer((response) => response.end('x'));
    const { signal } = new AbortController();
    const remove = vi.spyOn(signal, 'removeEventListener');
    const add = vi.spyOn(signal, 'addEventListener');
    await piecesOf(await createClient(server.origin).post({ signal }));
    expect(add).toHaveBeenCalledTimes(1);
    expect(remove).toHaveBeenCalledTimes(1);
    expect(remove.mock.calls[0]?.[1]).toBe(add.mock.calls[0]?.[1]);
  });
});

test('abort closes the connection and gives its reason to the reader', async () => {
  await using server = await startHttpServer((response) => response.write('x'));
  const answer = await createClient(server.origin).post();
  const reason = new Error('enough');
  const reading = piecesOf(answer);
  answer.abort(reason);
  await expect(reading).rejects.toBe(reason);
  await vi.waitFor(() => expect(server.sockets[0]?.closed).toBe(true), WAIT);
});

describe('before the headers', () => {
  test.each<[string, string, (socket: Socket) => void]>([
    ['a connection that ends', 'upstream_unavailable', (socket) => socket.end()],
    ['a reset', 'upstream_unavailable', (socket) => socket.resetAndDestroy()],
    ['half a head', 'upstream_unavailable', (socket) => socket.end('HTTP/1.1 200 OK\r\nX')],
    ['no HTTP', 'upstream_protocol', (socket) => socket.end('SSH-2.0-OpenSSH\r\n')],
    ['a wrong status line', 'upstream_protocol', (socket) => socket.end('HTTP/1.1 abc\r\n\r\n')],
    ['10,000 headers', 'upstream_protocol', (socket) => socket.end('HTTP/1.1 200 OK\r\n' + 'a: b\r\n'.repeat(10_000))],
  ])('%s is %s', async (_title, code, speak) => {
    await using server = await startTcpServer(speak);
    await expect(createClient(server.origin).post()).rejects.toMatchObject({ code, cause: expect.any(Error) });
  });

  test('a port where nobody listens is unavailable', async () => {
    const server = await startHttpServer(() => {});
    await server[Symbol.asyncDispose]();
    await expect(createClient(server.origin).post()).rejects.toMatchObject({ code: 'upstream_unavailable' });
  });

  test('a name that leads to a private address is unavailable', async () => {
    await using server = await startHttpServer((response) => response.end());
    const origin = server.origin.replace('127.0.0.1', 'localhost');
    const answer = createClient(origin, { allowPrivate: false }).post();
    await expect(answer).rejects.toMatchObject({ code: 'upstream_unavailable' });
    expect(server.sockets).toHaveLength(0);
  });

  test('no timer outlives the failure', async () => {
    await using server = await startTcpServer((socket) => socket.end());
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    await expect(createClient(server.origin).post({ headersTimeoutMs: 60_000 })).rejects.toThrow();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test('silence is a timeout, and the connection is closed', async () => {
    await using server = await startHttpServer(() => {});
    const answer = createClient(server.origin).post({ headersTimeoutMs: 100 });
    await expect(answer).rejects.toMatchObject({ code: 'upstream_timeout' });
    await vi.waitFor(() => expect(server.sockets[0]?.closed).toBe(true), WAIT);
  });

  test('a connection that is neither taken nor refused is a timeout', async () => {
    await using hole = await startBlackHole();
    const answer = createClient(hole.origin, { connectTimeoutMs: 300 }).post();
    await expect(answer).rejects.toMatchObject({
      code: 'upstream_timeout',
      message: 'The provider could not be connected to in time.',
    });
  });

  test('the wait for a connection counts as well', async () => {
    await using hole = await startBlackHole();
    const answer = createClient(hole.origin, { connectTimeoutMs: 15_000 }).post({ headersTimeoutMs: 200 });
    await expect(answer).rejects.toMatchObject({ code: 'upstream_timeout' });

    await using server = await startHttpServer((response) => response.write('x'));
    const client = createClient(server.origin, { maxConnections: 1 });
    await client.post();
    await expect(client.post({ headersTimeoutMs: 200 })).rejects.toMatchObject({ code: 'upstream_timeout' });
  });

  test('when all connections are in use, that is said as soon as a new one would have been made', async () => {
    await using server = await startHttpServer((response) => response.write('x'));
    const client = createClient(server.origin, { maxConnections: 1, connectTimeoutMs: 100 });
    await client.post();
    await expect(client.post({ headersTimeoutMs: 60_000 })).rejects.toMatchObject({ code: 'upstream_busy' });
  });

  test('a connection that is there leaves all of its time to the headers', async () => {
    await using server = await startHttpServer((response) => setTimeout(() => response.end('x'), 1_500));
    const client = createClient(server.origin, { connectTimeoutMs: 100 });
    expect(await piecesOf(await client.post({ headersTimeoutMs: 60_000 }))).toEqual(['x']);
    await expect(client.post({ headersTimeoutMs: 1_200 })).rejects.toMatchObject({ code: 'upstream_timeout' });
  });
});

describe('within the body', () => {
  const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  test.each<[string, string, (socket: Socket) => void]>([
    ['an end before its time', 'upstream_disconnected', (socket) => socket.end(chunked('ok'))],
    ['a reset', 'upstream_disconnected', (socket) => socket.write(chunked('ok'), () => socket.resetAndDestroy())],
    [
      'less than was promised',
      'upstream_disconnected',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nok'),
    ],
    ['a chunk of nonsense', 'upstream_protocol', (socket) => socket.end(`${head}2\r\nok\r\nnonsense\r\n`)],
    ['silence', 'upstream_timeout', (socket) => socket.write(chunked('ok'))],
  ])('%s is %s', async (_title, code, speak) => {
    await using server = await startTcpServer(speak);
    const answer = await createClient(server.origin, { idleTimeoutMs: 300 }).post();
    await expect(piecesOf(answer)).rejects.toMatchObject({ code, cause: expect.any(Error) });
  });

  test('what came before the error is read first', async () => {
    await using server = await startTcpServer((socket) => socket.end(chunked('ok')));
    const { body } = await createClient(server.origin).post();
    await wait(100);
    const reader = body[Symbol.asyncIterator]();
    expect(Buffer.from((await reader.next()).value ?? []).toString()).toBe('ok');
    await expect(reader.next()).rejects.toMatchObject({ code: 'upstream_disconnected' });
  });
});

test.each(['http://127.0.0.1', 'http://[::1]', 'http://2130706433', 'http://[::ffff:10.0.0.1]'])(
  'the address %s is refused unless private ones are allowed',
  (origin) => {
    expect(() => createUndiciHttpClient({ origin })).toThrow(TypeError);
    expect(() => createUndiciHttpClient({ origin, allowPrivate: true })).not.toThrow();
  },
);

test('a metadata address is refused in any case', () => {
  expect(() => createUndiciHttpClient({ origin: 'http://169.254.169.254', allowPrivate: true })).toThrow(TypeError);
});

/** A provider that sends so many bytes, as fast as they are taken. */
function createFlood(bytes: number): { script: Script; written: () => number } {
  const block = Buffer.alloc(MIB);
  let written = 0;
  return {
    written: () => written,
    script: (response) => {
      const write = (): void => {
        while (written < bytes) {
          written += MIB;
          if (!response.write(block)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    },
  };
}
