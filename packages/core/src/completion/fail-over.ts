import { GatewayError, isGatewayError } from '../errors.ts';
import type { RankedCandidate } from '../router/rank.ts';
import type { Attempt } from './attempt.ts';

export interface FailOverOptions<Served> {
  /** Best first; not empty. */
  readonly ranked: readonly RankedCandidate[];
  readonly maxAttempts: number;
  /** One try. @throws GatewayError what went wrong, before anything reached the caller. */
  readonly attempt: (candidate: RankedCandidate) => Promise<Served>;
  /** Hears of each try that failed, at once. */
  readonly onFailure: (attempt: Attempt) => void;
  /** Asked after each failure: false when there is neither time nor anybody left to try another candidate for. */
  readonly mayGoOn: () => boolean;
}

/**
 * Gives each candidate its turn, best first, until one serves. What comes next after a failure stands in the table of
 * errors: the caller's own fault ends it, a context that is too long goes to larger models only, all else to the next.
 * @throws GatewayError of the last attempt, when none served.
 */
export async function failOver<Served>(options: FailOverOptions<Served>): Promise<Served> {
  const { maxAttempts, attempt, onFailure, mayGoOn } = options;
  let candidates = options.ranked;
  let last: GatewayError | undefined;
  for (let tries = 0; tries < maxAttempts; tries++) {
    const [candidate, ...others] = candidates;
    if (candidate === undefined) break;
    try {
      return await attempt(candidate);
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      last = error;
      onFailure({ candidate, error, status: error.upstreamStatus });
      candidates = mayGoOn() ? remaining(error, candidate, others) : [];
    }
  }
  throw last ?? new GatewayError('no_upstream', 'No model can serve this request now. Try again in a moment.');
}

function remaining(
  error: GatewayError,
  failed: RankedCandidate,
  others: readonly RankedCandidate[],
): readonly RankedCandidate[] {
  switch (error.facts.failover) {
    case 'no':
      return [];
    case 'next':
      return others;
    case 'larger': {
      const window = failed.candidate.model.contextWindow;
      if (window === undefined) return [];
      return others.filter(({ candidate }) => (candidate.model.contextWindow ?? 0) > window);
    }
  }
}
