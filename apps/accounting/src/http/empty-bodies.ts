import type { FastifyInstance } from 'fastify';

/** Many clients name a content type with every request. Where there is no content, there is none to be parsed. */
export function acceptEmptyBodies(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', ({ headers }, _reply, done) => {
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers;
    if (length === '0' && encoding === undefined) delete headers['content-type'];
    done();
  });
}
