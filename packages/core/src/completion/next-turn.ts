import type { GatewayError } from '../errors.ts';
import type { RankedCandidate } from '../router/rank.ts';

/** Who is tried next, and after which pause. */
export interface Turn {
  /** The first of them has its turn; without any it is over. */
  readonly candidates: readonly RankedCandidate[];
  readonly pauseMs: number;
}

export interface Failure {
  readonly failed: RankedCandidate;
  readonly error: GatewayError;
  /** Those who have not been tried yet, best first. */
  readonly others: readonly RankedCandidate[];
  /** The best of those who failed in a way that may pass, this one included. */
  readonly transient: RankedCandidate | undefined;
  /** How many times anybody was asked again until now. */
  readonly repeats: number;
  /** What is left of the caller's time, in milliseconds. */
  readonly timeLeftMs: number;
  /** Gives a number in [0, 1). */
  readonly random: () => number;
}

/** A provider that asks for more patience than this is left alone instead. */
const LONGEST_RETRY_AFTER_MS = 5_000;
const SHORTEST_BACK_OFF_MS = 50;
const FIRST_BACK_OFF_MS = 250;
const LONGEST_BACK_OFF_MS = 2_000;

const NOBODY: Turn = { candidates: [], pauseMs: 0 };

/** True when the same deployment may serve if it is asked again: a mistake in the request or in our configuration stays one. */
export function isTransient({ facts, upstreamStatus = 500 }: GatewayError): boolean {
  return facts.transient && !(upstreamStatus >= 400 && upstreamStatus < 500);
}

/**
 * What follows a failure before the commit point, by the table of errors: the caller's own fault ends it, a context that is
 * too long goes to larger models only, all else to the next deployment. Nobody waits while another deployment of the model
 * can be asked at once. Without one a short `Retry-After` is waited for, since that keeps the caller's model; and when
 * nobody is left, one who failed in a way that may pass is asked again after a while of random length.
 */
export function nextTurn(failure: Failure): Turn {
  const { failed, error, others, transient, timeLeftMs } = failure;
  switch (error.facts.failover) {
    case 'no':
      return NOBODY;
    case 'larger':
      return { candidates: largerThan(failed, others), pauseMs: 0 };
    case 'next': {
      const { retryAfterMs = Infinity } = error;
      const hasSibling = others[0]?.candidate.model.id === failed.candidate.model.id;
      if (!hasSibling && retryAfterMs <= LONGEST_RETRY_AFTER_MS && retryAfterMs < timeLeftMs) {
        return { candidates: [failed, ...others], pauseMs: Math.max(retryAfterMs, SHORTEST_BACK_OFF_MS) };
      }
      if (others.length > 0) return { candidates: others, pauseMs: 0 };
      const pauseMs = backOffMs(failure);
      return transient === undefined || pauseMs >= timeLeftMs ? NOBODY : { candidates: [transient], pauseMs };
    }
  }
}

function largerThan({ candidate }: RankedCandidate, others: readonly RankedCandidate[]): readonly RankedCandidate[] {
  const window = candidate.model.contextWindow;
  if (window === undefined) return [];
  return others.filter((other) => (other.candidate.model.contextWindow ?? 0) > window);
}

/** Full jitter: anything up to a bound that doubles, so that those who failed together do not come back together. */
function backOffMs({ repeats, random }: Failure): number {
  const mostMs = Math.min(LONGEST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** repeats);
  return Math.round(SHORTEST_BACK_OFF_MS + random() * (mostMs - SHORTEST_BACK_OFF_MS));
}
