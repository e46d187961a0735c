import { GatewayError, isGatewayError } from '@tokenhub/core';
import { saysAway, withinMs } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';
import { encodeCostEvent } from '../cost-event-codec.ts';
import { createCounters, type Counters, type LedgerSource } from './counters.ts';
import { shardKeys, shardOf, type ShardKeys } from './keys.ts';
import type {
  Dimension,
  ExtendDecision,
  Extension,
  Limits,
  Quota,
  Renewal,
  ReserveDecision,
  ReserveRequest,
  Scope,
  ScopeRemaining,
  ScopeState,
  Settlement,
  SettlementKeeper,
} from './quota.ts';
import { loadScript, runScript, type ScriptCall } from './scripts.ts';
import { StoreAway } from './store-away.ts';
import { Unconfirmed } from './unconfirmed.ts';

export interface RedisQuotaOptions {
  readonly redis: Redis | Cluster;
  /** Hash slots that organisations are spread over, 1 to 64; fixed for the life of a deployment. @defaultValue 1 */
  readonly shards?: number | undefined;
  /** How long a reservation lives without a renewal. @defaultValue 30_000 */
  readonly leaseMs?: number | undefined;
  /** Longest wait for an answer of the store, or of the ledger, to `reserve`. @defaultValue 250 */
  readonly admissionTimeoutMs?: number | undefined;
  /**
   * Where the money of a scope is counted from that the store does not know, or does not know any more. Without it such a
   * scope has spent nothing.
   */
  readonly ledger?: LedgerSource | undefined;
  /** Most cost events that may wait for the ledger before requests under a budget are refused. @defaultValue 200_000 */
  readonly outboxMax?: number | undefined;
  /** Milliseconds since 1970 in place of the store's own clock, for tests. */
  readonly now?: (() => number) | undefined;
}

/** {@link Quota} in Redis or Valkey: each operation is one Lua script, so that it happens whole or not at all. */
export function createRedisQuota(options: RedisQuotaOptions): Quota & SettlementKeeper {
  return new RedisQuota(options);
}

const RESERVE = loadScript('reserve');
const SETTLE = loadScript('settle');
const RENEW = loadScript('renew');
const EXTEND = loadScript('extend');
const READ = loadScript('read');

/** In the order of the reserve script, which numbers them from 1. */
const DIMENSIONS: readonly (readonly [Dimension, keyof Limits])[] = [
  ['requests', 'requestsPerMinute'],
  ['tokens', 'tokensPerMinute'],
  ['concurrency', 'concurrency'],
  ['day', 'dayNanoUsd'],
  ['month', 'monthNanoUsd'],
];

/** One script blocks the store while it runs: 32 renewals are some 500 µs. */
const RENEWALS_PER_CALL = 32;
const SWEEP_BATCH = 200;
const RESENT_AT_ONCE = 200;

/** Sums of doubles stay exact below 2⁵³, which leaves room for 9,000,000 USD and a request. */
const MAX_NANO_USD = 9_000_000_000_000_000n;

/** How often scopes are seeded for one request: once, and once more for a scope that was deleted right then. */
const SEED_ROUNDS = 2;

/** First numbers of the reserve script's replies. */
const REFUSED = 0;
const GRANTED = 1;
const EXPIRED = 2;
const UNSEEDED = 3;
const BEHIND = 4;

/** How the reserve script is to look at money; see there. */
type ReserveMode = '' | 'seeded' | 'adopt';

/** A reservation of this process that lives. */
interface Held {
  readonly request: ReserveRequest;
  readonly scopeKeys: readonly string[];
  /** It is being settled. */
  isEnding: boolean;
}

class RedisQuota implements Quota, SettlementKeeper {
  readonly #redis: Redis | Cluster;
  readonly #shards: readonly ShardKeys[];
  readonly #leaseMs: string;
  readonly #admissionTimeoutMs: number;
  readonly #now: (() => number) | undefined;
  readonly #outboxMax: string;
  readonly #counters: Counters | undefined;
  readonly #held = new Map<string, Held>();
  readonly #unconfirmed = new Unconfirmed();
  /** Scopes that are being seeded, so that a crowd of requests asks the ledger once. */
  readonly #seeding = new Map<string, Promise<void>>();

  constructor(options: RedisQuotaOptions) {
    const { redis, shards = 1, leaseMs = 30_000, admissionTimeoutMs = 250, outboxMax = 200_000, now, ledger } = options;
    this.#redis = redis;
    this.#shards = Array.from({ length: shards }, (_, shard) => shardKeys(shard));
    this.#leaseMs = String(leaseMs);
    this.#admissionTimeoutMs = admissionTimeoutMs;
    this.#now = now;
    this.#outboxMax = String(outboxMax);
    this.#counters = ledger && createCounters({ redis, ledger, now });
  }

