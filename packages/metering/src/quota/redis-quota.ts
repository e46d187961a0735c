import { GatewayError } from '@tokenhub/core';
import { withinMs } from '@tokenhub/redis';
import type { Cluster, Redis } from 'ioredis';
import { encodeCostEvent } from '../cost-event-codec.ts';
import { shardKeys, shardOf, type ShardKeys } from './keys.ts';
import type {
  Dimension,
  Limits,
  Quota,
  Renewal,
  ReserveDecision,
  ReserveRequest,
  Scope,
  ScopeRemaining,
  ScopeState,
  Settlement,
} from './quota.ts';
import { loadScript, runScript, type ScriptCall } from './scripts.ts';

export interface RedisQuotaOptions {
  readonly redis: Redis | Cluster;
  /** Hash slots that organisations are spread over, 1 to 64; fixed for the life of a deployment. @defaultValue 1 */
  readonly shards?: number | undefined;
  /** How long a reservation lives without a renewal. @defaultValue 30_000 */
  readonly leaseMs?: number | undefined;
  /** Longest wait for the store's answer to `reserve`. @defaultValue 250 */
  readonly admissionTimeoutMs?: number | undefined;
  /** Milliseconds since 1970 in place of the store's own clock, for tests. */
  readonly now?: (() => number) | undefined;
}

/** {@link Quota} in Redis or Valkey: each operation is one Lua script, so that it happens whole or not at all. */
export function createRedisQuota(options: RedisQuotaOptions): Quota {
  return new RedisQuota(options);
}

const RESERVE = loadScript('reserve');
const SETTLE = loadScript('settle');
const RENEW = loadScript('renew');
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

/** Sums of doubles stay exact below 2⁵³, which leaves room for 9,000,000 USD and a request. */
const MAX_NANO_USD = 9_000_000_000_000_000n;

const GRANTED = 1;
const REFUSED = 0;

class RedisQuota implements Quota {
  readonly #redis: Redis | Cluster;
  readonly #shards: readonly ShardKeys[];
  readonly #leaseMs: string;
  readonly #admissionTimeoutMs: number;
  readonly #now: (() => number) | undefined;
  /** Scope keys of this process's live reservations: a script must be told all its keys. */
  readonly #scopeKeys = new Map<string, readonly string[]>();

  constructor({ redis, shards = 1, leaseMs = 30_000, admissionTimeoutMs = 250, now }: RedisQuotaOptions) {
    this.#redis = redis;
    this.#shards = Array.from({ length: shards }, (_, shard) => shardKeys(shard));
    this.#leaseMs = String(leaseMs);
    this.#admissionTimeoutMs = admissionTimeoutMs;
    this.#now = now;
  }

  async reserve(request: ReserveRequest): Promise<ReserveDecision> {
    const { requestId, org, scopes, tokens, costNanoUsd, floorNanoUsd } = request;
    checkAmounts(tokens, costNanoUsd);
    const shard = this.#shardOf(org);
    const scopeKeys = scopes.map((scope) => shard.scopePrefix + scope.id);
    const args = [
      this.#clock(),
      requestId,
      this.#leaseMs,
      String(tokens),
      String(costNanoUsd),
      String(floorNanoUsd),
      JSON.stringify(request.admission),
    ];
    for (const { limits } of scopes) args.push(encodeLimits(limits));

    const pending = runScript<ReserveReply>(this.#redis, RESERVE, {
      keys: [shard.reservationPrefix + requestId, shard.lease, ...scopeKeys],
      args,
    });
    let reply: ReserveReply;
    try {
      reply = await withinMs(pending, this.#admissionTimeoutMs);
    } catch (cause) {
      void this.#release(request, scopeKeys, pending);
      throw quotaUnavailable(cause);
    }
    if (reply[0] === REFUSED) return toRefusal(reply, scopes);
    if (reply[0] !== GRANTED) throw quotaUnavailable(new Error('the reservation of this request has expired'));
    this.#scopeKeys.set(requestId, scopeKeys);
    return { granted: true, remaining: toRemaining(reply, 1, scopes) };
  }

  async settle({ requestId, org, tokens, costNanoUsd, event }: Settlement): Promise<void> {
    checkAmounts(tokens, costNanoUsd);
    await this.#end(this.#shardOf(org), this.#scopeKeys.get(requestId) ?? [], [
      '',
      requestId,
      'S',
      String(tokens),
      String(costNanoUsd),
      encodeCostEvent(event),
    ]);
    this.#scopeKeys.delete(requestId);
  }

  async renew(renewals: readonly Renewal[]): Promise<void> {
    const byShard = Map.groupBy(renewals, ({ org }) => this.#shardOf(org));
    const calls: Promise<unknown>[] = [];
    for (const [shard, ofShard] of byShard) {
      for (let from = 0; from < ofShard.length; from += RENEWALS_PER_CALL) {
        const batch = ofShard.slice(from, from + RENEWALS_PER_CALL);
        const keys = [shard.lease, ...batch.map(({ requestId }) => shard.reservationPrefix + requestId)];
        const progress = batch.flatMap(({ requestId, progressNanoUsd }) => [requestId, String(progressNanoUsd)]);
        calls.push(runScript(this.#redis, RENEW, { keys, args: [this.#clock(), this.#leaseMs, ...progress] }));
      }
    }
    await Promise.all(calls);
  }

  async sweep(): Promise<number> {
    let settled = 0;
    for (const shard of this.#shards) {
      let due: readonly string[];
      do {
        due = await this.#redis.zrangebyscore(shard.lease, '-inf', await this.#storeTime(), 'LIMIT', 0, SWEEP_BATCH);
        const ended = await Promise.all(due.map((requestId) => this.#end(shard, [], [this.#clock(), requestId, 'X'])));
        settled += ended.filter(Boolean).length;
      } while (due.length === SWEEP_BATCH);
    }
    return settled;
  }

  async read(scope: string, org: string): Promise<ScopeState> {
    const key = this.#shardOf(org).scopePrefix + scope;
    const call = { keys: [key], args: [this.#clock()] };
    const reply = await runScript<ReadReply>(this.#redis, READ, call).catch((cause: unknown) => {
      throw quotaUnavailable(cause);
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

  /** Ends a reservation; false when there was nothing to end. */
  async #end(shard: ShardKeys, scopeKeys: readonly string[], args: readonly string[]): Promise<boolean> {
    const [, requestId = ''] = args;
    const keys = [shard.reservationPrefix + requestId, shard.lease, shard.outbox];
    const call = (scopes: readonly string[]): ScriptCall => ({ keys: [...keys, ...scopes], args });
    let reply = await runScript<SettleReply>(this.#redis, SETTLE, call(scopeKeys));
    if (reply[0] === 'keys') {
      // Reserved by another process, or by this one before it was restarted: the reservation itself names its scopes.
      reply = await runScript<SettleReply>(this.#redis, SETTLE, call(reply[1].split('\n')));
    }
    return reply[0] === 'settled';
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
type SettleReply = readonly ['settled'] | readonly ['gone'] | readonly ['keys', string];
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
