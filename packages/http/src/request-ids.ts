import { randomUUID } from 'node:crypto';
import type { Dialect } from '@tokenhub/core';

/** An id of ours for one request: `req_` and 32 hexadecimal digits, 122 random bits of them. */
export function createRequestId(): string {
  // Node makes UUIDs in batches; random bytes of its own for each request would cost ten times as much.
  return `req_${randomUUID().replaceAll('-', '')}`;
}

/** The caller's own request id when it is well formed; anything else is ignored. */
export function readClientRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(header) ? header : undefined;
}

/**
 * The headers in which the callers of a dialect find the id of their request, names and values in turn. Anthropic's client
 * libraries look for `request-id`: https://docs.claude.com/en/api/errors#request-id
 */
export function requestIdHeaders(requestId: string, dialect: Pick<Dialect, 'name'>): string[] {
  const headers = ['X-Request-Id', requestId];
  if (dialect.name === 'anthropic') headers.push('request-id', requestId);
  return headers;
}
