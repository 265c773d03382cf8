/**
 * Token buckets, many in a row, each a single number: the moment at which the bucket will be full again (the generic
 * cell rate algorithm of ITU-T I.371 in its virtual scheduling form). Nothing runs while nobody asks.
 */

/** As much of a token as counts for a whole one: sums of fractions are not exact. */
const WHOLE = 0.99;

export class TokenBuckets {
  readonly #fullAt: Float64Array;
  /** ms that a token takes to come back, and an empty bucket to fill. */
  readonly #tokenMs: number;
  readonly #fillMs: number;

  /**
   * @param count     how many buckets
   * @param perSecond tokens that come back in a second
   * @param burst     tokens of a full bucket, as which each begins
   */
  constructor(count: number, perSecond: number, burst: number) {
    this.#fullAt = new Float64Array(count).fill(-Infinity);
    this.#tokenMs = 1000 / perSecond;
    this.#fillMs = burst * this.#tokenMs;
  }

  /** True where bucket `i` has a token. `now`: ms. */
  has(i: number, now: number): boolean {
    const fullIn = this.#fullAt[i]! - now;
    // Emptier than empty: the clock has gone back. It fills from now on.
    if (fullIn > this.#fillMs) this.#fullAt[i] = now + this.#fillMs;
    return fullIn <= this.#fillMs - this.#tokenMs * WHOLE;
  }

  /** Takes a token that bucket `i` has. */
  take(i: number, now: number): void {
    this.#fullAt[i] = Math.max(this.#fullAt[i]!, now) + this.#tokenMs;
  }
}
