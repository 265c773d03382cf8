/** How often something took how long: counts in flat memory, so that counting allocates nothing. */
import type { Row, RowFamily } from './row.js';

/** Upper bounds, ms: what a batch of one packet takes, up to what a sender takes for a loss. */
const BOUNDS_MS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 100] as const;
const BEYOND = '+Inf';

export class Histogram {
  /** By bound; the last one counts what is beyond all. */
  readonly #counts = new Float64Array(BOUNDS_MS.length + 1);
  /** ms. */
  readonly #sum = new Float64Array(1);

  /** Counts one. @param ms how long it took */
  note(ms: number): void {
    let i = 0;
    while (i < BOUNDS_MS.length && ms > BOUNDS_MS[i]!) i++;
    this.#counts[i]!++;
    this.#sum[0]! += ms;
  }

  /** A row for each bucket, named by its upper bound in seconds, and one for the sum, in seconds. */
  rows(family: RowFamily, help: string): Row[] {
    const names = [...BOUNDS_MS.map((ms) => String(ms / 1000)), BEYOND];
    return [
      ...names.map((name, i): Row => ({ family, name, help, kind: 'bucket', read: () => this.#counts[i]! })),
      { family, name: 'sum', help, kind: 'sum', read: () => this.#sum[0]! / 1000 },
    ];
  }
}
