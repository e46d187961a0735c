import { formatUsd, GatewayError, type ExceededQuota } from '@tokenhub/core';
import type { Refusal } from '@tokenhub/metering';

const NAMES: Readonly<Record<Refusal['dimension'], string>> = {
  requests: 'requests per minute',
  tokens: 'tokens per minute',
  concurrency: 'concurrent requests',
  day: 'budget of the day',
  month: 'budget of the month',
};

/**
 * A refused reservation as the error that its caller gets: which scope, which limit, how much of it is used, and when to come
 * again; once for people and once, as `quota`, for programs.
 * @param now milliseconds since 1970
 */
export function toGatewayError(refusal: Refusal, now = Date.now()): GatewayError {
  const { scope, dimension, waitMs } = refusal;
  const name = NAMES[dimension];
  const quota = toExceededQuota(refusal, now);
  if (dimension === 'day' || dimension === 'month') {
    const held = refusal.reserved > 0n ? ` and ${quota.reserved} USD held by requests that are running` : '';
    const state = `${quota.used} USD spent${held} of ${quota.limit} USD`;
    const message = `The ${name} of ${scope} does not allow this request: ${state}, until ${toTime(quota.resetAt)}.`;
    return new GatewayError('budget_exceeded', message, { quota });
  }
  const state = `${refusal.used} of ${refusal.limit} used`;
  if (waitMs === undefined) {
    const advice = 'Waiting cannot help; send less text or a smaller max_tokens.';
    const message = `This request alone is larger than the limit of ${refusal.limit} ${name} of ${scope}. ${advice}`;
    return new GatewayError('request_exceeds_limit', message, { quota });
  }
  const seconds = Math.ceil(waitMs / 1000);
  const message = `The limit of ${name} of ${scope} is reached: ${state}. Try again in ${seconds} s.`;
  return new GatewayError('rate_limit_exceeded', message, { quota, retryAfterMs: waitMs });
}

function toExceededQuota(refusal: Refusal, now: number): ExceededQuota {
  const { scope, dimension, limit, used, reserved } = refusal;
  const toAmount = dimension === 'day' || dimension === 'month' ? formatUsd : Number;
  return {
    scope,
    dimension,
    limit: toAmount(limit),
    used: toAmount(used),
    reserved: toAmount(reserved),
    resetAt: resetOf(refusal, now),
  };
}

/** A budget begins anew with its period, a window when what fills it has left it. */
function resetOf({ scope, dimension, waitMs, remaining }: Refusal, now: number): number {
  const date = new Date(now);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (dimension === 'day') return Date.UTC(year, month, date.getUTCDate() + 1);
  if (dimension === 'month') return Date.UTC(year, month + 1);
  const windows = remaining.find((state) => state.scope === scope);
  const resetMs = dimension === 'concurrency' ? undefined : windows?.[dimension]?.resetMs;
  return now + (waitMs ?? resetMs ?? 0);
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
