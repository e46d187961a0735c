import { GatewayError } from '@tokenhub/core';

/**
 * What a store answers to an operator.
 * @param message what to do when it does not
 * @throws GatewayError `quota_unavailable`
 */
export async function answered<T>(answer: Promise<T>, message: string): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new GatewayError('quota_unavailable', message, { cause, retryAfterMs: 1000 });
  }
}
