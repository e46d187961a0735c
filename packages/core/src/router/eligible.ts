import type { Candidate, ModelKind } from './candidate.ts';

/** Why a candidate cannot serve a request, in the order in which the reasons are looked for: the first that holds is given. */
export type ExclusionReason =
  /** The caller's key may not use the model. */
  | 'model_not_allowed'
  /** Makes something else than what is asked for: vectors, or an answer. */
  | 'wrong_kind'
  /** The caller named another model and allows no fallback, or named none and this one is not offered to such callers. */
  | 'model_not_named'
  /** Less capable than the caller asks for. */
  | 'weight_below_minimum'
  /** The input with a reserve of 15 % is larger than the model's context window. */
  | 'context_overflow'
  /** Speaks a dialect that cannot carry some member of the request. */
  | 'unsupported_parameter'
  /** Its provider refuses our credentials, or they cannot be read. */
  | 'credentials_refused'
  /** Its circuit breaker is open, or half-open with its probe under way. */
  | 'unhealthy'
  /** It asked to be left alone for a while (`Retry-After`). */
  | 'cooling_down'
  /** Its estimated cost is above the budget of a request. */
  | 'budget_exceeded';

/** What a request demands of those who serve it. */
export interface Demands {
  /** Likely input, in whole tokens. */
  readonly inputTokens: number;
  /** What has to fit into a context window, in whole tokens, where that is not the whole input. */
  readonly windowTokens?: number | undefined;
  /** What is to be made of the input. @defaultValue `chat` */
  readonly kind?: ModelKind | undefined;
  /** The model id that the caller named; absent when any will do. */
  readonly model?: string | undefined;
  /** The models that a caller who names none is offered; absent: all. */
  readonly autoModels?: readonly string[] | undefined;
  /** Whether other models may serve when one was named. */
  readonly allowModelFallback: boolean;
  /** Most that one request may cost by the estimate; absent: no limit. */
  readonly maxBudgetNanoUsd?: bigint | undefined;
  /** Least capability, 0 to 10. */
  readonly minWeight?: number | undefined;
  /** Whether the caller's key may use the model; absent: every one. */
  readonly isAllowed?: ((candidate: Candidate) => boolean) | undefined;
  /** Whether the candidate's dialect has no words for some member of the request; absent: none of them. */
  readonly cannotCarry?: ((candidate: Candidate) => boolean) | undefined;
}

/** What is known of a candidate at this moment. */
export interface CandidateState {
  readonly estimatedCostNanoUsd: bigint;
  readonly credentialsRefused: boolean;
  readonly unhealthy: boolean;
  readonly coolingDown: boolean;
}

/** The first reason why this candidate may not serve the request; `undefined` when it is eligible. */
export function findExclusion(
  candidate: Candidate,
  demands: Demands,
  state: CandidateState,
): ExclusionReason | undefined {
  const { id, weight, contextWindow, kind = 'chat' } = candidate.model;
  const { inputTokens, windowTokens = inputTokens } = demands;
  if (demands.isAllowed?.(candidate) === false) return 'model_not_allowed';
  if (kind !== (demands.kind ?? 'chat')) return 'wrong_kind';
  if (!isCalledFor(id, demands)) return 'model_not_named';
  if (demands.minWeight !== undefined && weight < demands.minWeight) return 'weight_below_minimum';
  if (contextWindow !== undefined && withReserve(windowTokens) > contextWindow) return 'context_overflow';
  if (demands.cannotCarry?.(candidate) === true) return 'unsupported_parameter';
  if (state.credentialsRefused) return 'credentials_refused';
  if (state.unhealthy) return 'unhealthy';
  if (state.coolingDown) return 'cooling_down';
  if (demands.maxBudgetNanoUsd !== undefined && state.estimatedCostNanoUsd > demands.maxBudgetNanoUsd) {
    return 'budget_exceeded';
  }
  return undefined;
}

function isCalledFor(id: string, { model, autoModels, allowModelFallback }: Demands): boolean {
  if (model === undefined) return autoModels === undefined || autoModels.includes(id);
  return model === id || allowModelFallback;
}

/** 15 % more, for what an estimate misses. In whole hundredths, because 100 × 1.15 is less than 115 in doubles. */
function withReserve(tokens: number): number {
  return Math.floor((tokens * 115) / 100);
}
