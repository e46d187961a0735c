import type { HealthNews } from '@tokenhub/core';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { checkDeclaredKeys } from '../../local-redis/test/declared-keys.ts';
import { TEST_STORES } from '../../local-redis/test/test-stores.ts';
import { startTestRedis, type TestRedis } from '../test/test-redis.ts';
import { createRedisHealthPeers, type RedisHealthPeers } from './health-peers.ts';
import { NEWS, probeKey } from './keys.ts';

describe.each(TEST_STORES)('gateways that meet in $name', ({ isSkipped, start: startStore }) => {
  if (isSkipped) {
    test.skip('Redis is not installed', () => {});
    return;
  }
  let server: TestRedis;
  let redis: Redis | Cluster;
  beforeAll(async () => {
    server = await startTestRedis(startStore);
    redis = server.client;
  });
  afterAll(() => server.stop());
  beforeEach(() => redis.flushall());

  const closers: (() => void)[] = [];
  afterEach(() => {
    server.mend();
    for (const close of closers.splice(0)) close();
  });

  interface TestGateway {
    readonly peers: RedisHealthPeers;
    readonly heard: HealthNews[];
    readonly errors: unknown[];
    readonly client: Redis | Cluster;
  }

  interface StartOptions {
    readonly client?: Redis | Cluster;
    readonly onNews?: (news: HealthNews) => void;
    readonly answerTimeoutMs?: number;
  }

  // A slow machine is not what most of these tests are about
  async function start(gatewayId: string, { onNews, answerTimeoutMs = 10_000, ...given }: StartOptions = {}) {
    const heard: HealthNews[] = [];
    const errors: unknown[] = [];
    const client = given.client ?? (await server.connect());
    const peers = createRedisHealthPeers({
      redis: client,
      gatewayId,
      onNews: (news) => {
        heard.push(news);
        onNews?.(news);
      },
      onError: (error) => errors.push(error),
      answerTimeoutMs,
    });
    closers.push(() => {
      peers.close();
      client.disconnect();
    });
    return { peers, heard, errors, client };
  }

  const listeners = async () => Number((await redis.pubsub('NUMSUB', NEWS))[1]);
  const untilListening = (count: number) =>
    vi.waitUntil(async () => (await listeners()) === count, { timeout: 10_000, interval: 10 });
  const untilAway = ({ client }: TestGateway) =>
    vi.waitUntil(() => client.status !== 'ready', { timeout: 10_000, interval: 5 });
  const untilBack = ({ client }: TestGateway) =>
    vi.waitUntil(() => client.status === 'ready', { timeout: 10_000, interval: 5 });
  const untilHeard = ({ heard }: TestGateway, count: number) =>
    vi.waitUntil(() => heard.length >= count, { timeout: 10_000, interval: 5 });

  describe('the probe of a deployment', () => {
    test('goes to one of two that ask at the same time, whoever they are', async () => {
      const gateways = [(await start('one')).peers, (await start('two')).peers];
      const deployments = Array.from({ length: 50 }, (_, index) => `provider/model-${index}`);
      const takers = await Promise.all(
        deployments.map(async (deployment) => {
          const taken = await Promise.all(gateways.map((peers) => peers.takeProbe(deployment, 60_000)));
          return taken.filter(Boolean).length;
        }),
      );
      expect(takers).toEqual(deployments.map(() => 1));
    });

    test('is taken once however often both ask', async () => {
      const gateways = [(await start('one')).peers, (await start('two')).peers];
      const asked = Array.from({ length: 50 }, () => gateways.map((peers) => peers.takeProbe('a/b', 60_000)));
      expect((await Promise.all(asked.flat())).filter(Boolean)).toHaveLength(1);
    });

    test('is free again when its time has passed, also of a fraction of a millisecond', async () => {
      const one = (await start('one')).peers;
      const two = (await start('two')).peers;
      expect(await one.takeProbe('a/b', 300_000)).toBe(true);
      expect(await redis.pttl(probeKey('a/b'))).toBeGreaterThan(290_000);
      expect(await two.takeProbe('a/b', 300_000)).toBe(false);
      expect(await one.takeProbe('c/d', 20.5)).toBe(true);
      await vi.waitUntil(() => two.takeProbe('c/d', 60_000), { timeout: 10_000, interval: 5 });
      expect(await one.takeProbe('e/f', 0.2)).toBe(true);
      await vi.waitUntil(() => two.takeProbe('e/f', 60_000), { timeout: 10_000, interval: 5 });
    });

    test('can be given back by the one who has it, and by nobody else', async () => {
      const one = await start('one', { client: checkDeclaredKeys(await server.connect()) });
      const two = await start('two');
      expect(await one.peers.takeProbe('a/b', 60_000)).toBe(true);
      two.peers.returnProbe('a/b');
      expect(await two.peers.takeProbe('a/b', 60_000)).toBe(false);
      expect(await redis.get(probeKey('a/b'))).toBe('one');
      one.peers.returnProbe('a/b');
      await vi.waitUntil(() => two.peers.takeProbe('a/b', 60_000), { timeout: 10_000, interval: 5 });
      // Once more by the one who had it before
      one.peers.returnProbe('a/b');
      expect(await one.peers.takeProbe('a/b', 60_000)).toBe(false);
      expect([...one.errors, ...two.errors]).toEqual([]);
    });
  });

  describe('news', () => {
    const opened = { kind: 'opened', deployment: 'a/b', restMs: 10_000 } as const;
    const cooling = { kind: 'cooling', deployment: 'a/b', restMs: 2_500.5 } as const;
    const closed = { kind: 'closed', deployment: 'a/b' } as const;

    test('arrive at all others in order, and not at the one who tells', async () => {
      const [one, two, three] = [await start('one'), await start('two'), await start('three')];
      await untilListening(3);
      one.peers.announce(opened);
      one.peers.announce(cooling);
      one.peers.announce(closed);
      await Promise.all([untilHeard(two, 3), untilHeard(three, 3)]);
      expect(two.heard).toEqual([opened, cooling, closed]);
      expect(three.heard).toEqual([opened, cooling, closed]);
      two.peers.announce(closed);
      await untilHeard(one, 1);
      expect(one.heard).toEqual([closed]);
    });

    test('that make no sense are ignored', async () => {
      const one = await start('one');
      const two = await start('two');
      await untilListening(2);
      for (const message of [
        '',
        'hello',
        '{"from":"one"',
        'null',
        '[]',
        '{}',
        JSON.stringify({ news: opened }),
        JSON.stringify({ from: 'one', news: { ...opened, kind: 'melted' } }),
        JSON.stringify({ from: 'one', news: { ...opened, deployment: '' } }),
        JSON.stringify({ from: 'one', news: { ...opened, restMs: -1 } }),
        JSON.stringify({ from: 'one', news: { ...opened, restMs: '1000' } }),
        JSON.stringify({ from: 'one', news: { kind: 'cooling', deployment: 'a/b' } }),
        '{"from":"one","news":{"kind":"cooling","deployment":"a/b","restMs":1e999}}',
      ]) {
        await redis.publish(NEWS, message);
      }
      // What a later version adds is no fault
      await redis.publish(NEWS, JSON.stringify({ from: 'one', region: 'eu', news: { ...closed, cause: 'x' } }));
      await untilHeard(two, 1);
      expect(two.heard).toEqual([closed]);
      expect([...one.errors, ...two.errors]).toEqual([]);
    });

    test('are heard also when the one before could not be dealt with', async () => {
      const one = await start('one');
      const two = await start('two', {
        onNews({ kind }) {
          if (kind === 'opened') throw new Error('a fault of the listener');
        },
      });
      await untilListening(2);
      one.peers.announce(opened);
      one.peers.announce(closed);
      await untilHeard(two, 2);
      expect(two.heard).toEqual([opened, closed]);
      expect(two.errors).toMatchObject([{ message: 'a fault of the listener' }]);
    });

    test('are heard no more after close, and the connection for them is gone', async () => {
      const one = await start('one');
      const two = await start('two');
      await untilListening(2);
      two.peers.close();
      await untilListening(1);
      one.peers.announce(opened);
      expect(await two.client.ping()).toBe('PONG');
      expect(two.heard).toEqual([]);
      expect(two.errors).toEqual([]);
    });

    test('are heard again when Redis is back, but not those that were told while it was away', async () => {
      const one = await start('one');
      const two = await start('two');
      await untilListening(2);
      server.cut();
      await untilAway(one);
      one.peers.announce(opened);
      server.mend();
      await untilListening(2);
      await untilBack(one);
      one.peers.announce(closed);
      await untilHeard(two, 1);
      expect(two.heard).toEqual([closed]);
    });
  });

  describe('while Redis is away', () => {
    test('everyone may send a probe at once, and nothing throws', async () => {
      const one = await start('one');
      const two = await start('two');
      server.cut();
      // Before the client knows of it, and then
      expect(await one.peers.takeProbe('a/b', 60_000)).toBe(true);
      await Promise.all([untilAway(one), untilAway(two)]);
      expect(await one.peers.takeProbe('a/b', 60_000)).toBe(true);
      expect(await two.peers.takeProbe('a/b', 60_000)).toBe(true);
      one.peers.returnProbe('a/b');
      one.peers.announce({ kind: 'closed', deployment: 'a/b' });
      await vi.waitUntil(() => one.errors.length > 1, { timeout: 10_000, interval: 5 });
    });

    test('a Redis that takes the question and does not answer is waited for no longer than was said', async () => {
      const { peers, errors } = await start('one', { answerTimeoutMs: 250 });
      const two = await start('two');
      await untilListening(2);
      server.stall();
      const before = performance.now();
      expect(await peers.takeProbe('a/b', 60_000)).toBe(true);
      const waited = performance.now() - before;
      expect(waited).toBeGreaterThan(240);
      expect(waited).toBeLessThan(2_000);
      expect(errors).toMatchObject([{ message: 'Redis gave no answer within 250 ms' }]);
      // The question arrives late; given back, the probe is free for all the same
      peers.returnProbe('a/b');
      server.mend();
      await vi.waitUntil(() => two.peers.takeProbe('a/b', 60_000), { timeout: 10_000, interval: 5 });
    });

    test('a gateway may start, and hears the others later', async () => {
      const clients = [await server.connect(), await server.connect()];
      server.cut();
      const [one, two] = await Promise.all(clients.map((client, index) => start(`gateway-${index}`, { client })));
      if (one === undefined || two === undefined) throw new Error('not started');
      await vi.waitUntil(() => one.errors.length > 1, { timeout: 10_000, interval: 5 });
      server.mend();
      await untilListening(2);
      two.peers.announce({ kind: 'closed', deployment: 'a/b' });
      await untilHeard(one, 1);
    });

    test('a gateway can be closed, and says nothing of it', async () => {
      const { peers, errors, client } = await start('one');
      await untilListening(1);
      server.cut();
      await vi.waitUntil(() => errors.length > 0, { timeout: 10_000, interval: 5 });
      peers.returnProbe('a/b');
      peers.close();
      client.disconnect();
      const told = errors.length;
      server.mend();
      const { client: later } = await start('later');
      expect(await later.ping()).toBe('PONG');
      expect(errors).toHaveLength(told);
      await untilListening(1);
    });
  });
});
