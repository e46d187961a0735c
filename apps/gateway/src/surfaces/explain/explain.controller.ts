import { Controller, Inject, Post, Req } from '@nestjs/common';
import {
  estimateInput,
  formatUsd,
  openaiDialect,
  type DeploymentHealth,
  type JsonObject,
  type RankedCandidate,
} from '@tokenhub/core';
import type { FastifyRequest } from 'fastify';
import { estimateUse } from '../../admission/estimate.ts';
import type { ChatServices } from '../../complete-chat.ts';
import { callerOf } from '../../http/caller.ts';
import { readJsonBody } from '../../http/read-json-body.ts';
import { explainRanking, type RoutedCall } from '../../rank-candidates.ts';
import { CHAT_SERVICES } from '../../tokens.ts';
import { readEnvelope } from '../chat/read-envelope.ts';
import { policyFromHeaders } from '../routing-policy.ts';
import { CHAT_COMPLETION_BODY, DescribeRoute, ENVELOPE_BODY } from '../../http/describe-route.ts';

/** What would happen to a chat request, without anybody being called and anything being reserved. */
@Controller('v1/route/explain')
export class ExplainController {
  readonly #services: ChatServices;

  constructor(@Inject(CHAT_SERVICES) services: ChatServices) {
    this.#services = services;
  }

  @Post()
  @DescribeRoute({
    summary: 'What would happen to a chat request of either shape',
    answer: 'Every deployment with its score, or why it is excluded, and what would be reserved',
    body: { anyOf: [CHAT_COMPLETION_BODY, ENVELOPE_BODY] },
    takesPolicy: true,
  })
  explain(@Req() request: FastifyRequest): unknown {
    const key = callerOf(request, 'chat');
    const call = readCall(readJsonBody(request.body), request);
    const catalog = this.#services.catalog();
    const input = estimateInput(call.request);
    const inputTokens = call.estimatedInputTokens ?? input.likely;
    const { health } = this.#services;
    const { ranking, policy } = explainRanking({ ...call, key }, { catalog, health, inputTokens });
    const estimate = estimateUse(call.request, input, ranking.ranked);
    return {
      mode: policy.mode,
      estimated_input_tokens: inputTokens,
      ranked: ranking.ranked.map((ranked) => ({
        ...toRanked(ranked),
        health: toHealth(health.read(ranked.candidate.id)),
      })),
      excluded: ranking.excluded.map(({ candidate, reason, retryInMs }) => ({
        deployment: candidate.id,
        model: candidate.model.id,
        provider: candidate.provider.id,
        reason,
        retry_in_ms: retryInMs === undefined ? null : Math.ceil(retryInMs),
        health: toHealth(health.read(candidate.id)),
      })),
      reservation: {
        scopes: catalog.scopesOf(key).map(({ id }) => id),
        tokens: estimate.tokens,
        cost_usd: formatUsd(estimate.costNanoUsd),
      },
    };
  }
}

/** A chat body of either shape: the envelope is known by its `request`. */
function readCall(
  body: JsonObject,
  request: FastifyRequest,
): Omit<RoutedCall, 'key'> & { readonly estimatedInputTokens?: number | undefined } {
  if (body['request'] !== undefined) return readEnvelope(body);
  return { request: openaiDialect.readRequest(body), policy: policyFromHeaders(request.headers) };
}

function toRanked({
  candidate,
  score,
  terms,
  estimatedCostNanoUsd,
  ttftMs,
  errorRate,
}: RankedCandidate): Record<string, unknown> {
  return {
    deployment: candidate.id,
    model: candidate.model.id,
    provider: candidate.provider.id,
    weight: candidate.model.weight,
    score,
    terms,
    estimated_cost_usd: formatUsd(estimatedCostNanoUsd),
    ttft_ms: ttftMs,
    error_rate: errorRate,
  };
}

function toHealth(health: DeploymentHealth): Record<string, unknown> {
  return {
    breaker: health.breaker,
    open_ms: Math.ceil(health.openMs),
    cooldown_ms: Math.ceil(health.cooldownMs),
    requests: health.requests,
    failures: health.failures,
    ms_per_token: health.msPerToken,
  };
}
