/**
 * Which records of a table are in use: those never used, from `records` on, and a list of those given back, through a
 * word of theirs. Links are record numbers plus one, so that memory that was never touched is an empty table.
 *
 * In the memory of a table its records come first, then the heads of its chains and of its timers, then a few words here.
 */
import type { FlatMemory } from './flat-memory.js';

const FRESH = 0;
const FREE = 1;
const USED = 2;
const IN_HAND = 3;
/** Words behind the heads of a table. */
export const SLOT_WORDS = 4;

export class Slots {
  readonly #words: Int32Array;

  /**
   * @param memory of the table
   * @param at     word offset of SLOT_WORDS words
   * @param recordWords length of a record
   * @param link   offset in it of the word that links the free ones
   */
  constructor(
    private readonly memory: FlatMemory,
    private readonly at: number,
    readonly capacity: number,
    private readonly recordWords: number,
    private readonly link: number,
  ) {
    this.#words = memory.words;
  }

  /** Records in use. */
  get used(): number {
    return this.#words[this.at + USED]!;
  }

  /** Records that have ever been in use: those before this number. */
  get records(): number {
    return this.#words[this.at + FRESH]!;
  }

  /** The record that a change is under way in, for who adopts the table when the process has died; -1: none. */
  get inHand(): number {
    return this.#words[this.at + IN_HAND]! - 1;
  }
  set inHand(slot: number) {
    this.#words[this.at + IN_HAND] = slot + 1;
  }

  /** `take` has one to give. */
  get hasRoom(): boolean {
    const w = this.#words;
    if (w[this.at + FREE]! !== 0) return true;
    const fresh = w[this.at + FRESH]!;
    return fresh < this.capacity && this.memory.grow((fresh + 1) * this.recordWords);
  }

  /** Takes a record, whose words are as they were left; -1: there is none. */
  take(): number {
    const w = this.#words;
    const { at, recordWords } = this;
    const free = w[at + FREE]!;
    if (free !== 0) {
      w[at + FREE] = w[(free - 1) * recordWords + this.link]!;
      w[at + USED]!++;
      return free - 1;
    }
    if (!this.hasRoom) return -1;
    const fresh = w[at + FRESH]!;
    w[at + FRESH] = fresh + 1;
    w[at + USED]!++;
    return fresh;
  }

  /** Gives a record back, which says of itself that it is not in use. */
  give(slot: number): void {
    const w = this.#words;
    w[slot * this.recordWords + this.link] = w[this.at + FREE]!;
    w[this.at + FREE] = slot + 1;
    w[this.at + USED]!--;
  }

  /** Gives back all records that are not in use, so that the first one is taken first. Behind `restart`. */
  giveUnused(used: (slot: number) => boolean): void {
    for (let slot = this.records - 1; slot >= 0; slot--) if (!used(slot)) this.give(slot);
  }

  /**
   * Forgets what is in use: who adopts a table takes up each record again, or gives it back. Not which record was in hand:
   * who adopts may die, too, before he has seen to it.
   */
  restart(): void {
    const w = this.#words;
    const { at } = this;
    w[at + FRESH] = Math.min(Math.max(w[at + FRESH]!, 0), this.capacity);
    w[at + FREE] = 0;
    w[at + USED] = w[at + FRESH]!;
  }
}
