import { formatUsd, parseUsd } from '@tokenhub/core';
import type { SimulatedRequest } from '@tokenhub/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWitness } from '../../apps/gateway/test/witness.ts';
import { ask } from '../ask.ts';
import { prepareProcesses, type Processes, type Service } from '../start-processes.ts';
import { operate } from '../operate.ts';
import { readGenerations, readLedger, readLog, type Costs } from './books.ts';
import { callAll, type Answer, type Crowd } from './callers.ts';

const CALLERS = 200;
const REQUESTS = 2_500;
/** Requests that each limit has room for, with a rest that is too small for one more. */
const ROOM = 600;
const SLOTS = 40;

/** Requests that use what was held for them to the last token, so that the limit does not depend on who has ended. */
const ANSWER_TOKENS = 20;
/** One for each byte of the text and 8 for the message: as many as are thought possible. */
const PROMPT_TOKENS = '[simulate tokens=20 prompt=38]'.length + 8;
const TOKENS = PROMPT_TOKENS + ANSWER_TOKENS;
/** At 10 and 30 USD per million. */
const COST_NANO_USD = BigInt(PROMPT_TOKENS * 10_000 + ANSWER_TOKENS * 30_000);

const TOKEN_LIMIT = ROOM * TOKENS + TOKENS - 1;
const BUDGET_USD = formatUsd(BigInt(ROOM + 1) * COST_NANO_USD - 1n);
const ALL_LIMITS = {
  rpm: ROOM,
  tpm: TOKEN_LIMIT,
  // Of 200 callers some find no slot, and ask again.
  concurrency: 150,
  budget_day_usd: BUDGET_USD,
  budget_month_usd: BUDGET_USD,
};

const BUSY = '429 rate_limit_exceeded';
const SPENT = '402 budget_exceeded';
/**
 * On a machine so busy that Redis answers later than a gateway waits. For a moment such a request may have held what another
 * was refused for, and it stays counted among the requests of the minute; so it may keep one of them out, and never lets one in.
 */
const LATE = '503 quota_unavailable';

type Load = Pick<Crowd, 'contentOf' | 'maxTokens'>;
const EQUAL: Load = {
  contentOf: () => `[simulate tokens=${ANSWER_TOKENS} prompt=${PROMPT_TOKENS}]`,
  maxTokens: ANSWER_TOKENS,
};
const VARIED: Load = {
  contentOf: (index) => `[simulate tokens=${1 + (index % 47)} prompt=${10 + (index % 29)}]`,
  maxTokens: 50,
};

/** What callers of one key have seen, all together. */
interface Race {
  readonly id: string;
  readonly key: string;
  /** Of each request that was served. */
  readonly costs: Costs;
  readonly late: number;
}

interface QuotaItem {
  readonly requests: { readonly used: number };
}

let processes: Processes;
let accounting: Service;
let gateways: readonly Service[];
/** What the callers of all races have paid. */
let paidNanoUsd = 0n;
beforeAll(async () => {
  processes = await prepareProcesses();
  accounting = await processes.startAccounting();
  const others = await Promise.all([{}, {}, { LOG_LEVEL: 'debug' }].map((env) => processes.startGateway(env)));
  // The first line of a log that tells everything is JSON, and has more behind the address
  gateways = [processes.gateway, ...others].map((gateway) => ({ ...gateway, url: gateway.url.replace(/\D+$/, '') }));
});
afterAll(() => processes.stop());

