import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { NOON, sampleEvent, toExpiredEvent } from './samples.ts';
import { isLedgerRefusal } from '../src/ledger/ledger-refusal.ts';
import type { Ledger, LedgerEntry, LedgerOptions, LedgerQuery, UsageQuery } from '../src/ledger/ledger.ts';

/** A place that holds one ledger. */
export interface LedgerStore {
  /** Opens it, as each of several processes would. */
  open(options?: LedgerOptions): Ledger;
}

/** What every {@link Ledger} must do. `makeStore` gives an empty store at each call. */
export function describeLedger(name: string, makeStore: () => Promise<LedgerStore>): void {
  describe(name, () => {
    const opened: Ledger[] = [];
    let store: LedgerStore;
    let ledger: Ledger;
    const open = (options?: LedgerOptions): Ledger => {
      const another = store.open(options);
      opened.push(another);
      return another;
    };
    beforeEach(async () => {
      store = await makeStore();
      ledger = open();
    });
    afterEach(async () => {
      for (const each of opened.splice(0)) await each.close();
    });

    const listAll = async (query: Omit<LedgerQuery, 'limit'> = {}) =>
      (await ledger.list({ limit: 500, ...query })).entries.map(({ event }) => event.requestId);

    test('gives back what was added, to the last member', async () => {
      const entry = toEntry('req_1');
      const bare = toEntry('req_2', {
        event: {
          ...sampleEvent({ requestId: 'req_2' }),
          user: undefined,
          team: undefined,
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

    test('the same entries in two appends, and twice in each, are one row each', async () => {
      const entries = numbers(20).map((number) => toEntry(`req_${number}`));
      expect(await ledger.append([...entries, ...entries], [])).toBe(20);
      expect(await ledger.append([...entries.toReversed(), toEntry('req_more'), ...entries], [])).toBe(1);
      expect(await listAll()).toHaveLength(21);
      expect(await ledger.usage({ groupBy: 'org' })).toMatchObject([{ requests: 21, costNanoUsd: 21n * 1_200_000n }]);
    });

    test('several writers with the same entries in any order add each once, and none waits for ever', async () => {
      const writers = [ledger, open(), open()];
      const entries = numbers(200).map((number) =>
        toEntry(`req_${number}`, {
          kind: number % 3 === 0 ? 'A' : 'T',
          event: sampleEvent({
            requestId: `req_${number % 150}`,
            keyId: `key_${number % 7}`,
            user: `user_${number % 5}`,
            team: `team_${number % 3}`,
          }),
          deltaNanoUsd: BigInt(number),
        }),
      );
      const unique = new Map(entries.map((entry) => [`${entry.event.requestId} ${entry.kind}`, entry]));
      const added = await Promise.all(
        numbers(12).map(async (turn) => {
          const start = turn * 15;
          const batch = [...entries.slice(start), ...entries.slice(0, start)];
          return (writers[turn % 3] ?? ledger).append(turn % 2 === 0 ? batch : batch.toReversed(), []);
        }),
      );
      expect(added.reduce((sum, count) => sum + count, 0)).toBe(unique.size);
      const rows = (await ledger.list({ limit: 500 })).entries;
      expect(new Set(rows.map(({ event, kind }) => `${event.requestId} ${kind}`))).toEqual(new Set(unique.keys()));
      expect(rows).toHaveLength(unique.size);
      const total = rows.reduce((sum, { deltaNanoUsd }) => sum + deltaNanoUsd, 0n);
      expect(await ledger.usage({ groupBy: 'org' })).toMatchObject([{ costNanoUsd: total }]);
    });

    test('a thousand entries in one append keep their order, and pages show each once', async () => {
      // All of the same millisecond, and in no order of their names
      const names = numbers(1000).map((number) => `req_${(number * 7919) % 1000}`);
      expect(
        await ledger.append(
          names.map((requestId) => toEntry(requestId)),
          [],
        ),
      ).toBe(1000);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.list({ limit: 300, cursor });
        seen.push(...page.entries.map(({ event }) => event.requestId));
        cursor = page.nextCursor;
      } while (cursor !== undefined);
      expect(seen).toEqual(names.toReversed());
    });

    test('what was added is there for everyone, and after closing and opening again', async () => {
      const beside = open();
      await ledger.append([toEntry('req_1')], []);
      expect(await beside.find('req_1')).toEqual([toEntry('req_1')]);
      await ledger.close();
      const again = open();
      expect(await again.find('req_1')).toEqual([toEntry('req_1')]);
      expect(await again.append([toEntry('req_1'), toEntry('req_2')], [])).toBe(1);
      expect((await again.list({ limit: 10 })).entries.map(({ event }) => event.requestId)).toEqual(['req_2', 'req_1']);
    });

    test('a reader beside the writer sees what is committed, also when it was there first, and changes nothing', async () => {
      store = await makeStore();
      const reader = open({ readOnly: true });
      expect(await reader.find('req_1')).toEqual([]);
      expect(await reader.list({ limit: 10 })).toEqual({ entries: [], nextCursor: undefined });
      expect(await reader.usage({ groupBy: 'org' })).toEqual([]);
      expect(await reader.countDeadLetters()).toBe(0);
      const writer = open();
      expect(await writer.find('req_1')).toEqual([]);
      expect(await reader.find('req_1')).toEqual([]);
      await writer.append([toEntry('req_1')], []);
      expect(await reader.find('req_1')).toEqual([toEntry('req_1')]);
      const refused = reader.append([toEntry('req_2')], []);
      await expect(refused).rejects.toThrow(/read-?only/);
      await expect(refused).rejects.not.toSatisfy(isLedgerRefusal);
    });

    test.each([
      ['quotes and signs', `'"\\{},$1;--%_`],
      ['letters of the world', 'Größe 模型 🙂'],
      ['U+0000', 'a\0b'],
      ['half a surrogate pair', 'a\ud83d'],
      ['line breaks', 'a\r\n\tb'],
      ['nothing', ''],
    ])('keeps texts as they are: %s', async (_, text) => {
      const event = sampleEvent({
        keyId: text,
        user: text,
        team: text,
        org: text,
        model: text,
        provider: text,
        deployment: text,
        requestedModel: text,
        clientRequestId: text,
        priceVersion: text,
        errorReason: text,
        attempts: [{ deployment: text, provider: text, model: text, outcome: text, costNanoUsd: 0n }],
      });
      const entry = toEntry('req_1', { event });
      expect(await ledger.append([entry], [])).toBe(1);
      expect(await ledger.find('req_1')).toEqual([entry]);
      expect(await listAll({ key: text, model: text })).toEqual(['req_1']);
      expect(await ledger.find(text)).toEqual([]);
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

    test('sums usage by day, model, provider, key, user, team and organisation', async () => {
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
          add('req_1', '20261120', { model: 'x', provider: 'p', keyId: 'a', user: 'u', org: 'acme' }),
          add('req_2', '20261120', { model: 'y', provider: 'p', keyId: 'b', team: undefined, org: 'acme' }),
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
        costsNanoUsd: { input: 2n, cached: 0n, cacheWrite: 0n, output: 10n, reasoning: 2n },
        adjustmentsNanoUsd: 0n,
      };
      expect(await ledger.usage({ groupBy: 'day' })).toEqual([
        { group: '20261120', ...two },
        { group: '20261121', ...two },
      ]);
      expect(await ledger.usage({ groupBy: 'org' })).toEqual([
        { group: 'acme', ...two },
        { group: 'globex', ...two },
      ]);
      const requestsBy = async (groupBy: UsageQuery['groupBy']) =>
        Object.fromEntries((await ledger.usage({ groupBy })).map(({ group, requests }) => [group, requests]));
      expect(await requestsBy('model')).toEqual({ unknown: 1, x: 2, y: 1 });
      expect(await requestsBy('provider')).toEqual({ p: 2, q: 1, unknown: 1 });
      expect(await requestsBy('key')).toEqual({ a: 1, b: 1, c: 2 });
      expect(await requestsBy('user')).toEqual({ ada: 3, u: 1 });
      expect(await requestsBy('team')).toEqual({ search: 3, unknown: 1 });
    });

    test('usage counts a request whose lease had expired as its correction says, whoever served it', async () => {
      const costs = { input: 100n, cached: 20n, cacheWrite: 30n, output: 40n, reasoning: 10n };
      const truth = sampleEvent({
        requestId: 'req_1',
        model: 'x',
        provider: 'p',
        costNanoUsd: 200n,
        costsNanoUsd: costs,
      });
      const expired = toEntry('req_1', { event: toExpiredEvent(truth, 170n), deltaNanoUsd: 170n });
      await ledger.append([expired, toEntry('req_2', { event: sampleEvent({ requestId: 'req_2', model: 'y' }) })], []);
      expect(await ledger.usage({ groupBy: 'model' })).toMatchObject([
        {
          group: 'unknown',
          requests: 1,
          promptTokens: 0,
          costNanoUsd: 170n,
          costsNanoUsd: { input: 170n, output: 0n },
        },
        { group: 'y', requests: 1 },
      ]);
      await ledger.append([toEntry('req_1', { kind: 'A', event: truth, deltaNanoUsd: 30n })], []);
      const { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens } = truth.counts;
      const counts = { promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens };
      const group = { requests: 1, ...counts, costNanoUsd: 200n, costsNanoUsd: costs, adjustmentsNanoUsd: 0n };
      expect(await ledger.usage({ groupBy: 'model' })).toMatchObject([{ group: 'x', ...group }, { group: 'y' }]);
      expect((await ledger.usage({ groupBy: 'provider' }))[1]).toEqual({ group: 'p', ...group });
    });

    test('usage counts a refund as money alone, of the model that had served, also after a correction', async () => {
      const truth = sampleEvent({ requestId: 'req_1', model: 'x', provider: 'p', costNanoUsd: 200n });
      const expired = toEntry('req_1', { event: toExpiredEvent(truth, 170n), deltaNanoUsd: 170n });
      const plain = toEntry('req_2', { event: sampleEvent({ requestId: 'req_2', model: 'x' }) });
      await ledger.append([expired, toEntry('req_1', { kind: 'A', event: truth, deltaNanoUsd: 30n }), plain], []);
      const [before] = await ledger.usage({ groupBy: 'model' });
      await ledger.append(
        [
          { ...expired, kind: 'R', deltaNanoUsd: -50n },
          { ...plain, kind: 'R', deltaNanoUsd: 7n },
        ],
        [],
      );
      const costNanoUsd = 1_200_200n - 43n;
      expect(before).toMatchObject({ group: 'x', requests: 2, adjustmentsNanoUsd: 0n });
      expect(await ledger.usage({ groupBy: 'model' })).toEqual([{ ...before, costNanoUsd, adjustmentsNanoUsd: -43n }]);
    });

    test('groups of usage come in the order of their bytes, and what is not known counts as `unknown`', async () => {
      const models = ['é', 'b', 'Z', undefined, '🙂', 'a-b', 'a_b', 'ab', 'unknown', '\uffee'];
      await ledger.append(
        models.map((model, index) =>
          toEntry(`req_${index}`, { event: sampleEvent({ requestId: `req_${index}`, model }) }),
        ),
        [],
      );
      const groups = await ledger.usage({ groupBy: 'model' });
      expect(groups.map(({ group }) => group)).toEqual(['Z', 'a-b', 'a_b', 'ab', 'b', 'unknown', 'é', '\uffee', '🙂']);
      expect(groups.find(({ group }) => group === 'unknown')).toMatchObject({ requests: 2 });
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

    test('the most that an event may cost stays exact, up and down', async () => {
      const costNanoUsd = 99_999_999_999_999_999n;
      const terminal = toEntry('req_1', { event: sampleEvent({ costNanoUsd }), deltaNanoUsd: costNanoUsd });
      const correction = { ...terminal, kind: 'A' as const, deltaNanoUsd: -costNanoUsd + 1n };
      await ledger.append([terminal, correction], []);
      expect(await ledger.find('req_1')).toEqual([terminal, correction]);
      expect(await ledger.usage({ groupBy: 'key' })).toMatchObject([{ requests: 1, costNanoUsd: 1n }]);
    });

    test('keeps dead letters, each once, and they stop nothing', async () => {
      const deadLetter = { shard: 0, streamId: '5-0', fields: { kind: 'S', event: '{"half' }, reason: 'no JSON' };
      expect(await ledger.append([toEntry('req_1')], [deadLetter])).toBe(1);
      expect(await ledger.append([], [deadLetter, { ...deadLetter, streamId: '6-0' }])).toBe(0);
      expect(await ledger.countDeadLetters()).toBe(2);
      const unreadable = { shard: 1, streamId: '5-0', fields: { '\0': '\ud83d' }, reason: 'no \0 in JSON \udc00' };
      await ledger.append([], [unreadable, unreadable, deadLetter]);
      expect(await ledger.countDeadLetters()).toBe(3);
    });

    test('a batch that fails leaves nothing behind', async () => {
      const impossible = toEntry('req_2', { deltaNanoUsd: 2n ** 80n });
      const deadLetter = { shard: 0, streamId: '5-0', fields: {}, reason: '' };
      await expect(ledger.append([toEntry('req_1'), impossible], [deadLetter])).rejects.toSatisfy(isLedgerRefusal);
      expect(await ledger.countDeadLetters()).toBe(0);
      expect(await listAll()).toEqual([]);
      expect(await ledger.usage({ groupBy: 'org' })).toEqual([]);
      expect(await ledger.append([toEntry('req_1')], [])).toBe(1);
    });
  });
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, number) => number);

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
