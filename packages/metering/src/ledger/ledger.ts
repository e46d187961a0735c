import type { CostEvent } from '../cost-event.ts';

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

/** An outbox entry that could not be read: kept whole, with the reason, for a person to look at. */
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
  readonly outcome?: string | undefined;
}

/** Of requests by their time of admission. */
export interface UsageQuery {
  /** Milliseconds since 1970; inclusive. */
  readonly from?: number | undefined;
  /** Exclusive. */
  readonly to?: number | undefined;
  readonly groupBy: 'day' | 'model' | 'provider' | 'key' | 'org';
}

export interface UsageGroup {
  /** `yyyymmdd`, or a name; `unknown` for requests that no provider ever began to answer. */
  readonly group: string;
  readonly requests: number;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly costNanoUsd: bigint;
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
  close(): Promise<void>;
}
