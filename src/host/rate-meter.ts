/** A rate that forgets exponentially, as IOS averages its interface and processor loads. */
export class RateMeter {
  perSecond = 0;

  /** @param windowMs time after which a sample has lost 63 % of its weight */
  constructor(private readonly windowMs: number) {}

  /** Adds what was counted in the last `intervalMs`. */
  add(count: number, intervalMs: number): void {
    const weight = 1 - Math.exp(-intervalMs / this.windowMs);
    this.perSecond += ((count * 1000) / intervalMs - this.perSecond) * weight;
  }
}
