import type { ReserveDecision, ScopeRemaining, WindowState } from '@tokenhub/metering';

/** Length of the windows in which requests and tokens are counted, in seconds. */
const WINDOW_SECONDS = 60;

/**
 * The rate-limit headers of an answer, names and values in turn: for requests and for tokens the scope with the least
 * left, after a refusal the one that refused. A dimension without a limit has none. Names as OpenAI's, and the fields of
 * the IETF draft (https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/).
 */
export function limitHeaders(decision: ReserveDecision): string[] {
  const scopes = decision.remaining;
  const refusing = decision.granted ? [] : scopes.filter(({ scope }) => scope === decision.scope);
  const headers: string[] = [];
  const states: string[] = [];
  const policies: string[] = [];
  for (const dimension of ['requests', 'tokens'] as const) {
    const tightest = findTightest(refusing, dimension) ?? findTightest(scopes, dimension);
    if (tightest === undefined) continue;
    const { limit, remaining, resetMs } = tightest;
    headers.push(
      `x-ratelimit-limit-${dimension}`,
      String(limit),
      `x-ratelimit-remaining-${dimension}`,
      String(remaining),
      `x-ratelimit-reset-${dimension}`,
      `${resetMs}ms`,
    );
    states.push(`"${dimension}";r=${remaining};t=${Math.ceil(resetMs / 1000)}`);
    policies.push(`"${dimension}";q=${limit};w=${WINDOW_SECONDS}`);
  }
  if (states.length > 0) headers.push('RateLimit', states.join(', '), 'RateLimit-Policy', policies.join(', '));
  return headers;
}

function findTightest(scopes: readonly ScopeRemaining[], dimension: 'requests' | 'tokens'): WindowState | undefined {
  let tightest: WindowState | undefined;
  for (const scope of scopes) {
    const state = scope[dimension];
    if (state !== undefined && (tightest === undefined || state.remaining < tightest.remaining)) tightest = state;
  }
  return tightest;
}