describe.each([2, 4])('200 callers of one key at %i gateways', (count) => {
  async function makeKey(name: string, limits: object): Promise<{ readonly id: string; readonly key: string }> {
    const id = `${name}-${count}`;
    return { id, ...(await operate<{ key: string }>(accounting, 'keys', { body: { id, org: id, limits } })) };
  }

  /** Everyone at once. Whoever is not served is refused as said, and nothing of it gets to the provider. */
  async function race(name: string, limits: object, { load, refusal }: { load: Load; refusal: string }): Promise<Race> {
    const { id, key } = await makeKey(name, limits);
    const before = requestsAtProvider();
    const urls = gateways.slice(0, count).map(({ url }) => url);
    const answers = await callAll({ ...load, urls, key, callers: CALLERS, requests: REQUESTS });
    const { served = 0, [LATE]: late = 0, ...refused } = countOutcomes(answers);
    expect(refused).toEqual({ [refusal]: REQUESTS - served - late });
    expect(requestsAtProvider() - before).toBe(served);
    return { id, key, costs: costsOf(answers), late };
  }

  const limitsAndWays: readonly (readonly [string, object, { readonly load: Load; readonly refusal: string }])[] = [
    ['requests', { rpm: ROOM }, { load: VARIED, refusal: BUSY }],
    ['tokens', { tpm: TOKEN_LIMIT }, { load: EQUAL, refusal: BUSY }],
    ['day', { budget_day_usd: BUDGET_USD }, { load: EQUAL, refusal: SPENT }],
    ['month', { budget_month_usd: BUDGET_USD }, { load: EQUAL, refusal: SPENT }],
    ['all', ALL_LIMITS, { load: EQUAL, refusal: BUSY }],
  ];
  // Each limit by itself where most gateways race for it
  it.each(limitsAndWays.filter(([name]) => count === 4 || name === 'all'))(
    'are served up to exactly the limit (%s), and nobody errs about the bill',
    async (name, limits, way) => {
      const seen = await race(name, limits, way);
      expect(seen.costs.size).toBeLessThanOrEqual(ROOM);
      expect(seen.costs.size).toBeGreaterThanOrEqual(ROOM - seen.late);
      await expectAgreement(seen);
    },
  );

  it('never hold more slots at a time than there are, and give each of them back', async () => {
    const before = requestsAtProvider();
    const seen = await race('slots', { concurrency: SLOTS }, { load: VARIED, refusal: BUSY });
    expect(seen.costs.size).toBeGreaterThan(2 * SLOTS);
    const atProvider = processes.simulator.requests.filter(({ number }) => number > before);
    expect(mostAtOnce(atProvider)).toBeLessThanOrEqual(SLOTS);
    await expectAgreement(seen);
  });

  it('hold exactly as many streams as there are slots, for as long as they like', async () => {
    const { id, key } = await makeKey('streams', { concurrency: SLOTS });
    const streams: Response[] = [];
    let [asked, late] = [0, 0];
    const call = async (gateway: Service): Promise<void> => {
      while (asked++ < REQUESTS) {
        const response = await ask(gateway, 'Hello [simulate tokens=60000 pace=50]', { key });
        if (response.status === 200) return void streams.push(response);
        const refusal = await response.text();
        if (response.status === 503) late++;
        else expect([response.status, refusal]).toEqual([429, expect.stringContaining('concurrent requests')]);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(gateways[caller % count] as Service)));
    expect([streams.length, processes.simulator.activeStreams]).toEqual([SLOTS, SLOTS]);

    for (const { body } of streams) await body?.cancel();
    const ids = streams.map(({ headers }) => headers.get('x-request-id') ?? '');
    await expect.poll(async () => (await readLedger(accounting, id)).length, { timeout: 5_000 }).toBe(SLOTS);
    await expectAgreement({ id, key, costs: await readGenerations(processes.gateway, key, ids), late });
  });

  /** Callers, ledger, generations, usage, quotas and log have the same requests at the same costs, and nothing is held. */
  async function expectAgreement({ id, key, costs, late }: Race): Promise<void> {
    await expect.poll(async () => (await readLedger(accounting, id)).length, { timeout: 10_000 }).toBe(costs.size);
    expect(new Map(await readLedger(accounting, id))).toEqual(costs);
    expect(await readGenerations(processes.gateway, key, costs.keys())).toEqual(costs);
    const logged = readLog(gateways[3] as Service);
    for (const [requestId, cost] of costs) expect(logged.get(requestId) ?? cost).toBe(cost);

    const total = costs.values().reduce((sum, cost) => sum + parseUsd(cost), 0n);
    paidNanoUsd += total;
    const money = { settled_usd: formatUsd(total), held_usd: '0' };
    for (const scope of [`key:${id}`, `org:${id}`]) {
      const used = await operate<QuotaItem>(accounting, `quotas/${scope}`);
      expect(used).toMatchObject({ concurrency: { used: 0 }, day: money, month: money });
      expect(used.requests.used).toBeGreaterThanOrEqual(costs.size);
      expect(used.requests.used).toBeLessThanOrEqual(costs.size + late);
    }
    const { items } = await operate<{ items: object[] }>(accounting, 'usage?group_by=key');
    expect(items).toContainEqual(
      expect.objectContaining({ group: id, requests: costs.size, cost_usd: formatUsd(total) }),
    );
  }
});

it('the metrics of all gateways add up to what all callers have paid', async () => {
  const figures = gateways.map(async ({ url }) => {
    const witness = createWitness({ url, redis: { url: processes.redisUrl } });
    const cost = await witness.metric('tokenhub_cost_usd_total');
    witness.close();
    return cost;
  });
  const sum = (await Promise.all(figures)).reduce((total, cost) => total + cost, 0);
  expect(sum).toBeCloseTo(Number(formatUsd(paidNanoUsd)), 6);
});

/** How many have come since the beginning. */
function requestsAtProvider(): number {
  return processes.simulator.requests.at(-1)?.number ?? 0;
}

function countOutcomes(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, reason } of answers) {
    const outcome = status === 200 ? 'served' : `${status} ${reason}`;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

/** As those saw it who were served. */
function costsOf(answers: readonly Answer[]): Costs {
  const served = answers.filter(({ status }) => status === 200);
  return new Map(served.map(({ id, costUsd = 'none' }) => [id, costUsd]));
}

/** How many requests the provider had at the same time, at most. */
function mostAtOnce(requests: readonly SimulatedRequest[]): number {
  const changes = requests.flatMap(({ receivedAtMs, closedAtMs = Infinity }) => [
    { at: receivedAtMs, by: 1 },
    { at: closedAtMs, by: -1 },
  ]);
  let [most, now] = [0, 0];
  for (const { by } of changes.toSorted((one, other) => one.at - other.at || one.by - other.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}
