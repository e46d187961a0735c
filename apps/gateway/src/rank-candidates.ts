import {
  GatewayError,
  PROMPT_TOO_LONG,
  longestInputTokens,
  rank,
  type ExclusionReason,
  type HealthReader,
  type RankedCandidate,
  type Ranking,
  type RankRequest,
} from '@tokenhub/core';
import type { Catalog } from './catalog.ts';
import type { ChatCall } from './complete-chat.ts';
import { CandidateLosses } from './candidate-losses.ts';
import { tighten, type RoutingPolicy } from './surfaces/routing-policy.ts';

/** Output that is expected of a caller who names no bound, in tokens; only to compare models by their cost. */
const EXPECTED_OUTPUT_TOKENS = 512;

export type RoutedCall = Pick<ChatCall, 'request' | 'policy' | 'key'>;

export interface RoutingContext {
  readonly catalog: Catalog;
  readonly health: HealthReader;
  readonly inputTokens: number;
}

/** Who could serve a call, and why the others cannot. */
export interface Explanation {
  readonly ranking: Ranking;
  readonly policy: RoutingPolicy;
  /** What of the request some provider has no words for, where that kept it from serving. */
  readonly lost: GatewayError | undefined;
}

/** Everybody who could serve this call, and why the others cannot. */
export function explainRanking(call: RoutedCall, context: RoutingContext): Explanation {
  const { request, key } = call;
  const { catalog, health, inputTokens } = context;
  const policy = tighten(call.policy, catalog.config.routing);
  const losses = new CandidateLosses(call);
  const isEmbedding = request.source.dialect === 'embeddings';
  const demands: RankRequest = {
    inputTokens,
    windowTokens: isEmbedding ? longestInputTokens(request) : undefined,
    kind: isEmbedding ? 'embedding' : 'chat',
    outputTokens: Math.min(request.maxOutputTokens ?? EXPECTED_OUTPUT_TOKENS, EXPECTED_OUTPUT_TOKENS),
    mode: policy.mode,
    model: request.model,
    autoModels: catalog.config.routing.autoModels,
    allowModelFallback: policy.allowModelFallback,
    maxBudgetNanoUsd: policy.maxBudgetNanoUsd,
    minWeight: policy.minWeight,
    isAllowed: ({ model }) => catalog.allows(key, model.id),
    cannotCarry: (candidate) => losses.refuses(candidate),
  };
  return { ranking: rank(catalog.candidates, demands, health), policy, lost: losses.lost };
}

/**
 * The candidates of this call, best first and at least one.
 * @throws GatewayError that says why nobody can serve it.
 */
export function rankCandidates(
  call: RoutedCall,
  context: RoutingContext,
): { ranked: readonly RankedCandidate[]; policy: RoutingPolicy } {
  const { model } = call.request;
  if (model !== undefined && !(context.catalog.hasModel(model) && context.catalog.allows(call.key, model))) {
    const message = `The model "${model}" does not exist or is not open to this key. GET /v1/models lists those that are.`;
    throw new GatewayError('model_not_found', message, { param: 'model' });
  }
  const { ranking, policy, lost } = explainRanking(call, context);
  const isOfWrongKind = ranking.excluded.some(
    ({ candidate, reason }) => reason === 'wrong_kind' && candidate.model.id === model,
  );
  if (isOfWrongKind) throw whyWrongKind(call);
  if (ranking.ranked.length === 0) throw whyNobody(ranking, call, lost);
  return { ranked: ranking.ranked, policy };
}

function whyWrongKind({ request: { model = '', source } }: RoutedCall): GatewayError {
  const message =
    source.dialect === 'embeddings'
      ? `The model "${model}" makes no embeddings. Use it with POST /v1/chat/completions, or name a model of the kind embedding.`
      : `The model "${model}" makes embeddings only. Use it with POST /v1/embeddings, or name a model of the kind chat.`;
  return new GatewayError('invalid_parameter', message, { param: 'model' });
}

function whyNobody({ excluded }: Ranking, { policy }: RoutedCall, lost: GatewayError | undefined): GatewayError {
  const reasons = new Set<ExclusionReason>(excluded.map(({ reason }) => reason));
  // What passes by itself comes first: the same request may succeed in a moment.
  const waitsMs = excluded.flatMap(({ retryInMs = [] }) => retryInMs);
  if (waitsMs.length > 0) {
    const retryAfterMs = Math.ceil(Math.min(...waitsMs));
    return reasons.has('unhealthy')
      ? new GatewayError(
          'no_upstream',
          'Every model that could serve this request is failing now. Try again shortly.',
          {
            retryAfterMs,
          },
        )
      : new GatewayError('upstream_rate_limited', 'Every provider that could serve this request is at its limit.', {
          retryAfterMs,
        });
  }
  if (reasons.has('credentials_refused')) {
    return new GatewayError('upstream_auth', 'The provider refuses the credentials of this gateway.');
  }
  if (reasons.has('budget_exceeded')) {
    const message =
      'Every model that could serve this request would cost more than max_budget_usd allows for one request.';
    return new GatewayError('budget_exceeded', message, { param: 'policy.max_budget_usd' });
  }
  if (lost !== undefined) return lost;
  if (reasons.has('context_overflow')) {
    return new GatewayError('context_length_exceeded', PROMPT_TOO_LONG, { param: 'messages' });
  }
  if (reasons.has('weight_below_minimum')) {
    const message = `No model that this key may use has a weight of ${policy.minWeight ?? 0} or more.`;
    return new GatewayError('invalid_parameter', message, { param: 'policy.min_weight' });
  }
  return new GatewayError('model_not_found', 'This key may use none of the models.', { param: 'model' });
}
