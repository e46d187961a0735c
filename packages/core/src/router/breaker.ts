/**
 * `closed`: requests go through · `open`: it rests and gets none · `half_open`: its rest is over, and one request, the
 * probe, may find out whether it has recovered.
 */
export type BreakerState = 'closed' | 'open' | 'half_open';

/**
 * So that one bad answer does not end a deployment. One that fails and serves by turns is not ended either: the score
 * prefers its siblings, and without any every second answer is better than none.
 */
const FAILURES_IN_A_ROW = 5;
/** The first rest, and the longest, which follows a failed probe: so long a healed deployment is left alone at most. */
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 10_000;
/** How long nothing is asked of a deployment whose probe another process has. */
const OTHERS_PROBE_MS = 1_000;

/** What a verdict did to a breaker. */
export type BreakerChange = 'opened' | 'closed' | undefined;

/** The circuit breaker of one deployment. It opens after five failures in a row and closes when its probe is answered. */
export class Breaker {
  /** How often in a row it opened; 0 while it is closed. */
  #trips = 0;
  #restUntil = -Infinity;
  #failuresInARow = 0;
  /** Until when other processes find it failing: then one failure here is enough. */
  #suspectUntil = -Infinity;
  /** A probe of this process is under way, at most until then. */
  #probeUntil = -Infinity;

  get trips(): number {
    return this.#trips;
  }

  get isClosed(): boolean {
    return this.#trips === 0;
  }

  state(now: number): BreakerState {
    if (this.#trips === 0) return 'closed';
    return now < this.#restUntil ? 'open' : 'half_open';
  }

  /** Milliseconds until it may be asked again; 0 when it may be now. */
  restMs(now: number): number {
    return this.#trips === 0 ? 0 : Math.max(0, this.#restUntil - now, this.#probeUntil > now ? OTHERS_PROBE_MS : 0);
  }

  /** Takes this process's one probe for at most `ttlMs`; false when it is out already, or there is none to take. */
  takeProbe(now: number, ttlMs: number): boolean {
    if (this.state(now) !== 'half_open' || this.#probeUntil > now) return false;
    this.#probeUntil = now + ttlMs;
    return true;
  }

  /** Another process has the cluster's probe. */
  leaveProbeToOthers(now: number): void {
    this.#probeUntil = -Infinity;
    this.#restUntil = now + OTHERS_PROBE_MS;
  }

  /** Ends a probe without a verdict; true when there was one. */
  returnProbe(now: number): boolean {
    const wasOut = this.#probeUntil > now;
    this.#probeUntil = -Infinity;
    return wasOut;
  }

  /** A request was answered just now: if the rest is over, by a deployment that has recovered. */
  answer(now: number): BreakerChange {
    this.#failuresInARow = 0;
    if (this.state(now) !== 'half_open') return undefined;
    this.close();
    return 'closed';
  }

  /** An answer came to its good end. It may have begun long ago, so it closes nothing. */
  succeed(): void {
    this.#failuresInARow = 0;
  }

  /** A request failed. */
  fail(now: number): BreakerChange {
    this.#failuresInARow++;
    if (this.#trips > 0) {
      // Failures of requests that began before it opened tell nothing new.
      if (this.#probeUntil <= now) return undefined;
    } else if (this.#failuresInARow < FAILURES_IN_A_ROW && now >= this.#suspectUntil) return undefined;
    this.#open(now);
    return 'opened';
  }

  /** Other processes find it failing: the next failure here opens it, within `ms`. */
  suspect(now: number, ms: number): void {
    this.#suspectUntil = now + ms;
  }

  close(): void {
    this.#trips = 0;
    this.#failuresInARow = 0;
    this.#restUntil = this.#probeUntil = this.#suspectUntil = -Infinity;
  }

  #open(now: number): void {
    this.#trips++;
    this.#probeUntil = -Infinity;
    this.#restUntil = now + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (this.#trips - 1));
  }
}
