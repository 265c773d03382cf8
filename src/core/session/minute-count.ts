import type { StateIo } from '../memory/state-io.js';

/** How many of something there were in the last sixty seconds: a count a second, and their sum. */
export const SECONDS = 60;

export class MinuteCount {
  /** The last of the seconds; then their counts, by second modulo 60. */
  #words: Int32Array = new Int32Array(1 + SECONDS);
  #sum = 0;

  /** Keeps the counts in memory that others read, too. Before the first one. */
  moveTo(words: Int32Array): void {
    this.#words = words;
  }

  /** There was one more. `now`: ms. */
  add(now: number): void {
    this.#advance(now);
    const w = this.#words;
    w[1 + (w[0]! % SECONDS)]!++;
    this.#sum++;
  }

  /** How many there were in the sixty seconds before `now`, ms. */
  count(now: number): number {
    this.#advance(now);
    return this.#sum;
  }

  sync(io: StateIo): void {
    const w = this.#words;
    w[0] = io.double(w[0]!);
    this.#sum = 0;
    for (let i = 1; i <= SECONDS; i++) this.#sum += w[i] = io.int(w[i]!);
  }

  clear(): void {
    this.#words.fill(0, 1, 1 + SECONDS);
    this.#sum = 0;
  }

  /** Forgets the seconds that are a minute old. */
  #advance(now: number): void {
    const w = this.#words;
    const second = Math.floor(now / 1000);
    const before = w[0]!;
    const passed = Math.min(second - before, SECONDS);
    // Where the clock has gone back (passed < 0), what was counted is forgotten as its seconds come round again.
    for (let i = 1; i <= passed; i++) {
      const at = 1 + ((before + i) % SECONDS);
      this.#sum -= w[at]!;
      w[at] = 0;
    }
    w[0] = second;
  }
}
