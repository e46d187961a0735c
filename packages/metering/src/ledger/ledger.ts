import type { CostByKind } from '@tokenhub/core';
import type { CostEvent, Outcome } from '../cost-event.ts';

/** `T`: how a request ended, exactly one per admitted request · `A`: a correction of it · `R`: a refund. */
export type EntryKind = 'T' | 'A' | 'R';

/** One row of the ledger; rows are only ever added. */
export interface LedgerEntry {
  readonly kind: EntryKind;
  readonly event: CostEvent;
  /** What this row adds to the sums: the cost for `T`, the difference for `A` and `R`. */
  readonly deltaNanoUsd: bigint;
  /** Periods of admission, UTC: `yyyymmdd` and `yyyymm`. */
  readonly day: string;
  readonly month: string;
  /** Where in the outbox it came from. */
  readonly shard: number;
  readonly streamId: string;
  /** When it was put into the outbox; milliseconds since 1970 by the store's clock. */
  readonly createdAt: number;
}

/** An outbox entry that could not be read, or that the ledger refuses: kept whole, with the reason, for a person to look at. */
export interface DeadLetter {
  readonly shard: number;
  readonly streamId: string;
  readonly fields: Readonly<Record<string, string>>;
  readonly reason: string;
}

export interface LedgerQuery {
  /** Of an earlier answer; absent for the newest. */
  readonly cursor?: string | undefined;
  /** 1 to 500. */
  readonly limit: number;
  readonly key?: string | undefined;
  readonly model?: string | undefined;
  readonly outcome?: Outcome | undefined;
}

/** Of requests by their time of admission. */
export interface UsageQuery {
  /** Milliseconds since 1970; inclusive. */
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly to?: number | undefined;
  readonly groupBy: 'day' | 'model' | 'provider' | 'key' | 'user' | 'team' | 'org';
}

/** What requests have used and cost; one that was corrected counts as its correction says. */
export interface UsageGroup {
  /** `yyyymmdd`, or a name; `unknown` for requests that no provider ever began to answer, or whose key has no user or team. */
  readonly group: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly costNanoUsd: bigint;
  /** The same cost by kind of token, and what is of no kind: together they are `costNanoUsd`. */
  readonly costsNanoUsd: CostByKind;
  /** Refunds and later charges. */
  readonly adjustmentsNanoUsd: bigint;
}

export interface SumsQuery {
  /** Of the outbox that the position is one of. */
  readonly shard: number;
  /** Such as `key:demo`. */
  readonly scopes: readonly string[];
  /** The oldest periods asked for, `yyyymmdd` and `yyyymm`. */
  readonly sinceDay: string;
  readonly sinceMonth: string;
  /** Leaves out events of the shard that came after this position. */
  readonly upTo?: string | undefined;
}

/** What scopes have spent by the roll-ups, read in one step. */
export interface LedgerSums {
  /** In the shard's outbox, of the last event that is in the ledger; absent when there is none. */
  readonly position: string | undefined;
  /** A scope and period without an event is left out. */
  readonly sums: readonly PeriodSum[];
}

export interface PeriodSum {
  readonly scope: string;
  /** `yyyymmdd` or `yyyymm`. */
  readonly period: string;
  readonly nanoUsd: bigint;
}

/** Where in the outboxes an entry came from. */
export type Origin = Pick<LedgerEntry, 'shard' | 'streamId'>;

/** Something in the ledger that does not agree with the rest of it. */
export interface LedgerFlaw {
  /** The request whose rows contradict each other; absent when it is a sum that differs from its rows. */
  readonly requestId?: string | undefined;
  /** Of a sum: whose, and of which period. */
  readonly scope?: string | undefined;
  readonly period?: string | undefined;
  /** What it is by the rows, or by what its gateway has stated. */
  readonly expectedNanoUsd: bigint;
  readonly actualNanoUsd: bigint;
}

/** A sum of the store that did not agree with the ledger, and was put right. */
export interface Repair {
  readonly scope: string;
  /** `yyyymmdd` or `yyyymm`. */
  readonly period: string;
  /** What was added to it, with its sign. */
  readonly deltaNanoUsd: bigint;
  /** Milliseconds since 1970. */
  readonly madeAt: number;
}

export interface FlawQuery {
  /** `yyyymmdd` */
  readonly sinceDay: string;
  readonly limit: number;
}

export interface LedgerOptions {
  /** For processes beside the one that writes; such a ledger has no rows until the other has made it. @defaultValue false */
  readonly readOnly?: boolean | undefined;
}

/**
 * The durable record of every request. Adding an entry twice changes nothing.
 * All that read it throw GatewayError `ledger_unavailable` when a database server does not answer.
 */
export interface Ledger {
  /**
   * Adds entries and dead letters and their roll-ups in one transaction; gives how many entries were new. Rejects with
   * nothing added, or, when the answer was lost, with all of it added: trying again is right either way.
   * @throws LedgerRefusal when it is an entry's fault, and trying again is useless.
   */
  append(entries: readonly LedgerEntry[], deadLetters: readonly DeadLetter[]): Promise<number>;
  /**
   * Newest first.
   * @throws GatewayError `invalid_parameter` for a cursor that is none of an answer.
   */
  list(
    query: LedgerQuery,
  ): Promise<{ readonly entries: readonly LedgerEntry[]; readonly nextCursor: string | undefined }>;
  /** All rows of a request, the `T` row first; empty when there is none. */
  find(requestId: string): Promise<readonly LedgerEntry[]>;
  /** In the order of the groups' names. */
  usage(query: UsageQuery): Promise<readonly UsageGroup[]>;
  /** How many dead letters there are. */
  countDeadLetters(): Promise<number>;
  /** In the order of their places in the outboxes, at most `limit`. */
  deadLetters(limit: number): Promise<readonly DeadLetter[]>;
  /** What scopes have spent: what the store counts them from, and is compared with. */
  sums(query: SumsQuery): Promise<LedgerSums>;
  /** Where the `T` rows of requests came from; a request without one is left out. */
  origins(requestIds: readonly string[]): Promise<ReadonlyMap<string, Origin>>;
  /**
   * Looks for rows that contradict themselves or each other, and for roll-ups that are not the sum of their rows, among what
   * was admitted since a day; at most `limit` of each kind.
   */
  findFlaws(query: FlawQuery): Promise<readonly LedgerFlaw[]>;
  /** Keeps what was done to the counters of the store. */
  addRepairs(repairs: readonly Repair[]): Promise<void>;
  /** Those since a time, newest first, at most `limit`. */
  repairs(query: { readonly since: number; readonly limit: number }): Promise<readonly Repair[]>;
  close(): Promise<void>;
}
