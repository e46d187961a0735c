const BLOCK_BYTES = 4096;
const NO_BLOCK = new Uint8Array();

/**
 * Room for small byte arrays, taken in blocks: an array of its own for each relayed event would cost more than all the
 * rest that is done with it. No byte is handed out twice, so what was written stays.
 */
export class ByteSpace {
  #block: Uint8Array = NO_BLOCK;
  #used = 0;

  take(length: number): Uint8Array {
    if (this.#used + length > this.#block.length) {
      if (length > BLOCK_BYTES / 4) return new Uint8Array(length);
      this.#block = new Uint8Array(BLOCK_BYTES);
      this.#used = 0;
    }
    this.#used += length;
    return this.#block.subarray(this.#used - length, this.#used);
  }
}
