import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NOON, sampleEvent } from './samples.ts';
import type { Ledger, LedgerEntry, LedgerQuery } from '../src/ledger/ledger.ts';

/** What every {@link Ledger} must do. `open` gives an empty one at each call. */
export function describeLedger(name: string, open: () => Promise<Ledger>): void {
  describe(name, () => {
    let ledger: Ledger;
    beforeEach(async () => {
      ledger = await open();
    });
    afterEach(() => ledger.close());

    const listAll = async (query: Omit<LedgerQuery, 'limit'> = {}) =>
      (await ledger.list({ limit: 500, ...query })).entries.map(({ event }) => event.requestId);

    test('gives back what was added, to the last member', async () => {
      const entry = toEntry('req_1');
      const bare = toEntry('req_2', {
        event: {
          ...sampleEvent({ requestId: 'req_2' }),
          user: undefined,
          model: undefined,
          provider: undefined,
          errorReason: 'no_upstream',
          firstTokenMs: undefined,
          attempts: [],
        },
      });
      expect(await ledger.append([entry, bare], [])).toBe(2);
      expect(await ledger.find('req_1')).toEqual([entry]);
      expect(await ledger.find('req_2')).toEqual([bare]);
      expect(await ledger.find('req_3')).toEqual([]);
    });

    test('adding again changes nothing, neither rows nor sums', async () => {
      const entries = [toEntry('req_1'), toEntry('req_2')];
      expect(await ledger.append(entries, [])).toBe(2);
      const usage = await ledger.usage({ groupBy: 'org' });
      expect(await ledger.append([...entries, toEntry('req_3')], [])).toBe(1);
      expect(await ledger.append(entries, [])).toBe(0);
      expect(await ledger.append([], [])).toBe(0);
      expect(await listAll()).toEqual(['req_3', 'req_2', 'req_1']);
      expect(usage).toMatchObject([{ requests: 2, costNanoUsd: 2_400_000n }]);
      expect(await ledger.usage({ groupBy: 'org' })).toMatchObject([{ requests: 3, costNanoUsd: 3_600_000n }]);
    });

    test('the same request twice in one batch is one row, the first of them', async () => {
      const first = toEntry('req_1', { streamId: '1-0' });
      const second = toEntry('req_1', { streamId: '2-0', deltaNanoUsd: 7n });
      expect(await ledger.append([first, second], [])).toBe(1);
      expect(await ledger.find('req_1')).toEqual([first]);
    });

    test('keeps the T row of a request first and its corrections behind', async () => {
      const correction = toEntry('req_1', { kind: 'A', deltaNanoUsd: -200n });
      const terminal = toEntry('req_1', { deltaNanoUsd: 1_200_200n });
      await ledger.append([correction], []);
      await ledger.append([terminal], []);
      expect(await ledger.find('req_1')).toEqual([terminal, correction]);
      // The pair is one request and costs what it did in the end
      expect(await ledger.usage({ groupBy: 'key' })).toMatchObject([{ requests: 1, costNanoUsd: 1_200_000n }]);
    });

    test('pages from the newest to the oldest, and new rows do not shift a page', async () => {
      await ledger.append(
        [1, 2, 3, 4, 5].map((number) => toEntry(`req_${number}`)),
        [],
      );
      const first = await ledger.list({ limit: 2 });
      expect(first.entries.map(({ event }) => event.requestId)).toEqual(['req_5', 'req_4']);
      await ledger.append([toEntry('req_6')], []);
      const second = await ledger.list({ limit: 2, cursor: first.nextCursor });
      expect(second.entries.map(({ event }) => event.requestId)).toEqual(['req_3', 'req_2']);
      const third = await ledger.list({ limit: 2, cursor: second.nextCursor });
      expect(third.entries.map(({ event }) => event.requestId)).toEqual(['req_1']);
      expect(third.nextCursor).toBeUndefined();
      // A last page that is full says so too
      expect((await ledger.list({ limit: 6 })).nextCursor).toBeUndefined();
    });

    test.each(['', 'x', '-1', '1; DROP TABLE cost_events', '9'.repeat(40)])(
      'refuses %j as a cursor',
      async (cursor) => {
        await expect(ledger.list({ limit: 10, cursor })).rejects.toMatchObject({
          code: 'invalid_parameter',
          param: 'cursor',
        });
      },
    );

    test('finds rows by key, model and outcome', async () => {
      await ledger.append(
        [
          toEntry('req_1', { event: sampleEvent({ requestId: 'req_1', keyId: 'a', model: 'x' }) }),
          toEntry('req_2', { event: sampleEvent({ requestId: 'req_2', keyId: 'a', model: 'y', outcome: 'timeout' }) }),
          toEntry('req_3', { event: sampleEvent({ requestId: 'req_3', keyId: "b'%", model: 'x' }) }),
        ],
        [],
      );
      expect(await listAll({ key: 'a' })).toEqual(['req_2', 'req_1']);
      expect(await listAll({ model: 'x' })).toEqual(['req_3', 'req_1']);
      expect(await listAll({ outcome: 'timeout' })).toEqual(['req_2']);
      expect(await listAll({ key: 'a', model: 'x', outcome: 'completed' })).toEqual(['req_1']);
      expect(await listAll({ key: "b'%" })).toEqual(['req_3']);
      expect(await listAll({ key: '%' })).toEqual([]);
    });

    test('sums usage by day, model, provider, key and organisation', async () => {
      const counts = {
        promptTokens: 10,
        cachedTokens: 1,
        cacheWriteTokens: 2,
        completionTokens: 20,
        reasoningTokens: 5,
      };
      const add = (requestId: string, day: string, changes: Parameters<typeof sampleEvent>[0]) =>
        toEntry(requestId, {
          day,
          event: sampleEvent({ requestId, counts, costNanoUsd: 7n, ...changes }),
          deltaNanoUsd: 7n,
        });
      await ledger.append(
        [
          add('req_1', '20261120', { model: 'x', provider: 'p', keyId: 'a', org: 'acme' }),
          add('req_2', '20261120', { model: 'y', provider: 'p', keyId: 'b', org: 'acme' }),
          add('req_3', '20261121', { model: 'x', provider: 'q', keyId: 'c', org: 'globex' }),
          add('req_4', '20261121', { model: undefined, provider: undefined, keyId: 'c', org: 'globex' }),
        ],
        [],
      );
      const two = {
        requests: 2,
        promptTokens: 20,
        cachedTokens: 2,
        cacheWriteTokens: 4,
        completionTokens: 40,
        reasoningTokens: 10,
        costNanoUsd: 14n,
      };
      expect(await ledger.usage({ groupBy: 'day' })).toEqual([
        { group: '20261120', ...two },
        { group: '20261121', ...two },
      ]);
      expect(await ledger.usage({ groupBy: 'org' })).toEqual([
        { group: 'acme', ...two },
        { group: 'globex', ...two },
      ]);
      const requestsBy = async (groupBy: 'model' | 'provider' | 'key') =>
        Object.fromEntries((await ledger.usage({ groupBy })).map(({ group, requests }) => [group, requests]));
      expect(await requestsBy('model')).toEqual({ unknown: 1, x: 2, y: 1 });
      expect(await requestsBy('provider')).toEqual({ p: 2, q: 1, unknown: 1 });
      expect(await requestsBy('key')).toEqual({ a: 1, b: 1, c: 2 });
    });

    test('usage takes requests admitted from `from` on and before `to`', async () => {
      await ledger.append(
        [0, 1000, 2000].map((offset) =>
          toEntry(`req_${offset}`, {
            event: sampleEvent({ requestId: `req_${offset}`, keyId: `key_${offset}`, admittedAt: NOON + offset }),
          }),
        ),
        [],
      );
      const keysOf = async (from?: number, to?: number) =>
        (await ledger.usage({ groupBy: 'key', from, to })).map(({ group }) => group);
      expect(await keysOf(NOON + 1000)).toEqual(['key_1000', 'key_2000']);
      expect(await keysOf(undefined, NOON + 1000)).toEqual(['key_0']);
      expect(await keysOf(NOON + 1000, NOON + 2000)).toEqual(['key_1000']);
      expect(await keysOf(NOON + 3000)).toEqual([]);
    });

    test('money beyond 2^53 nano-USD stays exact', async () => {
      const costNanoUsd = 9_007_199_254_740_993n;
      await ledger.append(
        ['req_1', 'req_2'].map((requestId) =>
          toEntry(requestId, { event: sampleEvent({ requestId, costNanoUsd }), deltaNanoUsd: costNanoUsd }),
        ),
        [],
      );
      expect(await ledger.usage({ groupBy: 'org' })).toMatchObject([{ costNanoUsd: 2n * costNanoUsd }]);
      expect(await ledger.find('req_1')).toMatchObject([{ deltaNanoUsd: costNanoUsd, event: { costNanoUsd } }]);
    });

    test('keeps dead letters, each once, and they stop nothing', async () => {
      const deadLetter = { shard: 0, streamId: '5-0', fields: { kind: 'S', event: '{"half' }, reason: 'no JSON' };
      expect(await ledger.append([toEntry('req_1')], [deadLetter])).toBe(1);
      expect(await ledger.append([], [deadLetter, { ...deadLetter, streamId: '6-0' }])).toBe(0);
      expect(await ledger.countDeadLetters()).toBe(2);
    });

    test('a batch that fails leaves nothing behind', async () => {
      const impossible = toEntry('req_2', { deltaNanoUsd: 2n ** 80n });
      await expect(ledger.append([toEntry('req_1'), impossible], [])).rejects.toThrow();
      expect(await listAll()).toEqual([]);
      expect(await ledger.usage({ groupBy: 'org' })).toEqual([]);
      expect(await ledger.append([toEntry('req_1')], [])).toBe(1);
    });
  });
}

function toEntry(requestId: string, changes: Partial<LedgerEntry> = {}): LedgerEntry {
  const event = sampleEvent({ requestId });
  return {
    kind: 'T',
    event,
    deltaNanoUsd: event.costNanoUsd,
    day: '20261120',
    month: '202611',
    shard: 0,
    streamId: `${NOON + 900}-0`,
    createdAt: NOON + 900,
    ...changes,
  };
}
