/** Share of the newest measurement in the average. */
const NEWEST_SHARE = 0.1;
const KEPT_MS = 300_000;

/** An exponentially weighted moving average that forgets what was not measured for five minutes. */
export class MovingAverage {
  #value = 0;
  #measuredAt = -Infinity;

  measure(now: number, value: number): void {
    this.#value = this.#isKnown(now) ? this.#value + NEWEST_SHARE * (value - this.#value) : value;
    this.#measuredAt = now;
  }

  /** 0 when nothing was measured lately. */
  read(now: number): number {
    return this.#isKnown(now) ? this.#value : 0;
  }

  #isKnown(now: number): boolean {
    return now - this.#measuredAt < KEPT_MS;
  }
}
