/** How a deployment has done lately. */
export interface DeploymentHealth {
  /** Requests that ended in the last minute, failed ones included. */
  readonly requests: number;
  readonly failures: number;
  /** Failures per request, 0 to 1; 0 when there was none. */
  readonly errorRate: number;
  /** Moving average of the time to the first token, in milliseconds; 0 when not measured lately, so that it gets measured. */
  readonly ttftMs: number;
  /** It failed five times in a row, the last time less than ten seconds ago. */
  readonly unhealthy: boolean;
}

/** Reads the health of a deployment, by candidate id; one never heard of is healthy. */
export interface HealthReader {
  read(candidateId: string): DeploymentHealth;
}

/**
 * The health of all deployments as this process sees it. Only the provider's own faults belong here: a caller that
 * leaves or sends nonsense harms nobody's health.
 */
export interface Health extends HealthReader {
  recordSuccess(candidateId: string): void;
  recordFailure(candidateId: string): void;
  recordFirstToken(candidateId: string, ttftMs: number): void;
  /** Every deployment heard of so far, by candidate id; for metrics and for explaining a decision. */
  snapshot(): ReadonlyMap<string, DeploymentHealth>;
}

const SLOT_MS = 10_000;
const SLOTS = 6;
/** So that one bad minute of a provider does not need an operator, and one bad answer does not end a deployment. */
const FAILURES_IN_A_ROW = 5;
/** After this rest it gets requests again; the next failure gives it another one. */
const REST_MS = 10_000;
/** Share of the newest measurement in the average. */
const NEWEST_SHARE = 0.1;
const TTFT_KEPT_MS = 300_000;

const UNKNOWN: DeploymentHealth = { requests: 0, failures: 0, errorRate: 0, ttftMs: 0, unhealthy: false };

/** @param options.now a clock in milliseconds that never goes back, such as `performance.now`. */
export function createHealth({ now }: { readonly now: () => number }): Health {
  const records = new Map<string, HealthRecord>();

  function recordOf(candidateId: string): HealthRecord {
    let record = records.get(candidateId);
    if (record === undefined) {
      record = new HealthRecord(now());
      records.set(candidateId, record);
    }
    return record;
  }

  return {
    recordSuccess: (candidateId) => recordOf(candidateId).countOutcome(now(), 0),
    recordFailure: (candidateId) => recordOf(candidateId).countOutcome(now(), 1),
    recordFirstToken: (candidateId, ttftMs) => recordOf(candidateId).measureFirstToken(now(), ttftMs),
    read: (candidateId) => records.get(candidateId)?.read(now()) ?? UNKNOWN,
    snapshot: () => new Map(Array.from(records, ([id, record]) => [id, record.read(now())])),
  };
}

/** One deployment's counts: a ring of six ten-second slots and their running totals, and the moving average. */
class HealthRecord {
  readonly #requests = new Uint32Array(SLOTS);
  readonly #failures = new Uint32Array(SLOTS);
  #totalRequests = 0;
  #totalFailures = 0;
  /** Number of the newest slot, counted from the clock's zero. */
  #newestSlot: number;
  #failuresInARow = 0;
  #lastFailureAt = 0;
  #ttftMs = 0;
  #ttftMeasuredAt = -Infinity;

  constructor(now: number) {
    this.#newestSlot = Math.floor(now / SLOT_MS);
  }

  countOutcome(now: number, failed: 0 | 1): void {
    const index = this.#rollTo(now);
    this.#requests[index] = (this.#requests[index] ?? 0) + 1;
    this.#failures[index] = (this.#failures[index] ?? 0) + failed;
    this.#totalRequests += 1;
    this.#totalFailures += failed;
    this.#failuresInARow = failed === 1 ? this.#failuresInARow + 1 : 0;
    if (failed === 1) this.#lastFailureAt = now;
  }

  measureFirstToken(now: number, ttftMs: number): void {
    this.#ttftMs = this.#isTtftKnown(now) ? this.#ttftMs + NEWEST_SHARE * (ttftMs - this.#ttftMs) : ttftMs;
    this.#ttftMeasuredAt = now;
  }

  read(now: number): DeploymentHealth {
    this.#rollTo(now);
    const requests = this.#totalRequests;
    const failures = this.#totalFailures;
    return {
      requests,
      failures,
      errorRate: requests === 0 ? 0 : failures / requests,
      ttftMs: this.#isTtftKnown(now) ? this.#ttftMs : 0,
      unhealthy: this.#failuresInARow >= FAILURES_IN_A_ROW && now - this.#lastFailureAt < REST_MS,
    };
  }

  /** Empties the slots that have left the window; gives the index of the newest. */
  #rollTo(now: number): number {
    const slot = Math.floor(now / SLOT_MS);
    const passed = Math.min(slot - this.#newestSlot, SLOTS);
    for (let step = 0; step < passed; step += 1) {
      const index = (slot - step) % SLOTS;
      this.#totalRequests -= this.#requests[index] ?? 0;
      this.#totalFailures -= this.#failures[index] ?? 0;
      this.#requests[index] = 0;
      this.#failures[index] = 0;
    }
    if (passed > 0) this.#newestSlot = slot;
    return this.#newestSlot % SLOTS;
  }

  #isTtftKnown(now: number): boolean {
    return now - this.#ttftMeasuredAt < TTFT_KEPT_MS;
  }
}
