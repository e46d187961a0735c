const FIRST_CAPACITY_BYTES = 1024;
/** A larger buffer is given back after use, so that one big event does not cost its stream memory for ever. */
const MAX_KEPT_BYTES = 64 * 1024;
const NO_BYTES = new Uint8Array(0);

/**
 * Bytes that wait for the rest of their line or event. The buffer doubles when full: however small the pieces, a byte is
 * copied about twice.
 */
export class ByteTail {
  length = 0;
  #buffer: Uint8Array = NO_BYTES;

  append(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(FIRST_CAPACITY_BYTES, this.#buffer.length * 2, length));
      larger.set(this.view());
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.length);
    this.length = length;
  }

  /** The bytes where they lie: valid until the next `append`. */
  view(): Uint8Array {
    return this.#buffer.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
    if (this.#buffer.length > MAX_KEPT_BYTES) this.#buffer = NO_BYTES;
  }
}
