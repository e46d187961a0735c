const SLOT_MS = 10_000;
const SLOTS = 6;

/** How many requests ended in the last minute and how many of them failed: a ring of six ten-second slots and their totals. */
export class OutcomeWindow {
  readonly #requestsBySlot = new Uint32Array(SLOTS);
  readonly #failuresBySlot = new Uint32Array(SLOTS);
  #requests = 0;
  #failures = 0;
  /** Number of the newest slot, counted from the clock's zero. */
  #newestSlot: number;

  constructor(now: number) {
    this.#newestSlot = Math.floor(now / SLOT_MS);
  }

  count(now: number, failed: 0 | 1): void {
    const index = this.#rollTo(now);
    this.#requestsBySlot[index] = (this.#requestsBySlot[index] ?? 0) + 1;
    this.#failuresBySlot[index] = (this.#failuresBySlot[index] ?? 0) + failed;
    this.#requests += 1;
    this.#failures += failed;
  }

  read(now: number): { readonly requests: number; readonly failures: number } {
    this.#rollTo(now);
    return { requests: this.#requests, failures: this.#failures };
  }

  clear(): void {
    this.#requestsBySlot.fill(0);
    this.#failuresBySlot.fill(0);
    this.#requests = 0;
    this.#failures = 0;
  }

  /** Empties the slots that have left the window; gives the index of the newest. */
  #rollTo(now: number): number {
    const slot = Math.floor(now / SLOT_MS);
    const passed = Math.min(slot - this.#newestSlot, SLOTS);
    for (let step = 0; step < passed; step += 1) {
      const index = (slot - step) % SLOTS;
      this.#requests -= this.#requestsBySlot[index] ?? 0;
      this.#failures -= this.#failuresBySlot[index] ?? 0;
      this.#requestsBySlot[index] = 0;
      this.#failuresBySlot[index] = 0;
    }
    if (passed > 0) this.#newestSlot = slot;
    return this.#newestSlot % SLOTS;
  }
}
