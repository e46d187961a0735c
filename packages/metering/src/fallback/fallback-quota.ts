import { GatewayError, isGatewayError } from '@tokenhub/core';
import { saysAway, withinMs } from '@tokenhub/redis';
import type {
  ExtendDecision,
  Extension,
  Quota,
  Renewal,
  ReserveDecision,
  ReserveRequest,
  ScopeState,
  Settlement,
} from '../quota/quota.ts';
import { toExpiredEvent } from '../expired-event.ts';
import { StoreAway } from '../quota/store-away.ts';
import { createLocalWindows, type LocalWindows } from './local-windows.ts';
import type { StoreBreaker } from './store-breaker.ts';

export interface FallbackQuotaOptions {
  /** The quota in the store. */
  readonly quota: Quota;
  readonly breaker: StoreBreaker;
  /**
   * Keeps what is granted without the store, for whoever comes after this process, before it begins: no reservation tells of
   * it. Rejects when that is not possible.
   */
  readonly journal: (settlement: Settlement) => Promise<void>;
  /** Gateways that share the limits; each gives away no more than its part while the store is away. */
  readonly gateways: number;
  /** What is settled now would be lost with this process, so nothing that a budget pays for is begun. */
  readonly isUnsafe: () => boolean;
  /** No more settlements can be kept, so nothing is begun. */
  readonly isFull: () => boolean;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
}

/** Longest wait for the store to confirm a settlement. */
const SETTLE_MS = 500;

/**
 * A {@link Quota} that goes on while its store is away: requests under a budget are refused, unless they say otherwise, rates and
 * concurrency are limited to this gateway's share, and everything else is served. What is settled meanwhile is rejected, for
 * whoever settles to keep and to try again.
 */
export function createFallbackQuota(options: FallbackQuotaOptions): FallbackQuota {
  return new QuotaWithFallback(options);
}

export interface FallbackQuota extends Quota {
  /** Requests that were admitted without the store so far. */
  readonly degraded: number;
}

class QuotaWithFallback implements FallbackQuota {
  readonly #quota: Quota;
  readonly #breaker: StoreBreaker;
  readonly #isUnsafe: () => boolean;
  readonly #isFull: () => boolean;
  readonly #journal: (settlement: Settlement) => Promise<void>;
  readonly #windows: LocalWindows;
  #degraded = 0;

  constructor({ quota, breaker, gateways, isUnsafe, isFull, journal, now }: FallbackQuotaOptions) {
    this.#quota = quota;
    this.#breaker = breaker;
    this.#isUnsafe = isUnsafe;
    this.#isFull = isFull;
    this.#journal = journal;
    this.#windows = createLocalWindows({ gateways, now });
  }

  get degraded(): number {
    return this.#degraded;
  }

  async reserve(request: ReserveRequest): Promise<ReserveDecision> {
    if (this.#isFull() || (this.#isUnsafe() && hasBudget(request))) {
      throw unavailable(new Error('settlements cannot be kept'));
    }
    try {
      const decision = await this.#asked(() => this.#quota.reserve(request));
      if (decision.granted) this.#windows.note(request);
      return decision;
    } catch (error) {
      if (!isAway(error) || (hasBudget(request) && request.isOpenWithoutStore !== true)) throw error;
      // One that was only slow may have granted as much as there is, to others
      if (!this.#breaker.isOpen && isLimited(request)) throw error;
      const decision = this.#windows.reserve(request);
      if (decision.granted) {
        await this.#keep(request);
        this.#degraded++;
        return { ...decision, isDegraded: true };
      }
      // More than a share of the limit is not more than the limit
      if (decision.waitMs === undefined) throw error;
      return decision;
    }
  }

  /** As it is billed if this process does not live to settle it. */
  async #keep({ requestId, org, tokens, floorNanoUsd, admission }: ReserveRequest): Promise<void> {
    const event = toExpiredEvent(admission, floorNanoUsd, admission.admittedAt);
    try {
      await this.#journal({ requestId, org, tokens, costNanoUsd: floorNanoUsd, event });
    } catch (cause) {
      this.#windows.settle({ requestId, tokens: 0 });
      throw unavailable(cause);
    }
  }

  async settle(settlement: Settlement): Promise<void> {
    this.#windows.settle(settlement);
    await this.#asked(() => withinMs(this.#quota.settle(settlement), SETTLE_MS));
  }

  renew(renewals: readonly Renewal[]): Promise<void> {
    return this.#asked(() => this.#quota.renew(renewals));
  }

  extend(extension: Extension): Promise<ExtendDecision> {
    return this.#asked(() => this.#quota.extend(extension));
  }

  sweep(): Promise<number> {
    return this.#asked(() => this.#quota.sweep());
  }

  read(scope: string, org: string): Promise<ScopeState> {
    return this.#asked(() => this.#quota.read(scope, org));
  }

  /** @throws GatewayError `quota_unavailable` at once when the store is known to be away */
  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#breaker.isOpen) throw unavailable(new StoreAway('it has failed some times in a row'));
    try {
      const answer = await ask();
      this.#breaker.succeeded();
      return answer;
    } catch (error) {
      if (isAway(error)) this.#breaker.failed();
      throw error;
    }
  }
}

function hasBudget({ scopes }: ReserveRequest): boolean {
  return scopes.some(({ limits }) => limits.dayNanoUsd !== undefined || limits.monthNanoUsd !== undefined);
}

function isLimited({ scopes }: ReserveRequest): boolean {
  return scopes.some(({ limits }) => Object.values(limits).some((limit) => limit !== undefined));
}

function isAway(error: unknown): boolean {
  return isGatewayError(error) ? error.cause instanceof StoreAway : saysAway(error);
}

function unavailable(cause: unknown): GatewayError {
  const message = 'The quota store is away, and without it no budget can be spent. Try again in a moment.';
  return new GatewayError('quota_unavailable', message, { cause, retryAfterMs: 1000 });
}
