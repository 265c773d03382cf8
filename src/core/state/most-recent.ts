/**
 * Of very many records the few that were used last: what is kept is bounded, and a record that is not among them costs a
 * comparison.
 */

export class MostRecent {
  /** Up to twice as many as are asked for; then the older half goes. */
  #kept: { slot: number; ageMs: number }[] = [];
  /** Whoever is not younger is not among them. */
  #limitMs = Infinity;

  constructor(private readonly most: number) {}

  /** @param ageMs ms since the record was used last */
  offer(slot: number, ageMs: number): void {
    if (ageMs >= this.#limitMs) return;
    if (this.#kept.push({ slot, ageMs }) === 2 * this.most) this.#cut();
  }

  /** Numbers of records, the one used last first. */
  slots(): number[] {
    this.#cut();
    return this.#kept.map(({ slot }) => slot);
  }

  #cut(): void {
    this.#kept.sort((a, b) => a.ageMs - b.ageMs);
    if (this.#kept.length < this.most) return;
    this.#kept.length = this.most;
    this.#limitMs = this.#kept[this.most - 1]!.ageMs;
  }
}
