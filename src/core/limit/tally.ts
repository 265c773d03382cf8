/**
 * Counts what may go on at any rate, and says from time to time how much of it there was: once a minute while it goes
 * on, and when it has stopped. The first one is said with those that follow in the same seconds.
 */

/** ms that are summed up at most. */
const MINUTE_MS = 60_000;
/** ms of quiet after which it is over. */
const CALM_MS = 5000;

export class Tally {
  /** Since the start. */
  total = 0;
  /** Not said yet. */
  #count = 0;
  #first = 0;
  #last = 0;
  /** Length of the time that the last `take` was about, whole seconds, at least 1. */
  seconds = 0;

  /** Counts `n` more. `now`: ms. */
  note(now: number, n = 1): void {
    if (this.#count === 0) this.#first = now;
    this.#last = now;
    this.#count += n;
    this.total += n;
  }

  /** How many there were since the last time, where it is time to say so; else 0. To be called now and then. */
  take(now: number): number {
    if (this.#count === 0 || (now - this.#first < MINUTE_MS && Math.abs(now - this.#last) < CALM_MS)) return 0;
    return this.takeAll();
  }

  /** How many there were since the last time, at once. */
  takeAll(): number {
    const count = this.#count;
    this.#count = 0;
    this.seconds = Math.min(Math.max(Math.ceil((this.#last - this.#first) / 1000), 1), MINUTE_MS / 1000);
    return count;
  }
}
