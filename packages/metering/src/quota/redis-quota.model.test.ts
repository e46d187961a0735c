import { createRandom } from '@tokenhub/simulator';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NOON, sampleReserve, sampleSettlement } from '../../test/samples.ts';
import { startTestRedis, type TestRedis } from '../../test/test-redis.ts';
import type { LedgerEntry } from '../ledger/ledger.ts';
import { readOutboxEntry } from '../outbox-entry.ts';
import { createOutbox } from '../outbox.ts';
import type { Dimension, ExtendDecision, Extension, Limits, Scope } from './quota.ts';
import { createRedisQuota } from './redis-quota.ts';

/*
 * The scripts against a plain model: lists in place of counters, everything added up anew at each step. Random requests,
 * repeats, renewals, extensions, expiries, late settlements, and a clock that runs, jumps (over days, months and years) and
 * steps back. STEPS and SEED of the environment make other runs.
 */

const STEPS = Number(process.env['STEPS'] ?? 100_000);
const LEASE_MS = 30_000;
const seed = Number(process.env['SEED'] ?? Date.now());

let server: TestRedis;
let redis: Redis | Cluster;
beforeAll(async () => {
  server = await startTestRedis();
  redis = server.connect();
});
afterAll(() => server.stop());

test(`${STEPS} random steps behave like the plain model (SEED=${seed})`, async () => {
  const random = createRandom(seed);
  const pick = <T>(values: readonly [T, ...T[]]): T => values[Math.floor(random() * values.length)] ?? values[0];
  await redis.flushall();

  let now = NOON;
  let latest = now;
  const quota = createRedisQuota({ redis, now: () => now, leaseMs: LEASE_MS, admissionTimeoutMs: 10_000 });
  const model = createModel();
  const requestIds: string[] = [];
  const recent = () => requestIds[Math.max(0, requestIds.length - 1 - Math.floor(random() * 30))] ?? 'none';
  const seen = {
    granted: 0,
    refused: 0,
    extended: 0,
    expired: 0,
    late: 0,
    dimensions: new Set<Dimension>(),
    months: new Set(),
  };

  for (let step = 0; step < STEPS; step++) {
    const hint = `seed ${seed}, step ${step}`;
    now = Math.max(0, now + pick([0, 1, 300, 700, 1500, 2000, 2500, -1, -1500]));
    if (random() < 0.01) now += pick([30_000, 62_000, 3_600_000, 86_400_000, -30_000, -62_000, -3_600_000]);
    latest = Math.max(latest, now);

    seen.months.add(periodsOf(now).month);
    const action = random();
    if (action < 0.05) {
      const requestId = recent();
      const [tokens, costNanoUsd] = [Math.floor(random() * 300), BigInt(Math.floor(random() * 900))];
      const extension = { requestId, org: 'acme', scopes: model.scopesOf(requestId), tokens, costNanoUsd };
      const expected = model.extend(extension);
      expect(await quota.extend(extension), hint).toEqual(expected);
      if (expected.granted) seen.extended++;
    } else if (action < 0.5) {
      const requestId = random() < 0.05 ? recent() : `req_${step}`;
      const scopes: readonly Scope[] = pick([[KEY], [KEY, ORG], [OTHER_KEY, USER, ORG], [OTHER_KEY, ORG]]);
      const request = {
        scopes,
        tokens: Math.floor(random() * 400),
        costNanoUsd: BigInt(Math.floor(random() * 900)),
        floorNanoUsd: BigInt(Math.floor(random() * 50)),
      };
      const expected = model.reserve(requestId, request, now);
      if (expected === 'not asked') continue;
      const decision = await quota.reserve(sampleReserve(requestId, request));
      if (expected === 'granted') {
        expect(decision.granted, hint).toBe(true);
        seen.granted++;
        requestIds.push(requestId);
      } else {
        expect(decision, hint).toMatchObject({ granted: false, ...expected });
        seen.refused++;
        seen.dimensions.add(expected.dimension);
      }
    } else if (action < 0.8) {
      const requestId = recent();
      const tokens = Math.floor(random() * 500);
      const costNanoUsd = BigInt(Math.floor(random() * 900));
      const before = model.settle(requestId, tokens, costNanoUsd);
      if (before === undefined) continue;
      if (before === 'expired') seen.late++;
      await quota.settle(sampleSettlement(requestId, { tokens, costNanoUsd }));
    } else if (action < 0.9) {
      const renewals = [recent(), recent()].map((requestId) => ({
        requestId,
        org: 'acme',
        progressNanoUsd: BigInt(Math.floor(random() * 500)),
      }));
      model.renew(renewals, now);
      await quota.renew(renewals);
    } else {
      const expired = model.sweep(now);
      expect(await quota.sweep(), hint).toBe(expired);
      seen.expired += expired;
    }

    const scope = pick([KEY, OTHER_KEY, USER, ORG]);
    expect(await quota.read(scope.id, 'acme'), hint).toEqual(model.read(scope.id, now));
  }

  // The random steps did reach what they are for
  expect(seen.granted).toBeGreaterThan(STEPS / 12);
  expect(seen.refused).toBeGreaterThan(STEPS / 30);
  expect(seen.extended).toBeGreaterThan(STEPS / 100);
  expect(seen.expired).toBeGreaterThan(STEPS / 120);
  expect(seen.late).toBeGreaterThan(STEPS / 300);
  expect(seen.months.size).toBeGreaterThan(STEPS / 50_000);
  expect(seen.dimensions).toEqual(new Set(['requests', 'tokens', 'concurrency', 'day', 'month']));

  // Leases that were given before the clock stepped back end by the clock of then
  now = latest + LEASE_MS;
  await quota.sweep();
  model.sweep(now);
  for (const { id } of [KEY, OTHER_KEY, USER, ORG]) {
    const state = await quota.read(id, 'acme');
    expect(state).toEqual(model.read(id, now));
    expect(state).toMatchObject({ concurrency: 0, day: { heldNanoUsd: 0n }, month: { heldNanoUsd: 0n } });
  }
  // As the ledger would have it: of each request the first T row, and the first A row
  const rows = new Map<string, LedgerEntry>();
  for (const entry of await createOutbox({ redis, shard: 0 }).read(STEPS)) {
    const result = readOutboxEntry(entry);
    if (!result.ok) throw new Error(result.deadLetter.reason);
    const name = `${result.entry.event.requestId} ${result.entry.kind}`;
    if (!rows.has(name)) rows.set(name, result.entry);
  }
  const billed = [...rows.values()].reduce((sum, { deltaNanoUsd }) => sum + deltaNanoUsd, 0n);
  expect(billed, `seed ${seed}`).toBe(model.billed());
  expect([...rows.values()].filter(({ kind }) => kind === 'T')).toHaveLength(model.count());
}, 600_000);

