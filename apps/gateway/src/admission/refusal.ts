import { formatUsd, GatewayError } from '@tokenhub/core';
import type { Refusal } from '@tokenhub/metering';

const NAMES: Readonly<Record<Refusal['dimension'], string>> = {
  requests: 'requests per minute',
  tokens: 'tokens per minute',
  concurrency: 'concurrent requests',
  day: 'budget of the day',
  month: 'budget of the month',
};

/** A refused reservation as the error that its caller gets: which scope, which limit, how much of it is used, and when to come again. */
export function toGatewayError(refusal: Refusal): GatewayError {
  const { scope, dimension, waitMs } = refusal;
  const name = NAMES[dimension];
  if (dimension === 'day' || dimension === 'month') {
    const held =
      refusal.reserved > 0n ? ` and ${formatUsd(refusal.reserved)} USD held by requests that are running` : '';
    const state = `${formatUsd(refusal.used)} USD spent${held} of ${formatUsd(refusal.limit)} USD`;
    return new GatewayError('budget_exceeded', `The ${name} of ${scope} does not allow this request: ${state}.`);
  }
  const state = `${refusal.used} of ${refusal.limit} used`;
  if (waitMs === undefined) {
    const advice = 'Waiting cannot help; send less text or a smaller max_tokens.';
    return new GatewayError(
      'request_exceeds_limit',
      `This request alone is larger than the limit of ${refusal.limit} ${name} of ${scope}. ${advice}`,
    );
  }
  const seconds = Math.ceil(waitMs / 1000);
  return new GatewayError(
    'rate_limit_exceeded',
    `The limit of ${name} of ${scope} is reached: ${state}. Try again in ${seconds} s.`,
    {
      retryAfterMs: waitMs,
    },
  );
}
