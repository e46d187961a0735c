import type { ErrorCode } from '../errors.ts';
import type { Candidate } from './candidate.ts';

/** Why this candidate served, as in `X-TokenHub-Reason`; N is its model's capability weight. */
export type RoutingReason =
  /** The scored pick. */
  | `routed-weight-${number}`
  /** The model that the caller named. */
  | 'model-hint'
  /** A later candidate, after an earlier one had failed. */
  | `failover-weight-${number}`
  /** A model with a larger context window, after the input had been too long for another. */
  | 'escalated-context-overflow'
  /** The same candidate, after it had failed once. */
  | 'retried-transient';

/** A try that failed before the one that served. */
export interface FailedAttempt {
  readonly candidateId: string;
  readonly code: ErrorCode;
}

/** How a request came to be served by whom it was. */
export interface RoutingStory {
  readonly served: Pick<Candidate, 'id' | 'model'>;
  /** The model id that the caller named; absent when any would do. */
  readonly requestedModel?: string | undefined;
  /** Oldest first. */
  readonly failedAttempts: readonly FailedAttempt[];
}

/** Names the reason, from what was tried before and what the caller had asked for. */
export function findRoutingReason({ served, requestedModel, failedAttempts }: RoutingStory): RoutingReason {
  const { id, weight } = served.model;
  if (failedAttempts.some(({ code }) => code === 'context_length_exceeded')) return 'escalated-context-overflow';
  if (failedAttempts.at(-1)?.candidateId === served.id) return 'retried-transient';
  if (failedAttempts.length > 0) return `failover-weight-${weight}`;
  return requestedModel === id ? 'model-hint' : `routed-weight-${weight}`;
}
