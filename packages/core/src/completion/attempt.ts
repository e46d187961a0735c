import type { GatewayError } from '../errors.ts';
import type { RankedCandidate } from '../router/rank.ts';

/** One try at one candidate. */
export interface Attempt {
  readonly candidate: RankedCandidate;
  /** Absent for the attempt that serves. */
  readonly error?: GatewayError | undefined;
  /** The provider's HTTP status; absent when it gave none. */
  readonly status?: number | undefined;
}
