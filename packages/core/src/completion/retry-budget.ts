/** What there is to begin with, and at most: enough for a quiet process whose one provider has a bad moment. */
const MOST_TRIES = 20;
const TRIES_PER_REQUEST = 0.2;

/**
 * How many attempts a process may make that are not likely to help: one for five requests, and a reserve of twenty. In a
 * lasting outage a gateway that tries each request three times would send its providers three times the load; with this
 * budget it is 1.2 times. Failing over to a deployment that does well costs nothing, so it is never limited.
 */
export interface RetryBudget {
  /** A request makes its first attempt. */
  countRequest(): void;
  /** Takes an attempt out; false when there is none left. */
  take(): boolean;
}

/** A budget for one process; share it among all of its requests. */
export function createRetryBudget(): RetryBudget {
  let tries = MOST_TRIES;
  return {
    countRequest: () => void (tries = Math.min(MOST_TRIES, tries + TRIES_PER_REQUEST)),
    take() {
      if (tries < 1) return false;
      tries--;
      return true;
    },
  };
}

/** For a caller that needs no budget: attempts are bounded by their number alone. */
export const UNLIMITED_RETRIES: RetryBudget = { countRequest: () => {}, take: () => true };
