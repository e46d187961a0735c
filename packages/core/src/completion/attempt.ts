import type { GatewayError } from '../errors.ts';
import type { RankedCandidate } from '../router/rank.ts';

/** One try at one candidate that failed. */
export interface Attempt {
  readonly candidate: RankedCandidate;
  readonly error: GatewayError;
  /** The provider's HTTP status; absent when it gave none. */
  readonly status?: number | undefined;
}
