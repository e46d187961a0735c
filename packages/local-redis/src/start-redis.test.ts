import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test } from 'vitest';
import type { LocalRedis } from './local-redis.ts';
import { findRedisServer } from './redis-server.ts';
import { startRedis, type StartRedisOptions } from './start-redis.ts';

const realServer = await findRedisServer();
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function start(options?: StartRedisOptions): Promise<LocalRedis> {
  const redis = await startRedis(options);
  cleanUps.push(() => redis.stop());
  return redis;
}

function clientOf({ url }: LocalRedis): Redis {
  const options = { retryStrategy: () => null, maxRetriesPerRequest: 0 };
  const client = url.startsWith('unix://') ? new Redis({ path: url.slice(7), ...options }) : new Redis(url, options);
  client.on('error', () => {});
  cleanUps.push(() => client.disconnect());
  return client;
}

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'local-redis-test-'));
  cleanUps.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const kinds = [
  { name: 'server of PATH', available: realServer !== undefined, options: {} },
  { name: 'embedded server', available: true, options: { embedded: true } },
];

describe.each(kinds)('the $name', ({ available, options }) => {
  test.skipIf(!available)('serves a client at its url: values, expiry, scripts and streams', async () => {
    const client = clientOf(await start(options));
    await client.set('greeting', 'hello', 'PX', 60_000);
    expect(await client.get('greeting')).toBe('hello');
    expect(await client.pttl('greeting')).toBeGreaterThan(0);
    expect(await client.eval("return redis.call('INCRBY', KEYS[1], ARGV[1])", 1, 'counter', '41')).toBe(41);
    await client.xadd('outbox', '*', 'field', 'value');
    expect(await client.xlen('outbox')).toBe(1);
  });

  test.skipIf(!available)('keeps apart from another one started beside it', async () => {
    const [first, second] = await Promise.all([start(options), start(options)]);
    await clientOf(first).set('mine', '1');
    expect(await clientOf(second).get('mine')).toBeNull();
  });

  test.skipIf(!available)('is gone after stop, which may be called twice', async () => {
    const redis = await start(options);
    const client = clientOf(redis);
    await client.ping();
    await Promise.all([redis.stop(), redis.stop()]);
    await redis.exited;
    await expect(clientOf(redis).ping()).rejects.toThrow(/.+/);
  });
});

test('takes the server of PATH when there is one, else the embedded one', async () => {
  const redis = await start();
  expect(redis.kind).toBe(realServer?.kind ?? 'embedded');
  expect(redis.version).toMatch(/^\d+\.\d+/);
});

test('the embedded server ends the blocked commands of clients that have gone, and so takes nothing for them', async () => {
  const redis = await start({ embedded: true });
  const [waiting, other] = [clientOf(redis), clientOf(redis)];
  const countClients = async () =>
    String(await other.client('LIST'))
      .trim()
      .split('\n').length;
  await waiting.ping();
  waiting.bzpopmin('queue', 60).catch(() => {});
  await expect.poll(countClients).toBe(2);
  waiting.disconnect();
  await expect.poll(countClients).toBe(1);
  await other.zadd('queue', 1, 'job');
  expect(await other.zrange('queue', '0', '-1')).toEqual(['job']);
});

test('nothing of the embedded server keeps the process alive after stop, blocked commands neither', async () => {
  const module = new URL('./start-redis.ts', import.meta.url).href;
  const script = `const { startRedis } = await import(${JSON.stringify(module)});
    const { Redis } = await import(${JSON.stringify(import.meta.resolve('ioredis'))});
    const redis = await startRedis({ embedded: true });
    const client = new Redis(redis.url, { retryStrategy: () => null });
    client.on('error', () => {});
    await client.ping();
    client.bzpopmin('queue', 600).catch(() => {});
    setTimeout(async () => { await redis.stop(); client.disconnect(); }, 200);`;
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' });
  cleanUps.push(() => owner.kill('SIGKILL'));
  const [code] = await once(owner, 'exit', { signal: AbortSignal.timeout(20_000) });
  expect(code).toBe(0);
}, 30_000);

const outside = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === 'IPv4' && !address.internal)?.address;

test.skipIf(outside === undefined)('the embedded server cannot be reached from another machine', async () => {
  const { url } = await start({ embedded: true });
  const socket = connect(Number(new URL(url).port), outside);
  cleanUps.push(() => socket.destroy());
  await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
});

describe.skipIf(realServer === undefined)('the server of PATH', () => {
  test('keeps its data in the data directory over a restart', async () => {
    const dataDir = join(await makeDirectory(), 'not', 'there', 'yet');
    const first = await start({ dataDir });
    await clientOf(first).set('kept', 'yes');
    await first.stop();
    expect(await clientOf(await start({ dataDir })).get('kept')).toBe('yes');
  });

  test('never evicts and, with a data directory, syncs every second', async () => {
    const client = clientOf(await start({ dataDir: await makeDirectory() }));
    const settings = await client.config('GET', 'maxmemory-policy', 'appendonly', 'appendfsync', 'save', 'port');
    expect(settings).toEqual(
      expect.arrayContaining(['maxmemory-policy', 'noeviction', 'appendonly', 'yes', 'appendfsync', 'everysec']),
    );
  });

  test('says why it could not start', async () => {
    await expect(startRedis({ dataDir: '/dev/null/impossible' })).rejects.toThrow(/ENOTDIR/);
  });

  test('ends when the process that started it is killed', async () => {
    const module = new URL('./start-redis.ts', import.meta.url).href;
    const script = `const { startRedis } = await import(${JSON.stringify(module)});
      const redis = await startRedis(); console.log(redis.url); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanUps.push(() => owner.kill('SIGKILL'));
    const [line] = await once(owner.stdout, 'data');
    const client = new Redis({ path: String(line).trim().slice(7), retryStrategy: () => null });
    client.on('error', () => {});
    cleanUps.push(() => client.disconnect());
    expect(await client.ping()).toBe('PONG');
    const closed = once(client, 'end');
    owner.kill('SIGKILL');
    await Promise.race([closed, sleep(10_000, undefined, { ref: false }).then(() => expect.fail('still running'))]);
  });
});
