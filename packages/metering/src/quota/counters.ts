import { GatewayError } from '@tokenhub/core';
import type { Cluster, Redis } from 'ioredis';
import { encodeCostEvent } from '../cost-event-codec.ts';
import type { Ledger, LedgerEntry } from '../ledger/ledger.ts';
import { scopesOf } from '../ledger/roll-up.ts';
import { shardKeys } from './keys.ts';
import { periodsOf } from './periods.ts';
import { loadScript, runScript } from './scripts.ts';

/** The ledger, as far as scopes are counted from it. */
export type LedgerSource = Pick<Ledger, 'sums'>;

export interface CountersOptions {
  readonly redis: Redis | Cluster;
  readonly ledger: LedgerSource;
  /** Milliseconds since 1970. @defaultValue Date.now */
  readonly now?: (() => number) | undefined;
}

/** What the store counts per scope, beside what the ledger knows of it: the same money twice, since the store may lose its own. */
export interface Counters {
  /** Ids of all scopes that the store counts in a shard, in no order. */
  scopes(shard: number): Promise<readonly string[]>;
  /** What scopes have settled at one moment. */
  snapshot(shard: number, scopes: readonly string[]): Promise<Snapshot>;
  /**
   * Gives a scope the money that the ledger knows of. Any number of processes may do so at once: it happens once.
   * @throws GatewayError `ledger_unavailable`, `quota_unavailable` when too many events are on their way to the ledger.
   */
  seed(shard: number, scope: string): Promise<void>;
  /** Puts a scope right that still is as a snapshot had it, or is changed by settlements alone; false when somebody else was faster. */
  repair(shard: number, state: ScopeSnapshot, correction: Correction): Promise<boolean>;
  /**
   * Changes what a request has cost: its scopes count the difference at once, and a row of kind R is on its way to the ledger.
   * False when that has happened before.
   * @param terminal its T row
   */
  adjust(terminal: LedgerEntry, deltaNanoUsd: bigint): Promise<boolean>;
}

export interface Snapshot {
  /** Of the last event in what is settled; absent when that cannot be compared with the ledger now. */
  readonly position: string | undefined;
  /** Live reservations of the shard. */
  readonly live: number;
  /** In no order; a scope that the store does not know is left out. */
  readonly scopes: readonly ScopeSnapshot[];
}

export interface ScopeSnapshot {
  readonly scope: string;
  /** All that the ledger knows is in it. */
  readonly isSeeded: boolean;
  /** How often it was put right. */
  readonly corrections: number;
  readonly live: number;
  readonly periods: readonly CountedPeriod[];
}

export interface CountedPeriod {
  /** `yyyymmdd` or `yyyymm`. */
  readonly period: string;
  readonly settledNanoUsd: bigint;
  readonly heldNanoUsd: bigint;
}

export interface Correction {
  /** What to add to what is settled, per period. */
  readonly deltas: readonly { readonly period: string; readonly deltaNanoUsd: bigint }[];
  /** Nothing is held any more; only where there is no live reservation. */
  readonly releasesAll: boolean;
}

const SEED = loadScript('seed');
const SNAPSHOT = loadScript('snapshot');
const REPAIR = loadScript('repair');
const ADJUST = loadScript('adjust');

/** Before everything that an outbox may hold. */
const BEGINNING = '0-0';
const DAY_MS = 24 * 3600 * 1000;
const BEHIND = 2;
const STALE = 3;
/** Events leave the outbox some times a second, and the ledger answers in milliseconds. */
const SEED_TRIES = 10;
const SCAN_COUNT = 1000;

