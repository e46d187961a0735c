import type { FastifyInstance } from 'fastify';

/** Which methods the server's addresses have. */
export interface RouteTable {
  /** The methods of an address, empty where there is nothing. */
  readonly methodsAt: (path: string) => readonly string[];
}

/** Takes note of every route that is added from now on. */
export function collectRoutes(fastify: Pick<FastifyInstance, 'addHook'>): RouteTable {
  const routes: { readonly segments: readonly string[]; readonly method: string }[] = [];
  fastify.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ segments: url.split('/'), method: one });
  });
  return {
    methodsAt(path) {
      // As the server itself passes it over.
      const asked = path.replace(/(?<=.)\/$/, '').split('/');
      const matching = routes.filter(({ segments }) => matches(segments, asked));
      return [...new Set(matching.map(({ method }) => method))];
    },
  };
}

function matches(segments: readonly string[], asked: readonly string[]): boolean {
  const isOpen = segments.at(-1) === '*';
  if (isOpen ? asked.length < segments.length : asked.length !== segments.length) return false;
  return segments.every((segment, index) => {
    if (segment === '*') return true;
    return segment.startsWith(':') ? asked[index] !== '' : segment === asked[index];
  });
}
