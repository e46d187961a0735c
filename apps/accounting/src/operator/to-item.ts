import { formatCosts, formatUsd, type TokenCounts } from '@tokenhub/core';
import type { LedgerEntry, Limits, PeriodState, ScopeState, UsageGroup } from '@tokenhub/metering';

/** A ledger row as the operator surface shows it; what is not known is null. */
export function toLedgerItem({ kind, event, deltaNanoUsd, day, month, createdAt }: LedgerEntry) {
  return {
    request_id: event.requestId,
    kind,
    outcome: event.outcome,
    key: event.keyId,
    user: event.user ?? null,
    team: event.team ?? null,
    org: event.org,
    surface: event.surface,
    streamed: event.streamed,
    requested_model: event.requestedModel ?? null,
    model: event.model ?? null,
    provider: event.provider ?? null,
    deployment: event.deployment ?? null,
    reason: event.reason ?? null,
    ...toCounts(event.counts),
    cost_usd: formatUsd(event.costNanoUsd),
    input_cost_usd: formatUsd(event.inputCostNanoUsd),
    output_cost_usd: formatUsd(event.outputCostNanoUsd),
    costs: formatCosts(event.costsNanoUsd),
    delta_usd: formatUsd(deltaNanoUsd),
    estimated: event.estimated,
    error_reason: event.errorReason ?? null,
    price_version: event.priceVersion ?? null,
    first_token_ms: event.firstTokenMs ?? null,
    duration_ms: event.durationMs,
    attempts: event.attempts.map(({ deployment, provider, model, outcome, status, costNanoUsd }) => ({
      deployment,
      provider,
      model,
      outcome,
      status: status ?? null,
      cost_usd: formatUsd(costNanoUsd),
    })),
    day,
    month,
    client_request_id: event.clientRequestId ?? null,
    admitted_at: new Date(event.admittedAt).toISOString(),
    created_at: new Date(createdAt).toISOString(),
  };
}

/** `costs` and `adjustments_usd` add up to `cost_usd`. */
export function toUsageItem({ group, requests, costNanoUsd, costsNanoUsd, adjustmentsNanoUsd, ...counts }: UsageGroup) {
  return {
    group,
    requests,
    ...toCounts(counts),
    cost_usd: formatUsd(costNanoUsd),
    costs: formatCosts(costsNanoUsd),
    adjustments_usd: formatUsd(adjustmentsNanoUsd),
  };
}

/** What a scope has used, beside what it may use; a limit that is not set is null, and so are all where they are not known. */
export function toQuotaItem(
  { scope, requests, tokens, concurrency, day, month }: ScopeState,
  known: Limits | undefined,
) {
  const limits = known ?? {};
  return {
    scope,
    limits_known: known !== undefined,
    requests: { limit: limits.requestsPerMinute ?? null, used: requests },
    tokens: { limit: limits.tokensPerMinute ?? null, used: tokens },
    concurrency: { limit: limits.concurrency ?? null, used: concurrency },
    day: toPeriodItem(day, limits.dayNanoUsd),
    month: toPeriodItem(month, limits.monthNanoUsd),
  };
}

function toPeriodItem({ period, settledNanoUsd, heldNanoUsd }: PeriodState, limit: bigint | undefined) {
  return {
    period,
    limit_usd: limit === undefined ? null : formatUsd(limit),
    settled_usd: formatUsd(settledNanoUsd),
    held_usd: formatUsd(heldNanoUsd),
  };
}

function toCounts({ promptTokens, cachedTokens, cacheWriteTokens, completionTokens, reasoningTokens }: TokenCounts) {
  return {
    prompt_tokens: promptTokens,
    cached_tokens: cachedTokens,
    cache_write_tokens: cacheWriteTokens,
    completion_tokens: completionTokens,
    reasoning_tokens: reasoningTokens,
  };
}
