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

/** What failed, and when. */
export interface RequestFailure {
  /** When the request was sent, by the same clock. */
  readonly sentAt: number;
  /** Its first token had come. */
  readonly isBroken: boolean;
}

/**
 * The circuit breaker of one deployment. It opens when five requests in a row got no first token, or when five streams in a
 * row broke off, and closes when its probe is answered.
 */
export class Breaker {
  /** How often in a row it opened; 0 while it is closed. */
  #trips = 0;
  #restUntil = -Infinity;
  /** Requests without a first token since the last that had one; streams broken since the last that came to its good end. */
  #failuresInARow = 0;
  #breaksInARow = 0;
  /** Until when other processes find it failing: then one failure here is enough, if nothing goes well here before. */
  #suspectUntil = -Infinity;
  /** The probe of this process: when it was taken, and until when it keeps others back. */
  #probeTakenAt = Infinity;
  #probeUntil = -Infinity;

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
    this.#probeTakenAt = now;
    this.#probeUntil = now + ttlMs;
    return true;
  }

  /** Another process has the cluster's probe. */
  leaveProbeToOthers(now: number): void {
    this.returnProbe();
    this.#restUntil = Math.max(this.#restUntil, now + OTHERS_PROBE_MS);
  }

  /** A probe of this process is under way. */
  get hasProbe(): boolean {
    return this.#probeTakenAt !== Infinity;
  }

  /** True for the probe, false for requests that were sent before it. */
  isProbe(sentAt: number): boolean {
    return this.hasProbe && sentAt >= this.#probeTakenAt;
  }

  /** Ends a probe without a verdict. */
  returnProbe(): void {
    this.#probeTakenAt = Infinity;
    this.#probeUntil = -Infinity;
  }

  /** A request was answered just now: if the rest is over, by a deployment that has recovered. */
  answer(now: number): BreakerChange {
    this.#failuresInARow = 0;
    this.#suspectUntil = -Infinity;
    if (this.state(now) !== 'half_open') return undefined;
    this.close();
    return 'closed';
  }

  /** An answer came to its good end. It may have begun long ago, so it closes nothing. */
  succeed(): void {
    this.#failuresInARow = this.#breaksInARow = 0;
    this.#suspectUntil = -Infinity;
  }

  fail(now: number, { sentAt, isBroken }: RequestFailure): BreakerChange {
    const inARow = isBroken ? ++this.#breaksInARow : ++this.#failuresInARow;
    const isVerdict =
      this.#trips === 0
        ? inARow >= FAILURES_IN_A_ROW || now < this.#suspectUntil
        : // Failures of requests that began before it opened tell nothing new.
          this.isProbe(sentAt);
    if (!isVerdict) return undefined;
    this.#trips++;
    this.returnProbe();
    this.#restUntil = now + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (this.#trips - 1));
    return 'opened';
  }

  /** Other processes find it failing: the next failure here opens it, within `ms`. */
  suspect(now: number, ms: number): void {
    this.#suspectUntil = now + ms;
  }

  close(): void {
    this.#trips = this.#failuresInARow = this.#breaksInARow = 0;
    this.#restUntil = this.#suspectUntil = -Infinity;
    this.returnProbe();
  }
}
