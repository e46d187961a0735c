import type { CostEvent, Admission } from '../cost-event.ts';

/** The limits of one scope; a dimension without a limit is `undefined`, and is counted all the same. */
export interface Limits {
  readonly requestsPerMinute?: number | undefined;
  readonly tokensPerMinute?: number | undefined;
  /** Requests in flight, streamed or not. */
  readonly concurrency?: number | undefined;
  readonly dayNanoUsd?: bigint | undefined;
  readonly monthNanoUsd?: bigint | undefined;
}

/** Someone whose use is limited: `key:<id>`, `user:<id>`, `team:<id>` or `org:<id>`. */
export interface Scope {
  readonly id: string;
  readonly limits: Limits;
}

export type Dimension = 'requests' | 'tokens' | 'concurrency' | 'day' | 'month';

/** A hold on quota, asked for before anything is sent to a provider. */
export interface ReserveRequest {
  /** One per request and made by the gateway, never by a client: the same id twice is the same reservation. */
  readonly requestId: string;
  readonly org: string;
  /** One to four; all must admit the request. */
  readonly scopes: readonly Scope[];
  /** Upper bounds of what the request may use. */
  readonly tokens: number;
  readonly costNanoUsd: bigint;
  /** What is billed if the gateway dies before it reports any progress. */
  readonly floorNanoUsd: bigint;
  /** What is known of the request now: goes to the ledger if nobody lives to settle it. */
  readonly admission: Admission;
  /** It is served while the store is away, although a budget pays for it. @defaultValue false */
  readonly isOpenWithoutStore?: boolean | undefined;
}

export type ReserveDecision = Grant | Refusal;

export interface Grant {
  readonly granted: true;
  /** Per limited scope, what is left after this reservation. */
  readonly remaining: readonly ScopeRemaining[];
  /** The store was away: this process alone has granted it, by its share of the limits. */
  readonly isDegraded?: boolean | undefined;
}

/** Of one scope: limits and what is left of them. A dimension without a limit is absent. */
export interface ScopeRemaining {
  readonly scope: string;
  readonly requests?: WindowState | undefined;
  readonly tokens?: WindowState | undefined;
}

export interface WindowState {
  readonly limit: number;
  readonly remaining: number;
  /** Until the whole limit is free again if nothing more is used. */
  readonly resetMs: number;
}

/** Nothing was consumed. */
export interface Refusal {
  readonly granted: false;
  readonly scope: string;
  readonly dimension: Dimension;
  /** Tokens, requests or nano-USD, by dimension. */
  readonly limit: bigint;
  /** Settled so far in the window or period. */
  readonly used: bigint;
  /** Held by live reservations; only money tells the two apart, elsewhere 0. */
  readonly reserved: bigint;
  /** Until a further try could pass, in milliseconds; `undefined` when waiting cannot help (the request alone exceeds the limit). */
  readonly waitMs: number | undefined;
  /** As in {@link Grant}: windows of the scopes at the time of refusal. */
  readonly remaining: readonly ScopeRemaining[];
}

/** A reservation replaced by the truth. */
export interface Settlement {
  readonly requestId: string;
  readonly org: string;
  /** Input and output tokens really used. */
  readonly tokens: number;
  readonly costNanoUsd: bigint;
  readonly event: CostEvent;
}

/** One live reservation's progress. */
export interface Renewal {
  readonly requestId: string;
  readonly org: string;
  /** Cost so far: what is billed if the gateway dies now. */
  readonly progressNanoUsd: bigint;
}

/** More quota for a request that is running, beyond what was reserved for it. */
export interface Extension {
  readonly requestId: string;
  readonly org: string;
  /** Of its {@link ReserveRequest}. */
  readonly scopes: readonly Scope[];
  readonly tokens: number;
  readonly costNanoUsd: bigint;
}

export type ExtendDecision =
  | { readonly granted: true }
  | { readonly granted: false; readonly scope: string; readonly dimension: 'tokens' | 'day' | 'month' };

/** What a scope has used, read from the store in one step. */
export interface ScopeState {
  readonly scope: string;
  readonly requests: number;
  readonly tokens: number;
  readonly concurrency: number;
  readonly day: PeriodState;
  readonly month: PeriodState;
}

export interface PeriodState {
  /** `yyyymmdd` or `yyyymm`, UTC. */
  readonly period: string;
  readonly settledNanoUsd: bigint;
  readonly heldNanoUsd: bigint;
}

/** Quotas of all scopes, exact over any number of processes. Every operation is one round trip and may be repeated without harm. */
export interface Quota {
  /**
   * @throws GatewayError `quota_unavailable` when the store does not answer in time, or when too many cost events wait for
   * the ledger; `ledger_unavailable` when a budget must be counted from the ledger and that does not answer.
   */
  reserve(request: ReserveRequest): Promise<ReserveDecision>;
  /** Releases the hold, books the cost and appends the cost event to the outbox in the same step. Rejects when the store did not confirm it. */
  settle(settlement: Settlement): Promise<void>;
  /**
   * Extends the leases of live reservations, one pipeline for all. Those of this process that the store has lost are held
   * again, whatever the limits.
   */
  renew(renewals: readonly Renewal[]): Promise<void>;
  /** Holds more for a running request. A reservation that has ended since needs no more, which counts as granted. */
  extend(extension: Extension): Promise<ExtendDecision>;
  /** Settles reservations whose lease has passed; gives how many. Safe to run anywhere, at any time. */
  sweep(): Promise<number>;
  /** @throws GatewayError `quota_unavailable` when the store does not answer. */
  read(scope: string, org: string): Promise<ScopeState>;
}

/** Remembers settlements until they are in the ledger, since a store may lose what it has confirmed. */
export interface SettlementKeeper {
  /** Forgets what is in the ledger by now. To be called about once a second. */
  confirm(): Promise<void>;
  /** Settles the rest once more, for a store that may have lost data; gives how many there were. Repetitions change nothing. */
  resend(): Promise<number>;
}
