import type { IncomingHttpHeaders } from 'node:http';
import type { KeyConfig } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Shutdown } from '../shutdown.ts';

/** Everything but the routes for operators' own tools. */
const NEEDS_KEY = /^\/(?:anthropic\/)?v1\//;

export interface GuardOptions {
  /** @throws GatewayError */
  readonly authenticate: (headers: IncomingHttpHeaders) => KeyConfig;
  readonly shutdown: Pick<Shutdown, 'hasBegun' | 'refuses'>;
}

/**
 * What every request passes before its body is read: who calls, and whether the body is JSON as we read it. A hook of
 * Fastify's and not a guard of Nest's, which would run after the body and cost several times as much.
 */
export function guardRoutes(fastify: FastifyInstance, { authenticate, shutdown }: GuardOptions): void {
  fastify.decorateRequest('caller', null);
  // Bodies stay bytes: a route reads them with `readJsonBody`, stricter than any parser of the framework.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  fastify.addHook('onRequest', (request, reply, done) => {
    // The caller's next request should find another process.
    if (shutdown.hasBegun) reply.raw.shouldKeepAlive = false;
    try {
      if (NEEDS_KEY.test(request.url) && !request.is404) {
        request.caller = authenticate(request.headers);
        if (shutdown.refuses)
          throw new GatewayError('shutting_down', 'The gateway is shutting down. Send the request again.');
        checkEncoding(request);
      }
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error('not authenticated', { cause: error }));
    }
  });
}

function checkEncoding({ headers }: FastifyRequest): void {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') {
    throw new GatewayError('unsupported_encoding', 'The body must not be compressed. Leave Content-Encoding out.');
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new GatewayError(
      'unsupported_media_type',
      'The body must be JSON in UTF-8. Send "Content-Type: application/json".',
    );
  }
}
