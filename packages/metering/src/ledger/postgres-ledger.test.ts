import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { describeLedger } from '../../test/ledger-conformance.ts';
import { NOON, rowsOfEveryKind, sampleEvent, USAGE_OF_EVERY_KIND } from '../../test/samples.ts';
import { postgresPrograms, startTestPostgres, type TestPostgres } from '../../test/test-postgres.ts';
import { isLedgerRefusal } from './ledger-refusal.ts';
import type { Ledger, LedgerEntry, LedgerOptions } from './ledger.ts';
import { createPostgresClient } from './postgres-client.ts';
import { openPostgresLedger } from './postgres-ledger.ts';
import { POSTGRES_VERSION } from './postgres-schema.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

function open(url: string, options?: LedgerOptions): Ledger {
  const ledger = openPostgresLedger(url, options);
  cleanUps.push(() => ledger.close());
  return ledger;
}

const entry: LedgerEntry = {
  kind: 'T',
  event: sampleEvent(),
  deltaNanoUsd: 1_200_000n,
  day: '20261120',
  month: '202611',
  shard: 0,
  streamId: '1-0',
  createdAt: NOON,
};
const toEntry = (requestId: string): LedgerEntry => ({ ...entry, event: sampleEvent({ requestId }) });

describe.skipIf(postgresPrograms === undefined)('with a server (skipped where PostgreSQL is not installed)', () => {
  let bench: TestPostgres;
  beforeAll(async () => {
    bench = await startTestPostgres();
  });
  afterAll(() => bench.stop());

  describeLedger('the PostgreSQL ledger', async () => {
    const url = await bench.makeUrl();
    return { open: (options) => openPostgresLedger(url, options) };
  });

  /** Connects as somebody who may do no more than the comment of the schema grants. */
  async function grant(url: string, role: string, statements: readonly string[]): Promise<string> {
    const schema = new URL(url).searchParams.get('search_path') ?? '';
    await bench.sql`CREATE ROLE ${bench.sql(role)} LOGIN`;
    await bench.sql`GRANT USAGE ON SCHEMA ${bench.sql(schema)} TO ${bench.sql(role)}`;
    for (const statement of statements) {
      await bench.sql.unsafe(`SET search_path TO ${schema}; ${statement} TO ${role}; RESET search_path`);
    }
    return url.replace('tokenhub@', `${role}@`);
  }

  test('keeps roll-ups per scope and period, and attempts', async () => {
    const url = await bench.makeUrl();
    await open(url).append([entry, { ...entry, kind: 'A', deltaNanoUsd: -200_000n }], []);
    await open(url).append([toEntry('req_2'), entry], []);
    const schema = bench.sql(new URL(url).searchParams.get('search_path') ?? '');
    expect([...(await bench.sql`SELECT * FROM ${schema}.rollups ORDER BY scope, period`)]).toEqual(
      ['key:demo', 'org:acme', 'team:search', 'user:ada'].flatMap((scope) =>
        ['202611', '20261120'].map((period) => ({ scope, period, settled_nano: '2200000', requests: '2' })),
      ),
    );
    const attempts = await bench.sql`
      SELECT attempt, outcome, status, cost_nano FROM ${schema}.attempts WHERE request_id = 'req_1' ORDER BY attempt`;
    expect([...attempts]).toEqual([
      { attempt: 1, outcome: 'upstream_unavailable', status: 503, cost_nano: '0' },
      { attempt: 2, outcome: 'served', status: null, cost_nano: '1200000' },
    ]);
  });

  test('many that start at once make its tables once', async () => {
    const url = await bench.makeUrl();
    const ledgers = Array.from({ length: 8 }, () => open(url));
    const added = await Promise.all(ledgers.map((ledger, index) => ledger.append([toEntry(`req_${index % 4}`)], [])));
    expect(added.reduce((sum, count) => sum + count, 0)).toBe(4);
    const schema = bench.sql(new URL(url).searchParams.get('search_path') ?? '');
    expect([...(await bench.sql`SELECT version FROM ${schema}.ledger_schema`)]).toEqual([
      { version: POSTGRES_VERSION },
    ]);
  });

  test('takes the tables of an earlier release over', async () => {
    const url = await bench.makeUrl();
    await open(url).append([entry], []);
    const schema = bench.sql(new URL(url).searchParams.get('search_path') ?? '');
    await bench.sql`ALTER TABLE ${schema}.cost_events DROP COLUMN team_id`;
    await bench.sql`UPDATE ${schema}.ledger_schema SET version = 1`;
    const ledger = open(url);
    expect(await ledger.append([entry, toEntry('req_2')], [])).toBe(1);
    expect(await ledger.usage({ groupBy: 'team' })).toMatchObject([{ group: 'search' }, { group: 'unknown' }]);
  });

  test('counts by kind of token what an earlier release has added, which stated no kinds', async () => {
    const url = await bench.makeUrl();
    await open(url).append(rowsOfEveryKind(), []);
    const schema = bench.sql(new URL(url).searchParams.get('search_path') ?? '');
    for (const column of ['input_nano', 'cached_nano', 'cache_write_nano', 'output_nano', 'reasoning_nano']) {
      await bench.sql`ALTER TABLE ${schema}.cost_events DROP COLUMN ${bench.sql(column)}`;
    }
    await bench.sql`DROP INDEX ${schema}.cost_events_corrections`;
    await bench.sql`
      UPDATE ${schema}.cost_events SET event = regexp_replace(event, '"costsNanoUsd":{[^}]*},', '')`;
    await bench.sql`UPDATE ${schema}.ledger_schema SET version = 2`;
    for (const ledger of [open(url), open(url)]) {
      expect(await ledger.usage({ groupBy: 'org' })).toMatchObject([USAGE_OF_EVERY_KIND]);
      expect((await ledger.find('req_1'))[0]?.event.costsNanoUsd).toMatchObject({ input: 300_000n, output: 900_000n });
    }
  });

  test('leaves the tables of a newer release alone', async () => {
    const url = await bench.makeUrl();
    await open(url).append([entry], []);
    const schema = bench.sql(new URL(url).searchParams.get('search_path') ?? '');
    await bench.sql`INSERT INTO ${schema}.ledger_schema (version) VALUES (${POSTGRES_VERSION + 1})`;
    await expect(open(url).append([entry], [])).rejects.toThrow('made by a newer release');
  });

  test('makes its tables again when somebody has taken them away', async () => {
    const url = await bench.makeUrl();
    const ledger = open(url);
    await ledger.append([entry], []);
    const schema = new URL(url).searchParams.get('search_path') ?? '';
    await bench.sql.unsafe(`DROP SCHEMA ${schema} CASCADE; CREATE SCHEMA ${schema}`);
    await expect(ledger.append([entry], [])).rejects.toThrow('does not exist');
    expect(await ledger.append([entry], [])).toBe(1);
  });

  test('works for a role that may only add, and for one that may only look', async () => {
    const url = await bench.makeUrl();
    await open(url).append([entry], []);
    const writerUrl = await grant(url, 'only_adds', [
      'GRANT SELECT, INSERT ON cost_events, attempts, dead_letters',
      'GRANT SELECT, INSERT, UPDATE ON rollups',
      'GRANT SELECT ON ledger_schema',
      'GRANT USAGE ON SEQUENCE cost_events_seq',
    ]);
    const writer = open(writerUrl);
    expect(
      await writer.append([entry, toEntry('req_2')], [{ shard: 0, streamId: '1-0', fields: {}, reason: '' }]),
    ).toBe(1);
    expect((await writer.list({ limit: 10 })).entries).toHaveLength(2);
    const reader = open(await grant(url, 'only_looks', ['GRANT SELECT ON cost_events']), { readOnly: true });
    expect(await reader.find('req_2')).toEqual([toEntry('req_2')]);
    const client = createPostgresClient(writerUrl, { readOnly: false, statementMs: 5000, answerMs: 6000 });
    cleanUps.push(() => client.close());
    for (const change of ['UPDATE cost_events SET delta_nano = 0', 'DELETE FROM cost_events', 'TRUNCATE cost_events']) {
      await expect(client.ask((sql) => sql.unsafe(change))).rejects.toThrow('permission denied');
    }
  });

  test('what a locked table keeps waiting is added when it is free', async () => {
    const url = await bench.makeUrl();
    const ledger = open(url);
    await ledger.append([entry], []);
    const reader = open(url, { readOnly: true });
    const schema = bench.sql(new URL(url).searchParams.get('search_path') ?? '');
    let isAdded = false;
    let adding: Promise<number> | undefined;
    await bench.sql.begin(async (sql) => {
      await sql`LOCK TABLE ${schema}.cost_events IN ACCESS EXCLUSIVE MODE`;
      adding = ledger.append([toEntry('req_2')], []).finally(() => (isAdded = true));
      // A caller gets an answer all the same
      await expect(reader.find('req_1')).rejects.toMatchObject({
        code: 'ledger_unavailable',
        // The server's own words, or on a busy machine ours
        cause: expect.objectContaining({ message: expect.stringMatching(/statement timeout|did not answer within/) }),
      });
      expect(isAdded).toBe(false);
    });
    expect(await adding).toBe(1);
    expect(await reader.find('req_1')).toEqual([entry]);
  });

  test('connections cut under load reject what was under way, for another try, and nothing else', async () => {
    const url = await bench.makeUrl();
    const ledger = open(url);
    await ledger.append([toEntry('req_0')], []);
    let failures = 0;
    const addAll = Array.from({ length: 40 }, async (_, index) => {
      const batch = Array.from({ length: 25 }, (_item, item) => toEntry(`req_${index}_${item}`));
      let added: number | undefined;
      while (added === undefined) {
        try {
          added = await ledger.append(batch, []);
        } catch (error) {
          failures++;
          expect(isLedgerRefusal(error)).toBe(false);
        }
      }
    });
    const done = Promise.all(addAll);
    for (let round = 0; round < 5; round++) {
      await bench.sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tokenhub' AND pid <> pg_backend_pid()`;
    }
    await done;
    expect(failures).toBeGreaterThan(0);
    expect(await ledger.usage({ groupBy: 'org' })).toMatchObject([{ requests: 1001, costNanoUsd: 1001n * 1_200_000n }]);
  });
});

