import type { JsonObject } from '../../chat/json.ts';
import type { GatewayError } from '../../errors.ts';
import { quotaMember } from '../quota-member.ts';

/** The body of an error answer. `code` is the HTTP status, `reason` the stable name of what went wrong. */
export function writeError(error: GatewayError, requestId: string): JsonObject {
  const { status, type } = error.facts;
  return {
    error: {
      message: error.message,
      type,
      code: status,
      reason: error.code,
      ...(error.param !== undefined && { param: error.param }),
      ...quotaMember(error),
      request_id: requestId,
    },
  };
}

/**
 * The last event of a stream that failed. Its choice lets readers that look only at `choices` come to an end; without an
 * `index`, because with one `@ai-sdk/openai` takes the event for an ordinary chunk and drops the error.
 */
export function writeStreamError(error: GatewayError, requestId: string): string {
  const { status, type } = error.facts;
  const body = {
    message: error.message,
    type,
    code: status,
    reason: error.code,
    ...quotaMember(error),
    request_id: requestId,
  };
  return `data: ${JSON.stringify({ error: body, choices: [{ delta: {}, finish_reason: 'error' }] })}\n\n`;
}
