import type { FastifyInstance } from 'fastify';

/** Which methods the server's addresses have. */
export interface RouteTable {
  /** The methods of an address, empty where there is nothing. */
  methodsAt(path: string): readonly string[];
}

/** Takes note of every route that is added from now on. */
export function collectRoutes(fastify: Pick<FastifyInstance, 'addHook'>): RouteTable {
  const routes: { readonly segments: readonly string[]; readonly method: string }[] = [];
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ segments: url.split('/'), method: one });
  });
  return {
    methodsAt(path) {
      const asked = path.split('/');
      const matching = routes.filter(
        ({ segments }) =>
          segments.length === asked.length &&
          segments.every((segment, index) =>
            segment.startsWith(':') ? asked[index] !== '' : segment === asked[index],
          ),
      );
      return [...new Set(matching.map(({ method }) => method))];
    },
  };
}