describe('a server that does not answer', () => {
  async function listen(answer: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      answer(socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanUps.push(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return `postgres://u:a-secret@127.0.0.1:${address.port}/x`;
  }

  test.each<[string, (socket: Socket) => void]>([
    ['takes connections and is silent', () => {}],
    ['closes connections at once', (socket) => socket.end()],
    ['resets connections', (socket) => socket.resetAndDestroy()],
    ['speaks another protocol', (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('that %s ends a question in time, says nothing secret and refuses no entry', async (_, answer) => {
    const client = createPostgresClient(await listen(answer), { readOnly: true, statementMs: 300, answerMs: 400 });
    cleanUps.push(() => client.close());
    for (let round = 0; round < 2; round++) {
      const error: unknown = await client.ask((sql) => sql`SELECT 1`).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('a-secret');
    }
  });

  test('that is not there rejects at once, and the ledger may be closed', async () => {
    const ledger = openPostgresLedger('postgres://u:a-secret@127.0.0.1:9/x');
    const refused = ledger.append([entry], []);
    await expect(refused).rejects.toThrow('ECONNREFUSED');
    await expect(refused).rejects.not.toSatisfy(isLedgerRefusal);
    await ledger.close();
    await expect(ledger.find('req_1')).rejects.toMatchObject({ code: 'ledger_unavailable' });
  });
});
