import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findRedisServer, startRedisCluster } from '@tokenhub/local-redis';
import { Cluster, type Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkDeclaredKeys } from '../../../local-redis/test/declared-keys.ts';
import { NOON, sampleAdmission, sampleEvent, sampleReserve, sampleSettlement } from '../../test/samples.ts';
import { startTestRedis, type TestRedis } from '../../test/test-redis.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { openSqliteLedger } from '../ledger/sqlite-ledger.ts';
import { readOutboxEntry } from '../outbox-entry.ts';
import { createOutbox } from '../outbox.ts';
import { createCounters } from './counters.ts';
import { shardOf } from './keys.ts';
import { createRedisQuota } from './redis-quota.ts';

const SHARDS = 8;
const ORGS = ['acme', 'globex', 'initech', 'umbrella', 'hooli', 'wonka', 'stark', 'wayne', 'cyberdyne', 'tyrell'];
const LIMITS = { requestsPerMinute: 100, dayNanoUsd: 1_000_000n, monthNanoUsd: 1_000_000n };
const canRun = (await findRedisServer()) !== undefined;

describe.skipIf(!canRun)('shards on the two nodes of a cluster (skipped where no Redis is installed)', () => {
  let server: TestRedis;
  let cluster: Cluster;
  let directory: string;
  let ledger: Ledger;
  beforeAll(async () => {
    server = await startTestRedis(() => startRedisCluster({ primaries: 2 }));
    const client = server.connect();
    if (!(client instanceof Cluster)) throw new Error('no cluster');
    cluster = client;
    await cluster.ping();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await Promise.all(cluster.nodes('master').map((node) => node.flushall()));
    directory = mkdtempSync(join(tmpdir(), 'shards-test-'));
    ledger = openSqliteLedger(join(directory, 'ledger.sqlite'));
  });
  afterEach(async () => {
    await ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each<[how: string, client: () => Redis | Cluster]>([
    ['as they are', () => cluster],
    ['checked for keys that they do not name', () => checkDeclaredKeys(cluster)],
  ])('every script does its work for organisations of all of them, %s', async (_, client) => {
    const redis = client();
    let now = NOON;
    const quota = createRedisQuota({ redis, ledger, shards: SHARDS, now: () => now, admissionTimeoutMs: 10_000 });
    const counters = createCounters({ redis, ledger, now: () => now });
    const outboxes = Array.from({ length: SHARDS }, (_slot, shard) => createOutbox({ redis, shard }));
    const scopesOf = (org: string) => [`key:${org}`, `org:${org}`].map((id) => ({ id, limits: LIMITS }));
    const admit = (requestId: string, org: string) =>
      quota.reserve(
        sampleReserve(requestId, {
          org,
          scopes: scopesOf(org),
          admission: sampleAdmission({ requestId, keyId: org, user: undefined, team: undefined, org }),
        }),
      );
    const settle = (requestId: string, org: string) =>
      quota.settle(
        sampleSettlement(requestId, {
          org,
          event: sampleEvent({ requestId, keyId: org, user: undefined, team: undefined, org, costNanoUsd: 600n }),
        }),
      );
    const drain = () =>
      Promise.all(
        outboxes.map(async (outbox) => {
          const entries = await outbox.read(500);
          const rows = entries.map(readOutboxEntry).flatMap((result) => (result.ok ? result.entry : []));
          await ledger.append(rows, []);
          const unreserved = rows.filter((_row, index) => entries[index]?.fields['kind'] === 'O');
          await outbox.remove(
            entries,
            unreserved.map((row) => ({ ...row, scopes: [`key:${row.event.org}`, `org:${row.event.org}`] })),
          );
          return rows.length;
        }),
      );

    // One is settled, one expires, one is settled though nobody reserved it
    await Promise.all(
      ORGS.map(async (org) => {
        expect(await admit(`${org}_1`, org)).toMatchObject({ granted: true });
        expect(await admit(`${org}_2`, org)).toMatchObject({ granted: true });
        const more = { requestId: `${org}_1`, org, scopes: scopesOf(org), tokens: 5, costNanoUsd: 5n };
        expect(await quota.extend(more)).toEqual({ granted: true });
      }),
    );
    await quota.renew(ORGS.map((org) => ({ requestId: `${org}_2`, org, progressNanoUsd: 70n })));
    await Promise.all(ORGS.flatMap((org) => [settle(`${org}_1`, org), settle(`${org}_0`, org)]));
    now += 31_000;
    expect(await quota.sweep()).toBe(ORGS.length);
    const rows = await drain();
    expect(rows.filter((count) => count > 0)).toHaveLength(new Set(ORGS.map((org) => shardOf(org, SHARDS))).size);
    await Promise.all(ORGS.map((org) => settle(`${org}_2`, org)));

    for (const org of ORGS) {
      const shard = shardOf(org, SHARDS);
      const read = async () => (await quota.read(`org:${org}`, org)).day;
      expect(await read()).toMatchObject({ settledNanoUsd: 1800n, heldNanoUsd: 0n });
      const [terminal] = await ledger.find(`${org}_1`);
      if (terminal === undefined) throw new Error('no row');
      expect(await counters.adjust(terminal, -100n)).toBe(true);
      const [state] = (await counters.snapshot(shard, [`org:${org}`])).scopes;
      if (state === undefined) throw new Error('no scope');
      const deltas = [{ period: '20261120', deltaNanoUsd: 1n }];
      expect(await counters.repair(shard, state, { deltas, releasesAll: true })).toBe(true);
      expect(await read()).toMatchObject({ settledNanoUsd: 1701n });
    }
    await drain();
    const scopes = await Promise.all(outboxes.map((_outbox, shard) => counters.scopes(shard)));
    expect(scopes.flat().toSorted()).toEqual(ORGS.flatMap((org) => [`key:${org}`, `org:${org}`]).toSorted());
    expect(await Promise.all(cluster.nodes('master').map((node) => node.dbsize()))).not.toContain(0);

    await Promise.all(cluster.nodes('master').map((node) => node.flushall()));
    for (const org of ORGS) {
      expect(await admit(`${org}_3`, org)).toMatchObject({ granted: true });
      expect((await quota.read(`org:${org}`, org)).day).toMatchObject({ settledNanoUsd: 1700n, heldNanoUsd: 1000n });
    }
  });

  test('a script that touches a key it does not name is found out', async () => {
    const checked = checkDeclaredKeys(cluster);
    expect(await checked.eval("return redis.call('GET', KEYS[1])", 1, '{a}:1')).toBeNull();
    await expect(checked.eval("return redis.call('GET', KEYS[1] .. '2')", 1, '{a}:1')).rejects.toThrow('{a}:12');
  });
});
