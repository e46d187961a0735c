import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '@tokenhub/core';
import type { FastifyInstance } from 'fastify';

export interface AdminGuardOptions {
  readonly adminToken: string;
  /** Secrets of the gateway's callers, which open nothing here. */
  readonly isCallerKey: (secret: string) => boolean;
}

/** Lets nobody under `/admin/` without the admin token, whatever is or is not there. */
export function guardAdminRoutes(fastify: FastifyInstance, { adminToken, isCallerKey }: AdminGuardOptions): void {
  const expected = digest(adminToken);
  fastify.addHook('onRequest', (request, _reply, done) => {
    if (!/^\/+admin(?:[/?]|$)/i.test(request.url)) return done();
    const secret = secretOf(request.headers);
    if (secret === undefined) return done(new GatewayError('missing_api_key', HOW_TO));
    if (timingSafeEqual(digest(secret), expected)) return done();
    if (isCallerKey(secret))
      return done(new GatewayError('forbidden', `An API key of the gateway opens nothing here. ${HOW_TO}`));
    return done(new GatewayError('invalid_api_key', `This is not the admin token. ${HOW_TO}`));
  });
}

const HOW_TO = 'Send "Authorization: Bearer <TOKENHUB_ADMIN_TOKEN>".';

function secretOf({ authorization, 'x-api-key': apiKey }: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  return bearer ?? (typeof apiKey === 'string' && apiKey !== '' ? apiKey : undefined);
}

/** Of one length whatever is compared, so that the time taken tells nothing of it. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
