import { requestIdHeaders, requestIdsOf } from '@tokenhub/http';
import type { FastifyInstance } from 'fastify';
import { dialectOf } from './dialect-of.ts';

/**
 * Gives every answer of a route the headers with the ids of its request. Errors and answers of models do not come this way: they are
 * written to the socket, with the same headers.
 */
export function tellRequestIds(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (request, reply) => {
    const dialect = dialectOf(request.url.split('?', 1)[0] ?? '', request.headers);
    reply.headers(requestIdHeaders(requestIdsOf(request), dialect));
    return Promise.resolve();
  });
}
