/** Which numbers of a range are taken: ports of an inside global address, addresses of a pool. One bit each. */
export class NumberSet {
  readonly #words: Int32Array;
  /** No number below it is free: a set that is full is not searched again for each packet. */
  #lowest = 0;

  /** @param size numbers are 0 to size - 1, all free at first */
  constructor(readonly size: number) {
    this.#words = new Int32Array((size + 31) >>> 5);
  }

  has(n: number): boolean {
    return (this.#words[n >>> 5]! & (1 << (n & 31))) !== 0;
  }

  take(n: number): void {
    this.#words[n >>> 5]! |= 1 << (n & 31);
  }

  free(n: number): void {
    this.#words[n >>> 5]! &= ~(1 << (n & 31));
    if (n < this.#lowest) this.#lowest = n;
  }

  /** The lowest free number, or -1. Looks at 32 numbers at a time. */
  lowestFree(): number {
    const words = this.#words;
    while (this.#lowest < this.size) {
      const w = this.#lowest >>> 5;
      const free = ~words[w]! & (-1 << (this.#lowest & 31));
      if (free !== 0) {
        this.#lowest = (w << 5) + 31 - Math.clz32(free & -free);
        break;
      }
      this.#lowest = (w + 1) << 5;
    }
    return this.#lowest < this.size ? this.#lowest : -1;
  }
}
