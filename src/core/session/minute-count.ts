import type { StateIo } from '../memory/state-io.js';

/** How many of something there were in the last sixty seconds: a count a second, and their sum. */
const SECONDS = 60;

export class MinuteCount {
  /** Counts of the last sixty seconds, by second modulo 60; the last of these seconds; the sum. */
  readonly #perSecond = new Int32Array(SECONDS);
  #second = 0;
  #sum = 0;

  /** There was one more. `now`: ms. */
  add(now: number): void {
    this.#advance(now);
    this.#perSecond[this.#second % SECONDS]!++;
    this.#sum++;
  }

  /** How many there were in the sixty seconds before `now`, ms. */
  count(now: number): number {
    this.#advance(now);
    return this.#sum;
  }

  sync(io: StateIo): void {
    this.#second = io.double(this.#second);
    this.#sum = 0;
    for (let i = 0; i < SECONDS; i++) this.#sum += this.#perSecond[i] = io.int(this.#perSecond[i]!);
  }

  clear(): void {
    this.#perSecond.fill(0);
    this.#sum = 0;
  }

  /** Forgets the seconds that are a minute old. */
  #advance(now: number): void {
    const second = Math.floor(now / 1000);
    const passed = Math.min(second - this.#second, SECONDS);
    // Where the clock has gone back (passed < 0), what was counted is forgotten as its seconds come round again.
    for (let i = 1; i <= passed; i++) {
      const at = (this.#second + i) % SECONDS;
      this.#sum -= this.#perSecond[at]!;
      this.#perSecond[at] = 0;
    }
    this.#second = second;
  }
}
