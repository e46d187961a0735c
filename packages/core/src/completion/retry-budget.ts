/** What there is to begin with, and at most: enough for a quiet process whose one provider has a bad moment. */
const MOST_TRIES = 20;
const TRIES_PER_REQUEST = 0.2;

/**
 * How many further attempts a process may make: one for five requests, and a reserve of twenty. In an outage of everything
 * a gateway that tries each request three times would send its providers three times the load; with this budget it is
 * 1.2 times. An attempt that another deployment served costs nothing, so failing over to what works is never limited.
 */
export interface RetryBudget {
  /** A request makes its first attempt. */
  countRequest(): void;
  /** Takes a further attempt out; false when there is none left. */
  take(): boolean;
  /** Puts one back that did what it was for. */
  putBack(): void;
}

export function createRetryBudget(): RetryBudget {
  let tries = MOST_TRIES;
  return {
    countRequest: () => void (tries = Math.min(MOST_TRIES, tries + TRIES_PER_REQUEST)),
    take() {
      if (tries < 1) return false;
      tries--;
      return true;
    },
    putBack: () => void (tries = Math.min(MOST_TRIES, tries + 1)),
  };
}

/** For a caller that needs no budget: attempts are bounded by their number alone. */
export const UNLIMITED_RETRIES: RetryBudget = { countRequest: () => {}, take: () => true, putBack: () => {} };