  async reserve(request: ReserveRequest): Promise<ReserveDecision> {
    const { requestId, org, scopes } = request;
    checkAmounts(request.tokens, request.costNanoUsd);
    const mode = this.#counters === undefined ? '' : 'seeded';
    const { scopePrefix } = this.#shardOf(org);
    const scopeKeys = scopes.map(({ id }) => scopePrefix + id);
    for (let round = 0; ; round++) {
      const pending = this.#reserve(request, scopeKeys, mode);
      let reply: ReserveReply;
      try {
        reply = await withinMs(pending, this.#admissionTimeoutMs);
      } catch (cause) {
        void this.#release(request, scopeKeys, pending);
        throw quotaUnavailable(saysAway(cause) ? new StoreAway('the store did not reserve', { cause }) : cause);
      }
      switch (reply[0]) {
        case GRANTED:
          this.#held.set(requestId, { request, scopeKeys, isEnding: false });
          return { granted: true, remaining: toRemaining(reply, 1, scopes) };
        case REFUSED:
          return toRefusal(reply, scopes);
        case EXPIRED:
          throw quotaUnavailable(new Error('the reservation of this request has expired'));
        case BEHIND:
          throw quotaUnavailable(new Error('too many cost events wait for the ledger'));
        case UNSEEDED:
          if (round === SEED_ROUNDS) throw quotaUnavailable(new Error('the scopes vanish as fast as they are seeded'));
          await this.#seed(
            org,
            reply.slice(1).flatMap((number) => scopes[Number(number) - 1]?.id ?? []),
          );
          break;
        default:
          throw new Error(`the reserve script answers ${String(reply[0])}`);
      }
    }
  }

