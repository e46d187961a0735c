import type { CostByKind, TokenCounts } from '@tokenhub/core';

/** How a request ended. `lease_expired`: its gateway died; the cost is that of its last sign of life. */
export const OUTCOMES = [
  'completed',
  'client_cancelled',
  'upstream_error',
  'timeout',
  'shutdown',
  'lease_expired',
] as const;

export type Outcome = (typeof OUTCOMES)[number];

/** What is known of a request when it is admitted. */
export interface Admission {
  readonly requestId: string;
  readonly keyId: string;
  readonly user?: string | undefined;
  readonly team?: string | undefined;
  readonly org: string;
  readonly surface: 'chat' | 'chat_completions' | 'messages' | 'responses' | 'embeddings';
  readonly streamed: boolean;
  /** The model id the caller named; absent when any would do. */
  readonly requestedModel?: string | undefined;
  readonly clientRequestId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly admittedAt: number;
}

/**
 * The facts of one request after its end, as its gateway states them; nobody downstream computes any of it again.
 * Money is nano-USD. New members are optional, since older events may still be queued.
 */
export interface CostEvent extends Admission {
  readonly outcome: Outcome;
  /** Absent when no provider ever began to answer. */
  readonly model?: string | undefined;
  readonly provider?: string | undefined;
  readonly deployment?: string | undefined;
  /** The routing reason, as in `X-TokenHub-Reason`. */
  readonly reason?: string | undefined;
  readonly counts: TokenCounts;
  readonly costNanoUsd: bigint;
  readonly inputCostNanoUsd: bigint;
  readonly outputCostNanoUsd: bigint;
  /** The same cost by kind of token. An older event that does not say is read as if all of it were plain input and output. */
  readonly costsNanoUsd: CostByKind;
  readonly estimated: boolean;
  /** The error's stable slug, when it did not complete. */
  readonly errorReason?: string | undefined;
  readonly priceVersion?: string | undefined;
  /** From admission to the first content event. */
  readonly firstTokenMs?: number | undefined;
  readonly durationMs: number;
  readonly attempts: readonly AttemptRecord[];
}

/** One try at one deployment. */
export interface AttemptRecord {
  readonly deployment: string;
  readonly provider: string;
  readonly model: string;
  /** `served`, or the slug of the error that ended it. */
  readonly outcome: string;
  /** The provider's HTTP status; absent when it gave none. */
  readonly status?: number | undefined;
  readonly costNanoUsd: bigint;
}