export function createCounters({ redis, ledger, now = Date.now }: CountersOptions): Counters {
  return {
    async scopes(shard) {
      const { scopePrefix } = shardKeys(shard);
      const nodes = 'nodes' in redis ? redis.nodes('master') : [redis];
      const found = new Set<string>();
      for (const node of nodes) {
        let cursor = '0';
        do {
          // oxlint-disable-next-line no-await-in-loop -- where it goes on is known from the page before
          const [next, keys] = await node.scan(cursor, 'MATCH', `${escapeGlob(scopePrefix)}*`, 'COUNT', SCAN_COUNT);
          for (const key of keys) found.add(key.slice(scopePrefix.length));
          cursor = next;
        } while (cursor !== '0');
      }
      return [...found];
    },

    async snapshot(shard, scopes) {
      const { outbox, watermark, lease, scopePrefix } = shardKeys(shard);
      const keys = [outbox, watermark, lease, ...scopes.map((scope) => scopePrefix + scope)];
      const [position, live, ...states] = await runScript<SnapshotReply>(redis, SNAPSHOT, { keys, args: [] });
      return {
        position: position === '' ? undefined : position,
        live,
        scopes: states.flatMap((state, index) => toScopeSnapshot(scopes[index] ?? '', state)),
      };
    },

    async seed(shard, scope) {
      const { outbox, watermark, lease, scopePrefix, reservationPrefix } = shardKeys(shard);
      for (let tries = 0; tries < SEED_TRIES; tries++) {
        const before = await redis.get(watermark);
        const { position = BEGINNING, sums } = await ledger.sums({ shard, scopes: [scope], ...openPeriods(now()) });
        const live = await redis.zrange(lease, '0', '-1');
        const amounts = sums.flatMap(({ period, nanoUsd }) => [fieldOf(period), String(nanoUsd)]);
        const reply = await runScript<number>(redis, SEED, {
          keys: [scopePrefix + scope, outbox, watermark, ...live.map((requestId) => reservationPrefix + requestId)],
          args: [scope, position, before ?? '', ...amounts],
        });
        if (reply === BEHIND) break;
        if (reply !== STALE) return;
      }
      const message = 'Too many requests are on their way into the ledger to count a budget. Try again in a moment.';
      throw new GatewayError('quota_unavailable', message, { retryAfterMs: 1000 });
    },

    async repair(shard, { scope, corrections }, { deltas, releasesAll }) {
      const { scopePrefix, lease } = shardKeys(shard);
      const reply = await runScript<number>(redis, REPAIR, {
        keys: [scopePrefix + scope, lease],
        args: [
          String(corrections),
          releasesAll ? '1' : '',
          ...deltas.flatMap(({ period, deltaNanoUsd }) => [fieldOf(period), String(deltaNanoUsd)]),
        ],
      });
      return reply === 1;
    },

    async adjust({ event, shard, day, month }, deltaNanoUsd) {
      const { reservationPrefix, outbox, scopePrefix } = shardKeys(shard);
      const { requestId } = event;
      const reply = await runScript<number>(redis, ADJUST, {
        keys: [
          `${reservationPrefix}${requestId}:adjusted`,
          outbox,
          ...scopesOf(event).map((scope) => scopePrefix + scope),
        ],
        args: [requestId, String(deltaNanoUsd), day, month, encodeCostEvent(event)],
      });
      return reply === 1;
    },
  };
}

/** The periods that can still change, and that the scripts keep: since three days ago, and since the month before. */
export function openPeriods(now: number): { readonly sinceDay: string; readonly sinceMonth: string } {
  return { sinceDay: periodsOf(now - 3 * DAY_MS).day, sinceMonth: periodsOf(now - 31 * DAY_MS).month };
}

type SnapshotReply = readonly [position: string, live: number, ...scopes: (readonly (number | string)[])[]];

function toScopeSnapshot(scope: string, state: readonly (number | string)[]): readonly ScopeSnapshot[] {
  const [seeded, corrections, live, ...money] = state;
  if (seeded === undefined) return [];
  const periods: CountedPeriod[] = [];
  for (let index = 0; index < money.length; index += 3) {
    const [field = '', settled = 0, held = 0] = money.slice(index, index + 3);
    periods.push({
      period: String(field).slice(2),
      settledNanoUsd: BigInt(settled),
      heldNanoUsd: BigInt(held),
    });
  }
  return [{ scope, isSeeded: seeded === 1, corrections: Number(corrections), live: Number(live), periods }];
}

/** The field of a scope that a period's money is in. */
function fieldOf(period: string): string {
  return `${period.length === 8 ? 'd' : 'm'}:${period}`;
}

function escapeGlob(text: string): string {
  return text.replaceAll(/[\\*?[\]]/g, String.raw`\$&`);
}