  async settle(settlement: Settlement): Promise<void> {
    const { requestId, org, tokens, costNanoUsd, event } = settlement;
    checkAmounts(tokens, costNanoUsd);
    const held = this.#held.get(requestId);
    if (held !== undefined) held.isEnding = true;
    const position = await this.#end(this.#shardOf(org), held?.scopeKeys ?? [], [
      '',
      requestId,
      'S',
      String(tokens),
      String(costNanoUsd),
      encodeCostEvent(event),
    ]);
    this.#held.delete(requestId);
    if (position !== undefined) this.#unconfirmed.add(settlement, shardOf(org, this.#shards.length), position);
  }

  async confirm(): Promise<void> {
    const confirming = [...this.#unconfirmed.shards()].map(async (shard) => {
      const watermark = await this.#redis.get(shardKeys(shard).watermark);
      if (watermark !== null) this.#unconfirmed.forget(shard, watermark);
    });
    await Promise.all(confirming);
  }

  async resend(): Promise<number> {
    const settlements = this.#unconfirmed.settlements();
    for (let from = 0; from < settlements.length; from += RESENT_AT_ONCE) {
      await Promise.all(settlements.slice(from, from + RESENT_AT_ONCE).map((settlement) => this.settle(settlement)));
    }
    return settlements.length;
  }

  async renew(renewals: readonly Renewal[]): Promise<void> {
    const byShard = Map.groupBy(renewals, ({ org }) => this.#shardOf(org));
    const calls: Promise<readonly string[]>[] = [];
    for (const [shard, ofShard] of byShard) {
      for (let from = 0; from < ofShard.length; from += RENEWALS_PER_CALL) {
        const batch = ofShard.slice(from, from + RENEWALS_PER_CALL);
        const keys = [shard.lease, ...batch.map(({ requestId }) => shard.reservationPrefix + requestId)];
        const progress = batch.flatMap(({ requestId, progressNanoUsd }) => [requestId, String(progressNanoUsd)]);
        calls.push(runScript(this.#redis, RENEW, { keys, args: [this.#clock(), this.#leaseMs, ...progress] }));
      }
    }
    const unknown = new Set((await Promise.all(calls)).flat());
    await Promise.all(
      renewals.filter(({ requestId }) => unknown.has(requestId)).map((renewal) => this.#adopt(renewal)),
    );
  }

  async extend({ requestId, org, scopes, tokens, costNanoUsd }: Extension): Promise<ExtendDecision> {
    checkAmounts(tokens, costNanoUsd);
    const { reservationPrefix, scopePrefix } = this.#shardOf(org);
    const reply = await runScript<ExtendReply>(this.#redis, EXTEND, {
      keys: [reservationPrefix + requestId, ...scopes.map(({ id }) => scopePrefix + id)],
      args: [String(tokens), String(costNanoUsd), ...scopes.map(({ limits }) => encodeLimits(limits))],
    });
    if (reply[0] !== REFUSED) return { granted: true };
    const [, scopeNumber, dimensionNumber] = reply;
    const [dimension] = DIMENSIONS[dimensionNumber - 1] ?? [];
    const scope = scopes[scopeNumber - 1]?.id;
    if (scope === undefined || dimension === undefined || dimension === 'requests' || dimension === 'concurrency') {
      throw new Error('the extend script named a limit that it was not given');
    }
    return { granted: false, scope, dimension };
  }

  async sweep(): Promise<number> {
    let settled = 0;
    for (const shard of this.#shards) {
      let due: readonly string[];
      do {
        due = await this.#redis.zrangebyscore(shard.lease, '-inf', await this.#storeTime(), 'LIMIT', 0, SWEEP_BATCH);
        const ended = await Promise.all(due.map((requestId) => this.#end(shard, [], [this.#clock(), requestId, 'X'])));
        settled += ended.filter((position) => position !== undefined).length;
      } while (due.length === SWEEP_BATCH);
    }
    return settled;
  }

  async read(scope: string, org: string): Promise<ScopeState> {
    const key = this.#shardOf(org).scopePrefix + scope;
    const call = { keys: [key], args: [this.#clock()] };
    const reply = await runScript<ReadReply>(this.#redis, READ, call).catch((cause: unknown) => {
      throw quotaUnavailable(saysAway(cause) ? new StoreAway('the store was not read', { cause }) : cause);
    });
    return {
      scope,
      requests: reply[0],
      tokens: reply[1],
      concurrency: reply[2],
      day: { period: reply[3], settledNanoUsd: BigInt(reply[4]), heldNanoUsd: BigInt(reply[5]) },
      month: { period: reply[6], settledNanoUsd: BigInt(reply[7]), heldNanoUsd: BigInt(reply[8]) },
    };
  }

  #reserve(request: ReserveRequest, scopeKeys: readonly string[], mode: ReserveMode): Promise<ReserveReply> {
    const { requestId, org, scopes, tokens, costNanoUsd, floorNanoUsd, admission } = request;
    const { reservationPrefix, lease, outbox } = this.#shardOf(org);
    const args = [
      this.#clock(),
      requestId,
      this.#leaseMs,
      String(tokens),
      String(costNanoUsd),
      String(floorNanoUsd),
      JSON.stringify(admission),
      mode,
      this.#outboxMax,
    ];
    for (const { limits } of scopes) args.push(encodeLimits(limits));
    return runScript(this.#redis, RESERVE, {
      keys: [reservationPrefix + requestId, lease, outbox, ...scopeKeys],
      args,
    });
  }

  /** Holds again what the store has granted and lost. */
  async #adopt({ requestId, progressNanoUsd }: Renewal): Promise<void> {
    const held = this.#held.get(requestId);
    if (held === undefined || held.isEnding) return;
    await this.#reserve({ ...held.request, floorNanoUsd: progressNanoUsd }, held.scopeKeys, 'adopt');
  }

  /** @throws GatewayError `ledger_unavailable`, `quota_unavailable` */
  async #seed(org: string, scopes: readonly string[]): Promise<void> {
    const seedings = scopes.map((scope) => this.#seedOne(shardOf(org, this.#shards.length), scope));
    try {
      await withinMs(Promise.all(seedings), this.#admissionTimeoutMs);
    } catch (cause) {
      if (isGatewayError(cause)) throw cause;
      throw quotaUnavailable(cause);
    }
  }

  #seedOne(shard: number, scope: string): Promise<void> {
    const name = `${shard} ${scope}`;
    let seeding = this.#seeding.get(name);
    if (seeding === undefined) {
      seeding = (this.#counters?.seed(shard, scope) ?? Promise.resolve()).finally(() => this.#seeding.delete(name));
      this.#seeding.set(name, seeding);
    }
    return seeding;
  }

  /** Whoever was told "unavailable" does not call again: gives back what the store grants, or has granted, all the same. */
  async #release({ requestId, org }: ReserveRequest, scopeKeys: readonly string[], pending: Promise<ReserveReply>) {
    try {
      const reply = await pending.catch(() => undefined);
      if (reply?.[0] === REFUSED) return;
      await this.#end(this.#shardOf(org), scopeKeys, ['', requestId, 'V']);
    } catch {
      // Nothing reaches the store; the sweep ends the reservation when its lease has passed.
    }
  }

  /** Ends a reservation: the position of its event in the outbox; `undefined` when there was nothing to end. */
  async #end(shard: ShardKeys, scopeKeys: readonly string[], args: readonly string[]): Promise<string | undefined> {
    const [, requestId = ''] = args;
    const keys = [shard.reservationPrefix + requestId, shard.lease, shard.outbox];
    const call = (scopes: readonly string[]): ScriptCall => ({ keys: [...keys, ...scopes], args });
    let reply = await runScript<SettleReply>(this.#redis, SETTLE, call(scopeKeys));
    if (reply[0] === 'keys') {
      // Reserved by another process, or by this one before it was restarted: the reservation itself names its scopes.
      reply = await runScript<SettleReply>(this.#redis, SETTLE, call(reply[1].split('\n')));
    }
    return reply[0] === 'settled' ? reply[1] : undefined;
  }

  #shardOf(org: string): ShardKeys {
    const keys = this.#shards[shardOf(org, this.#shards.length)];
    if (keys === undefined) throw new RangeError('shards must be 1 to 64');
    return keys;
  }

  #clock(): string {
    return this.#now === undefined ? '' : String(this.#now());
  }

  async #storeTime(): Promise<number> {
    if (this.#now !== undefined) return this.#now();
    const [seconds, microseconds] = await this.#redis.time();
    return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  }
}

/** Limits belong to the configuration and stay the same objects from request to request. */
const encodedLimits = new WeakMap<Limits, string>();

/** As the reserve script takes them. */
function encodeLimits(limits: Limits): string {
  let encoded = encodedLimits.get(limits);
  if (encoded === undefined) {
    const values = DIMENSIONS.map(([, name]) => limits[name]);
    encoded = values.every((value) => value === undefined) ? '' : values.join(',');
    encodedLimits.set(limits, encoded);
  }
  return encoded;
}

/** As the headers of the Lua files say; windows follow as three numbers per scope. */
type ReserveReply = readonly [status: number, ...rest: (number | string)[]];
type ExtendReply = readonly [status: 0, scope: number, dimension: number] | readonly [status: 1 | 2];
type SettleReply = readonly ['settled', position: string] | readonly ['gone'] | readonly ['keys', string];
type ReadReply = readonly [number, number, number, string, string, string, string, string, string];

function toRefusal(reply: ReserveReply, scopes: readonly Scope[]): ReserveDecision {
  const [, scopeNumber, dimensionNumber, used, reserved, waitMs] = reply;
  const scope = scopes[Number(scopeNumber) - 1];
  const [dimension, limit] = DIMENSIONS[Number(dimensionNumber) - 1] ?? [];
  if (scope === undefined || dimension === undefined || limit === undefined) {
    throw new Error('the reserve script named a limit that it was not given');
  }
  return {
    granted: false,
    scope: scope.id,
    dimension,
    limit: BigInt(scope.limits[limit] ?? 0),
    used: BigInt(used ?? 0),
    reserved: BigInt(reserved ?? 0),
    waitMs: Number(waitMs) < 0 ? undefined : Number(waitMs),
    remaining: toRemaining(reply, 6, scopes),
  };
}

function toRemaining(reply: ReserveReply, from: number, scopes: readonly Scope[]): readonly ScopeRemaining[] {
  return scopes.map(({ id, limits: { requestsPerMinute, tokensPerMinute } }, index) => {
    const at = from + 3 * index;
    const resetMs = Number(reply[at + 2]);
    return {
      scope: id,
      requests: requestsPerMinute === undefined ? undefined : toWindow(requestsPerMinute, reply[at], resetMs),
      tokens: tokensPerMinute === undefined ? undefined : toWindow(tokensPerMinute, reply[at + 1], resetMs),
    };
  });
}

function toWindow(limit: number, used: unknown, resetMs: number) {
  return { limit, remaining: Math.max(0, limit - Number(used)), resetMs };
}

/** A negative amount would be a refund. */
function checkAmounts(tokens: number, costNanoUsd: bigint): void {
  if (!Number.isSafeInteger(tokens) || tokens < 0) throw new RangeError(`tokens must be a whole number ≥ 0: ${tokens}`);
  if (costNanoUsd < 0n || costNanoUsd > MAX_NANO_USD) throw new RangeError(`cost out of range: ${costNanoUsd}`);
}

function quotaUnavailable(cause: unknown): GatewayError {
  return new GatewayError('quota_unavailable', 'The quota store did not answer in time. Try again.', {
    cause,
    retryAfterMs: 1000,
  });
}
