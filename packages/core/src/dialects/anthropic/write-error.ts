import type { JsonObject } from '../../chat/json.ts';
import type { GatewayError } from '../../errors.ts';
import { quotaMember } from '../quota-member.ts';

/** Anthropic's types of error by status. Source: https://docs.anthropic.com/en/api/errors */
const TYPES: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** The body of an error answer. */
export function writeError(error: GatewayError, requestId: string): JsonObject {
  return {
    type: 'error',
    error: {
      type: errorType(error.facts.status),
      message: error.message,
      ...quotaMember(error),
      // By this Anthropic's own client knows that it has to send the whole conversation.
      ...(error.code === 'thread_not_found' && { details: { error_code: error.code } }),
    },
    request_id: requestId,
  };
}

/** The event that ends a stream which failed after its first content. */
export function writeStreamError(error: GatewayError, requestId: string): string {
  return `event: error\ndata: ${JSON.stringify(writeError(error, requestId))}\n\n`;
}

function errorType(status: number): string {
  return TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}
