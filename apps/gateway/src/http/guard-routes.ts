import type { IncomingHttpHeaders } from 'node:http';
import type { KeyConfig } from '@tokenhub/config';
import { GatewayError } from '@tokenhub/core';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Gate } from '../admission/gate.ts';
import type { Shutdown } from '../shutdown.ts';

/** Everything but the routes for operators' own tools. */
const NEEDS_KEY = /^\/(?:anthropic\/)?v1\//;

export interface GuardOptions {
  /** Throws or rejects with a GatewayError; a promise only where a store has to be asked. */
  readonly authenticate: (headers: IncomingHttpHeaders, address: string) => KeyConfig | Promise<KeyConfig>;
  readonly shutdown: Pick<Shutdown, 'hasBegun'>;
  readonly gate: Gate;
}

/**
 * What every request passes before its body is read: who calls, whether there is room, and whether the body is JSON as we read it. A hook of
 * Fastify's and not a guard of Nest's, which would run after the body and cost several times as much.
 */
export function guardRoutes(fastify: FastifyInstance, { authenticate, shutdown, gate }: GuardOptions): void {
  fastify.decorateRequest('caller', null);
  // Bodies stay bytes: a route reads them with `readJsonBody`, stricter than any parser of the framework.
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  const enter = (request: FastifyRequest, caller: KeyConfig): void => {
    request.caller = caller;
    // Before the body comes, which may be large.
    if (request.method === 'POST') gate.enter(Number(request.headers['content-length'] ?? 0));
    else gate.pass();
    checkEncoding(request);
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    // The caller's next request should find another process.
    if (shutdown.hasBegun) reply.raw.shouldKeepAlive = false;
    const refuse = (error: unknown): void =>
      done(error instanceof Error ? error : new Error('not authenticated', { cause: error }));
    try {
      if (NEEDS_KEY.test(request.url) && !request.is404) {
        const caller = authenticate(request.headers, request.raw.socket.remoteAddress ?? '');
        if (caller instanceof Promise) {
          // Fastify's hooks speak in callbacks; as a promise each request would pay for one.
          // oxlint-disable-next-line promise/no-callback-in-promise -- see above
          caller.then((key) => enter(request, key)).then(() => done(), refuse);
          return;
        }
        enter(request, caller);
      }
      done();
    } catch (error) {
      refuse(error);
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
