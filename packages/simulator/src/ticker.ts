/** Does its next step; false when there is none left. */
export type Step = () => boolean;

const SLOTS = 20;

/**
 * Runs any number of steps, each once per period, on one timer. The period is divided into slots and a step keeps the slot it
 * joined in, so that a thousand streams are spread over the period as they came and do not all write in one turn.
 * Slots missed while the event loop was busy are made up for, so the rate holds. No timer runs while there is nothing to do.
 */
export class Ticker {
  readonly #slots: Set<Step>[];
  readonly #slotMs: number;
  #current = 0;
  #size = 0;
  #nextSlotAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(periodMs: number) {
    const slots = Math.max(1, Math.min(SLOTS, periodMs));
    this.#slots = Array.from({ length: slots }, () => new Set<Step>());
    this.#slotMs = periodMs / slots;
  }

  /** The first step comes one period from now, give or take a slot. */
  add(step: Step): void {
    this.#slots[this.#current]?.add(step);
    this.#size++;
    if (this.#timer !== undefined) return;
    this.#nextSlotAt = performance.now() + this.#slotMs;
    this.#timer = setTimeout(this.#tick, this.#slotMs);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#size = 0;
    for (const slot of this.#slots) slot.clear();
  }

  readonly #tick = (): void => {
    const now = performance.now();
    while (this.#nextSlotAt <= now && this.#size > 0) {
      this.#current = (this.#current + 1) % this.#slots.length;
      const slot = this.#slots[this.#current];
      for (const step of slot ?? []) {
        if (step()) continue;
        slot?.delete(step);
        this.#size--;
      }
      this.#nextSlotAt += this.#slotMs;
    }
    this.#timer = this.#size > 0 ? setTimeout(this.#tick, Math.max(1, this.#nextSlotAt - now)) : undefined;
  };
}

/** One ticker for each period that is in use. */
export class Tickers {
  readonly #tickers = new Map<number, Ticker>();

  every(periodMs: number, step: Step): void {
    let ticker = this.#tickers.get(periodMs);
    if (ticker === undefined) {
      ticker = new Ticker(periodMs);
      this.#tickers.set(periodMs, ticker);
    }
    ticker.add(step);
  }

  once(delayMs: number, run: () => void): void {
    this.every(delayMs, () => {
      run();
      return false;
    });
  }

  close(): void {
    for (const ticker of this.#tickers.values()) ticker.close();
    this.#tickers.clear();
  }
}
