import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rawRequest } from '../../test/raw-request.ts';
import { startSimulator } from '../start-simulator.ts';
import { startChaosProxy, type ChaosProxy } from './chaos-proxy.ts';
import type { ChaosRules } from './chaos-rules.ts';

const QUIET_MS = 100;
const MEBIBYTE = 1024 * 1024;

/** One end of a connection with all that has happened to it. */
interface End {
  readonly socket: Socket;
  readonly received: Buffer[];
  /** What ended it, as far as this end was told. */
  how: 'open' | 'fin' | 'reset';
}

const ends: End[] = [];
let server: Server;
let proxy: ChaosProxy;
/** The targets' ends, in the order of their connections. */
let targets: End[];

beforeEach(async () => {
  targets = [];
  server = createServer({ allowHalfOpen: true }, (socket) => targets.push(observe(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await startChaosProxy({ target: { port: (server.address() as AddressInfo).port } });
});
afterEach(async () => {
  await proxy.close();
  for (const { socket } of ends.splice(0)) socket.destroy();
  server.close();
});

function eventually<Value>(read: () => Value) {
  return expect.poll(read, { timeout: 10_000, interval: 5 });
}

function observe(socket: Socket): End {
  const end: End = { socket, received: [], how: 'open' };
  ends.push(end);
  socket.on('data', (chunk: Buffer) => end.received.push(chunk));
  socket.on('end', () => (end.how = 'fin'));
  socket.on('error', () => (end.how = 'reset'));
  return end;
}

function connectClient(port = proxy.port): End {
  return observe(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
}

/** A client and its target, connected through the proxy. */
async function connectPair(rules: ChaosRules = {}): Promise<{ client: End; target: End }> {
  proxy.set(rules);
  const client = connectClient();
  await eventually(() => targets.length).toBeGreaterThan(0);
  const target = targets.pop();
  if (target === undefined) throw new Error('No connection has come through.');
  return { client, target };
}

function textOf({ received }: End): string {
  return Buffer.concat(received).toString('latin1');
}

function lengthOf({ received }: End): number {
  return received.reduce((sum, chunk) => sum + chunk.length, 0);
}

/** Resolves as soon as the end has received so much. */
async function receives(end: End, length: number): Promise<void> {
  while (lengthOf(end) < length) await once(end.socket, 'data');
}

describe('without rules', () => {
  it('passes everything in both directions, ends included', async () => {
    const { client, target } = await connectPair();
    const [up, down] = [randomBytes(5 * MEBIBYTE), randomBytes(5 * MEBIBYTE)];
    client.socket.end(up);
    target.socket.end(down);
    await eventually(() => [client.how, target.how]).toEqual(['fin', 'fin']);
    expect(Buffer.concat(target.received).equals(up)).toBe(true);
    expect(Buffer.concat(client.received).equals(down)).toBe(true);
    expect([proxy.bytesUp, proxy.bytesDown]).toEqual([up.length, down.length]);
    await eventually(() => [proxy.connections, proxy.targetConnections]).toEqual([0, 0]);
  });

  it('lets one side end while the other still speaks', async () => {
    const { client, target } = await connectPair();
    client.socket.end('question');
    await eventually(() => target.how).toBe('fin');
    target.socket.end('answer');
    await eventually(() => client.how).toBe('fin');
    expect([textOf(target), textOf(client)]).toEqual(['question', 'answer']);
  });

  it('passes a reset on although the other side does not read', async () => {
    const { client, target } = await connectPair();
    client.socket.pause();
    target.socket.write(Buffer.alloc(64 * MEBIBYTE));
    await eventually(() => proxy.bytesDown).toBeGreaterThan(MEBIBYTE);
    client.socket.resetAndDestroy();
    await eventually(() => target.how).toBe('reset');
    await eventually(() => proxy.targetConnections).toBe(0);
  });

  it.each(['client', 'target'] as const)('passes a reset of the %s on, after the bytes before it', async (name) => {
    const pair = await connectPair();
    const other = name === 'client' ? pair.target : pair.client;
    pair[name].socket.write('last words', () => pair[name].socket.resetAndDestroy());
    await eventually(() => other.how).toBe('reset');
    expect(textOf(other)).toBe('last words');
  });

  it('resets the client when the target cannot be reached', async () => {
    server.close();
    await once(server, 'close');
    const client = connectClient();
    await eventually(() => client.how).toBe('reset');
  });

  it('does not read faster than the other side does', async () => {
    const { client, target } = await connectPair();
    client.socket.pause();
    const size = 64 * MEBIBYTE;
    target.socket.write(Buffer.alloc(size));
    await eventually(() => proxy.bytesDown).toBeGreaterThan(0);
    await setTimeout(QUIET_MS);
    expect(proxy.bytesDown).toBeLessThan(size / 2);
    client.socket.resume();
    await receives(client, size);
  });

  it('takes a unix socket for a target', async () => {
    const path = join(tmpdir(), `chaos-${process.pid}.sock`);
    const local = createServer((socket) => observe(socket).socket.end('local')).listen(path);
    await once(local, 'listening');
    const toLocal = await startChaosProxy({ target: { path } });
    const client = connectClient(toLocal.port);
    await eventually(() => client.how).toBe('fin');
    expect(textOf(client)).toBe('local');
    await toLocal.close();
    local.close();
  });
});

describe('latencyMs', () => {
  it('delays its own direction, bytes and end, and leaves the other alone', async () => {
    const { client, target } = await connectPair({ down: { latencyMs: 1_000_000 } });
    const startedAtMs = performance.now();
    target.socket.end('late');
    client.socket.write('at once');
    await receives(target, 7);
    expect(client.received).toEqual([]);
    // What is under way has been since it came.
    proxy.set({ down: { latencyMs: 200 } });
    await receives(client, 4);
    expect(performance.now() - startedAtMs).toBeGreaterThan(195);
    await eventually(() => client.how).toBe('fin');
  });

  it('holds for bytes that are under way no longer than the rule does', async () => {
    const { client, target } = await connectPair({ down: { latencyMs: 1_000_000 } });
    target.socket.write('late');
    await eventually(() => proxy.bytesDown).toBe(4);
    proxy.set({});
    await receives(client, 4);
  });
});

describe('bytesPerSecond', () => {
  it('passes bytes evenly, in order, at that rate', async () => {
    const { client, target } = await connectPair({ down: { bytesPerSecond: 2_000 } });
    const bytes = randomBytes(2_000);
    const startedAtMs = performance.now();
    target.socket.write(bytes);
    await receives(client, bytes.length);
    expect(performance.now() - startedAtMs).toBeGreaterThan(980);
    expect(client.received.length).toBeGreaterThan(3);
    expect(Buffer.concat(client.received).equals(bytes)).toBe(true);
  });

  it('stops reading the source, and catches up when healed', async () => {
    const { client, target } = await connectPair({ up: { bytesPerSecond: 1_000 } });
    const size = 64 * MEBIBYTE;
    client.socket.write(Buffer.alloc(size));
    await eventually(() => proxy.bytesUp).toBeGreaterThan(0);
    await setTimeout(QUIET_MS);
    expect(proxy.bytesUp).toBeLessThan(MEBIBYTE);
    proxy.set({});
    await receives(target, size);
  });

  it('0: nothing passes and nothing is lost', async () => {
    const { client, target } = await connectPair({ down: { bytesPerSecond: 0 } });
    target.socket.end('held');
    await setTimeout(QUIET_MS);
    expect([textOf(client), client.how]).toEqual(['', 'open']);
    proxy.set({});
    await eventually(() => client.how).toBe('fin');
    expect(textOf(client)).toBe('held');
  });
});

describe('resetAfterBytes', () => {
  it('resets both sides after so many bytes, and those arrive', async () => {
    const { client, target } = await connectPair({ down: { resetAfterBytes: 5 } });
    client.socket.write('any number of bytes up');
    target.socket.write('123');
    await receives(client, 3);
    target.socket.write('456789');
    await eventually(() => [client.how, target.how]).toEqual(['reset', 'reset']);
    expect(textOf(client)).toBe('12345');
    expect(proxy.connections).toBe(0);
  });

  it('counts from when it is set: 0 cuts what runs', async () => {
    const { client, target } = await connectPair();
    target.socket.write('123456789');
    await receives(client, 9);
    proxy.set({ up: { resetAfterBytes: 0 } });
    await eventually(() => [client.how, target.how]).toEqual(['reset', 'reset']);
    const late = connectClient();
    await eventually(() => late.how).toBe('reset');
  });
});

describe('refuse', () => {
  it('resets new connections and lets others go on', async () => {
    const { client, target } = await connectPair();
    proxy.set({ refuse: true });
    const refused = connectClient();
    await eventually(() => refused.how).toBe('reset');
    client.socket.write('still here');
    await receives(target, 10);
  });
});

describe('blackHole', () => {
  it('takes new connections and what they say, and never connects them', async () => {
    proxy.set({ blackHole: true });
    const client = connectClient();
    client.socket.write('hello?');
    await eventually(() => proxy.bytesUp).toBe(6);
    proxy.set({});
    await setTimeout(QUIET_MS);
    expect([targets.length, client.how, proxy.connections]).toEqual([0, 'open', 1]);
    client.socket.destroy();
    await eventually(() => proxy.connections).toBe(0);
  });

  it('silences running connections until it is lifted', async () => {
    const { client, target } = await connectPair();
    proxy.set({ blackHole: true });
    client.socket.write('lost');
    target.socket.write('lost too');
    await eventually(() => [proxy.bytesUp, proxy.bytesDown]).toEqual([4, 8]);
    proxy.set({});
    client.socket.write('found');
    target.socket.write('found too');
    await Promise.all([receives(target, 5), receives(client, 9)]);
    expect([textOf(target), textOf(client)]).toEqual(['found', 'found too']);
  });
});

describe('halfOpen', () => {
  it.each(['end', 'resetAndDestroy'] as const)(
    'does not tell the target that the client is gone (%s)',
    async (leave) => {
      const { client, target } = await connectPair({ halfOpen: true });
      client.socket[leave]();
      await eventually(() => proxy.connections).toBe(0);
      target.socket.write('are you there?');
      await eventually(() => proxy.bytesDown).toBe(14);
      await setTimeout(QUIET_MS);
      expect([target.how, proxy.targetConnections]).toEqual(['open', 1]);
      proxy.set({});
      await eventually(() => target.how).toBe(leave === 'end' ? 'fin' : 'reset');
    },
  );

  it('does not tell the client that the target is gone, and forgets both when both are', async () => {
    const { client, target } = await connectPair({ halfOpen: true });
    target.socket.resetAndDestroy();
    await eventually(() => proxy.targetConnections).toBe(0);
    client.socket.write('are you there?');
    await eventually(() => proxy.bytesUp).toBe(14);
    expect(client.how).toBe('open');
    client.socket.end();
    await eventually(() => client.socket.destroyed).toBe(true);
    expect(proxy.connections).toBe(0);
  });

  it('together with a stop of the bytes: writes to the one that is gone stall', async () => {
    const { client, target } = await connectPair();
    proxy.set({ halfOpen: true, down: { bytesPerSecond: 0 } });
    client.socket.destroy();
    await eventually(() => proxy.connections).toBe(0);
    target.socket.write(Buffer.alloc(64 * MEBIBYTE));
    await setTimeout(QUIET_MS);
    expect(target.socket.writableNeedDrain).toBe(true);
    expect(proxy.bytesDown).toBeLessThan(MEBIBYTE);
    expect(target.how).toBe('open');
  });
});

describe('drop', () => {
  it.each([
    ['up', 'client', 'target'],
    ['down', 'target', 'client'],
  ] as const)('%s: swallows what the %s says, but not what the %s does', async (lane, mute, heard) => {
    const pair = await connectPair({ [lane]: { drop: true } });
    pair[mute].socket.end('lost');
    pair[heard].socket.write('heard');
    await receives(pair[mute], 5);
    await setTimeout(QUIET_MS);
    expect([textOf(pair[heard]), pair[heard].how]).toEqual(['', 'open']);
    proxy.set({});
    await eventually(() => pair[heard].how).toBe('fin');
    expect(textOf(pair[heard])).toBe('');
  });
});

describe('duplicateBytes and corruptBytes', () => {
  it('repeats the next bytes once, however they come', async () => {
    const { client, target } = await connectPair({ down: { duplicateBytes: 4 } });
    target.socket.write('ab');
    await receives(client, 2);
    target.socket.write('cdef');
    await receives(client, 10);
    target.socket.end('ghij');
    await eventually(() => client.how).toBe('fin');
    expect(textOf(client)).toBe('abcdabcdefghij');
  });

  it('turns the bits of the next bytes over', async () => {
    const { client, target } = await connectPair({ up: { corruptBytes: 2 } });
    client.socket.end('abc');
    await eventually(() => target.how).toBe('fin');
    expect(textOf(target)).toBe('\x9e\x9dc');
  });
});

it('stands before the simulator: a reset in the middle of a stream', async () => {
  const simulator = await startSimulator();
  const toSimulator = await startChaosProxy({
    target: simulator,
    rules: { down: { bytesPerSecond: 20_000, resetAfterBytes: 2_000 } },
  });
  const answer = await rawRequest({ port: toSimulator.port, prompt: '[simulate tokens=100]' });
  expect(answer).toMatchObject({ end: 'reset', statusLine: 'HTTP/1.1 200 OK' });
  expect(answer.bytes).toHaveLength(2_000);
  await eventually(() => simulator.openSockets).toBe(0);
  await toSimulator.close();
  await simulator.close();
});

it('close: cuts everything and frees the port', async () => {
  const { client, target } = await connectPair({ down: { latencyMs: 1_000_000 }, up: { bytesPerSecond: 1 } });
  client.socket.write('never to arrive');
  target.socket.write('never to arrive');
  await eventually(() => proxy.bytesDown).toBeGreaterThan(0);
  await proxy.close();
  expect([proxy.connections, proxy.targetConnections]).toEqual([0, 0]);
  await eventually(() => [client.how, target.how]).not.toContain('open');
  const late = connectClient();
  const [error] = (await once(late.socket, 'error')) as [Error];
  expect(error.message).toContain('ECONNREFUSED');
});
