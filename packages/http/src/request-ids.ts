import { randomUUID } from 'node:crypto';
import type { Dialect } from '@tokenhub/core';
import type { FastifyRequest } from 'fastify';

/** What one request is called. */
export interface RequestIds {
  /** By us. */
  readonly requestId: string;
  /** By its caller; absent: it gave no well-formed id. */
  readonly clientRequestId?: string | undefined;
}

/** An id of ours for one request: `req_` and 32 hexadecimal digits, 122 random bits of them. */
export function createRequestId(): string {
  // Node makes UUIDs in batches; random bytes of its own for each request would cost ten times as much.
  return `req_${randomUUID().replaceAll('-', '')}`;
}

/** The ids of a request; one of the caller's that is not well formed is ignored. */
export function requestIdsOf({ id, headers }: Pick<FastifyRequest, 'id' | 'headers'>): RequestIds {
  const own = headers['x-request-id'];
  const isWellFormed = typeof own === 'string' && /^[A-Za-z0-9_.-]{1,64}$/.test(own);
  return { requestId: id, clientRequestId: isWellFormed ? own : undefined };
}

/**
 * The headers in which the callers of a dialect find the ids of their request. Anthropic's client libraries look for
 * `request-id`: https://docs.claude.com/en/api/errors#request-id
 */
export function requestIdHeaders(
  { requestId, clientRequestId }: RequestIds,
  dialect: Pick<Dialect, 'name'>,
): Record<string, string> {
  return {
    'X-Request-Id': requestId,
    ...(dialect.name === 'anthropic' && { 'request-id': requestId }),
    ...(clientRequestId !== undefined && { 'X-Client-Request-Id': clientRequestId }),
  };
}
