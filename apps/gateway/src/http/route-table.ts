import type { FastifyInstance } from 'fastify';

/** Which methods the server's addresses have. */
export interface RouteTable {
  /** The methods of an address, empty where there is nothing. */
  readonly methodsAt: (path: string) => readonly string[];
}

/** Takes note of every route that is added from now on. */
export function collectRoutes(fastify: Pick<FastifyInstance, 'addHook'>): RouteTable {
  const routes: { readonly pattern: RegExp; readonly method: string }[] = [];
  fastify.addHook('onRoute', ({ method, url }) => {
    const pattern = new RegExp(
      `^${url
        .replaceAll(/[.+?^$()|[\]\\]/g, '\\$&')
        .replaceAll(/:[^/]+/g, '[^/]+')
        .replaceAll('*', '.*')}$`,
    );
    for (const one of [method].flat()) routes.push({ pattern, method: one });
  });
  return {
    methodsAt: (path) => [...new Set(routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))],
  };
}