const KEY: Scope = { id: 'key:demo', limits: { requestsPerMinute: 20, concurrency: 12, dayNanoUsd: 15_000n } };
const OTHER_KEY: Scope = { id: 'key:other', limits: { tokensPerMinute: 4000, concurrency: 9 } };
const USER: Scope = { id: 'user:ada', limits: { monthNanoUsd: 50_000n } };
const ORG: Scope = { id: 'org:acme', limits: { requestsPerMinute: 45, tokensPerMinute: 9000 } };

interface Request {
  readonly scopes: readonly Scope[];
  readonly tokens: number;
  readonly costNanoUsd: bigint;
  readonly floorNanoUsd: bigint;
}

interface Reservation extends Request {
  costNanoUsd: bigint;
  state: 'live' | 'expired' | 'settled';
  readonly day: string;
  readonly month: string;
  progress: bigint;
  expiry: number;
  booked: bigint;
}

/** One admission as one scope's window has it. */
interface Admitted {
  readonly requestId: string;
  slot: number;
  tokens: number;
  /** Moved by a step back of the clock; its tokens are not corrected any more. */
  folded: boolean;
}

interface Window {
  last: number | undefined;
  admitted: Admitted[];
}

function createModel() {
  const reservations = new Map<string, Reservation>();
  const windows = new Map<string, Window>();
  const windowOf = (scope: string): Window => {
    const window = windows.get(scope) ?? { last: undefined, admitted: [] };
    windows.set(scope, window);
    return window;
  };
  const slotOf = ({ last }: Window, now: number): number => {
    const slot = Math.floor(now / 2000);
    return last !== undefined && slot === last - 1 ? last : slot;
  };
  const isFolded = ({ last }: Window, slot: number): boolean => last !== undefined && slot < last - 1;
  /** What counts now. A step back that is not yet written counts all there was. */
  const inWindow = (window: Window, slot: number): readonly Admitted[] => {
    const from = isFolded(window, slot) ? (window.last ?? slot) : slot;
    return window.admitted.filter((admitted) => admitted.slot > from - 31);
  };
  /** Those that may still change, and the sums of those that cannot. */
  const holders = new Map<string, Reservation[]>();
  const closed = new Map<string, bigint>();
  const read = (scope: string, now: number) => {
    const window = windowOf(scope);
    const counted = inWindow(window, slotOf(window, now));
    const periods = periodsOf(now);
    const sums = { concurrency: 0, day: { settled: 0n, held: 0n }, month: { settled: 0n, held: 0n } };
    for (const kind of ['day', 'month'] as const) {
      sums[kind].settled += closed.get(`${scope} ${periods[kind]}`) ?? 0n;
    }
    for (const reservation of holders.get(scope) ?? []) {
      const isLive = reservation.state === 'live';
      if (isLive) sums.concurrency++;
      for (const kind of ['day', 'month'] as const) {
        if (reservation[kind] !== periods[kind]) continue;
        sums[kind].settled += reservation.booked;
        if (isLive) sums[kind].held += reservation.costNanoUsd;
      }
    }
    const { concurrency, day, month } = sums;
    return {
      scope,
      requests: counted.length,
      tokens: counted.reduce((total, { tokens }) => total + tokens, 0),
      concurrency,
      day: { period: periods.day, settledNanoUsd: day.settled, heldNanoUsd: day.held },
      month: { period: periods.month, settledNanoUsd: month.settled, heldNanoUsd: month.held },
    };
  };

  const refuse = ({ id, limits }: Scope, request: Request, now: number) => {
    const used = read(id, now);
    const exceeds: [Dimension, keyof Limits, used: bigint, held: bigint, wanted: bigint][] = [
      ['requests', 'requestsPerMinute', BigInt(used.requests), 0n, 1n],
      ['tokens', 'tokensPerMinute', BigInt(used.tokens), 0n, BigInt(request.tokens)],
      ['concurrency', 'concurrency', BigInt(used.concurrency), 0n, 1n],
      ['day', 'dayNanoUsd', used.day.settledNanoUsd, used.day.heldNanoUsd, request.costNanoUsd],
      ['month', 'monthNanoUsd', used.month.settledNanoUsd, used.month.heldNanoUsd, request.costNanoUsd],
    ];
    for (const [dimension, name, usedNow, reserved, wanted] of exceeds) {
      const limit = limits[name];
      if (limit !== undefined && usedNow + reserved + wanted > BigInt(limit)) {
        return { scope: id, dimension, limit: BigInt(limit), used: usedNow, reserved };
      }
    }
    return undefined;
  };

  return {
    read,
    count: () => reservations.size,
    billed: () => [...reservations.values()].reduce((total, { booked }) => total + booked, 0n),

    reserve(requestId: string, request: Request, now: number) {
      const known = reservations.get(requestId);
      if (known !== undefined) {
        // The gateway repeats a request as it was, and never uses an id that has ended
        return known.state === 'live' && known.scopes === request.scopes ? 'granted' : 'not asked';
      }
      for (const { id } of request.scopes) {
        const window = windowOf(id);
        const slot = slotOf(window, now);
        if (!isFolded(window, slot)) continue;
        window.admitted = inWindow(window, slot).map((admitted) => ({ ...admitted, slot, folded: true }));
        window.last = slot;
      }
      for (const scope of request.scopes) {
        const refusal = refuse(scope, request, now);
        if (refusal !== undefined) return refusal;
      }
      for (const { id } of request.scopes) {
        const window = windowOf(id);
        const slot = slotOf(window, now);
        window.admitted = [...inWindow(window, slot), { requestId, slot, tokens: request.tokens, folded: false }];
        window.last = slot;
      }
      const reservation: Reservation = {
        ...request,
        ...periodsOf(now),
        state: 'live',
        progress: request.floorNanoUsd,
        expiry: now + LEASE_MS,
        booked: 0n,
      };
      reservations.set(requestId, reservation);
      for (const { id } of request.scopes) holders.set(id, [...(holders.get(id) ?? []), reservation]);
      return 'granted';
    },

    scopesOf: (requestId: string) => reservations.get(requestId)?.scopes ?? [],

    extend({ requestId, tokens, costNanoUsd }: Extension): ExtendDecision {
      const reservation = reservations.get(requestId);
      if (reservation?.state !== 'live') return { granted: true };
      const admittedIn = ({ last = 0, admitted }: Window) =>
        admitted.find((one) => one.requestId === requestId && !one.folded && one.slot > last - 31);
      for (const { id, limits } of reservation.scopes) {
        const window = windowOf(id);
        const counted = window.admitted.filter(({ slot }) => slot > (window.last ?? 0) - 31);
        const used = counted.reduce((total, one) => total + one.tokens, tokens);
        if (limits.tokensPerMinute !== undefined && admittedIn(window) !== undefined && used > limits.tokensPerMinute) {
          return { granted: false, scope: id, dimension: 'tokens' };
        }
        for (const [kind, budget] of [
          ['day', limits.dayNanoUsd],
          ['month', limits.monthNanoUsd],
        ] as const) {
          let sum = costNanoUsd + (closed.get(`${id} ${reservation[kind]}`) ?? 0n);
          for (const holder of holders.get(id) ?? []) {
            if (holder[kind] !== reservation[kind]) continue;
            sum += holder.booked + (holder.state === 'live' ? holder.costNanoUsd : 0n);
          }
          if (budget !== undefined && sum > budget) return { granted: false, scope: id, dimension: kind };
        }
      }
      for (const { id } of reservation.scopes) {
        const admitted = admittedIn(windowOf(id));
        if (admitted !== undefined) admitted.tokens += tokens;
      }
      reservation.costNanoUsd += costNanoUsd;
      return { granted: true };
    },

    /** Gives the state before; of a settled one nothing changes. */
    settle(requestId: string, tokens: number, costNanoUsd: bigint): Reservation['state'] | undefined {
      const reservation = reservations.get(requestId);
      const before = reservation?.state;
      if (reservation === undefined || before === 'settled') return before;
      if (before === 'live') {
        for (const { id } of reservation.scopes) {
          for (const admitted of windowOf(id).admitted) {
            if (admitted.requestId === requestId && !admitted.folded) admitted.tokens = tokens;
          }
        }
      }
      reservation.state = 'settled';
      reservation.booked = costNanoUsd;
      for (const { id } of reservation.scopes) {
        holders.set(
          id,
          (holders.get(id) ?? []).filter((other) => other !== reservation),
        );
        for (const kind of ['day', 'month'] as const) {
          const name = `${id} ${reservation[kind]}`;
          closed.set(name, (closed.get(name) ?? 0n) + costNanoUsd);
        }
      }
      return before;
    },

    renew(renewals: readonly { requestId: string; progressNanoUsd: bigint }[], now: number): void {
      for (const { requestId, progressNanoUsd } of renewals) {
        const reservation = reservations.get(requestId);
        if (reservation?.state !== 'live') continue;
        reservation.expiry = now + LEASE_MS;
        if (progressNanoUsd > reservation.progress) reservation.progress = progressNanoUsd;
      }
    },

    sweep(now: number): number {
      const due = [...reservations.values()].filter(({ state, expiry }) => state === 'live' && expiry <= now);
      for (const reservation of due) {
        reservation.state = 'expired';
        reservation.booked = reservation.progress;
      }
      return due.length;
    },
  };
}

function periodsOf(now: number): { day: string; month: string } {
  const day = new Date(now).toISOString().slice(0, 10).replaceAll('-', '');
  return { day, month: day.slice(0, 6) };
}
