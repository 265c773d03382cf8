/** Which numbers of a range are taken: ports of an inside global address, addresses of a pool. One bit each. */
export class NumberSet {
  readonly #words: Int32Array;

  /** @param size numbers are 0 to size - 1, all free at first */
  constructor(readonly size: number) {
    this.#words = new Int32Array((size + 31) >>> 5);
    // Numbers past the end are taken for good.
    for (let n = size; n < this.#words.length * 32; n++) this.take(n);
  }

  has(n: number): boolean {
    return (this.#words[n >>> 5]! & (1 << (n & 31))) !== 0;
  }

  take(n: number): void {
    this.#words[n >>> 5]! |= 1 << (n & 31);
  }

  free(n: number): void {
    this.#words[n >>> 5]! &= ~(1 << (n & 31));
  }

  /** The lowest free number from `low` to `high`, or -1. Looks at 32 numbers at a time: 2016 words for 64512 ports. */
  lowestFree(low: number, high: number): number {
    const words = this.#words;
    if (low >= this.size) return -1;
    const last = Math.min(high, this.size - 1) >>> 5;
    let free = ~words[low >>> 5]! & (-1 << (low & 31));
    for (let w = low >>> 5; ; free = ~words[w]!) {
      if (free !== 0) {
        const n = (w << 5) + 31 - Math.clz32(free & -free);
        return n <= high ? n : -1;
      }
      if (++w > last) return -1;
    }
  }
}
