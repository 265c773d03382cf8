/** Chains of records that have the same hash: a head for each bucket, a word of each record as link. */
const NONE = 0;

export class HashIndex {
  readonly mask: number;

  /**
   * @param words of the table
   * @param heads offset of `bucketsFor(capacity)` words
   * @param recordWords length of a record
   * @param link  offset in it of the word that links
   */
  constructor(
    private readonly words: Int32Array,
    private readonly heads: number,
    capacity: number,
    private readonly recordWords: number,
    private readonly link: number,
  ) {
    this.mask = bucketsFor(capacity) - 1;
  }

  /** Word offset of the first record of the bucket that `hash` falls into; -1: there is none. */
  first(hash: number): number {
    return (this.words[this.heads + (hash & this.mask)]! - 1) * this.recordWords;
  }

  /** Word offset of the record behind the one at `at`; below 0: there is none. */
  after(at: number): number {
    return (this.words[at + this.link]! - 1) * this.recordWords;
  }

  /** Puts the record at `at` in front. */
  add(hash: number, at: number): void {
    const { words } = this;
    const head = this.heads + (hash & this.mask);
    words[at + this.link] = words[head]!;
    words[head] = at / this.recordWords + 1;
  }

  /** Takes the record at `at` out, in which it must be. */
  remove(hash: number, at: number): void {
    const { words, link, recordWords } = this;
    const own = at / recordWords + 1;
    let i = this.heads + (hash & this.mask);
    while (words[i] !== own) i = (words[i]! - 1) * recordWords + link;
    words[i] = words[at + link]!;
  }

  /** Empties all chains. */
  clear(): void {
    this.words.fill(NONE, this.heads, this.heads + this.mask + 1);
  }
}

/** Buckets for so many records: a power of two, at least as many. */
export const bucketsFor = (capacity: number): number => 1 << (32 - Math.clz32(Math.max(capacity, 2) - 1));
