import type { KeyConfig, KeyScope } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import { requestIdsOf, type RequestIds } from '@tokenhub/http';
import type { FastifyRequest } from 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; set by the authentication hook on every route under `/v1`. */
    caller: KeyConfig | null;
  }
}

/** The key of whoever calls. @throws GatewayError `forbidden` when it may not do this. */
export function callerOf(request: FastifyRequest, scope?: KeyScope): KeyConfig {
  const { caller } = request;
  if (caller === null) throw new Error('a route under /v1 was reached without authentication');
  if (scope !== undefined && !caller.scopes.includes(scope)) {
    throw new GatewayError('forbidden', `This API key has no "${scope}" scope. Ask for a key that has it.`);
  }
  return caller;
}

/** What every call says of itself besides its body. @throws GatewayError `forbidden` when its key has no such scope. */
export function chatCallFrom(request: FastifyRequest, scope: KeyScope = 'chat'): RequestIds & { key: KeyConfig } {
  return { key: callerOf(request, scope), ...requestIdsOf(request) };
}
