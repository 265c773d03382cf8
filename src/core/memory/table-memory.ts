/**
 * The one piece of memory that a table has: its records, the heads of its chains, those of its timers, and what is in
 * use. From the records alone all the rest can be made again, which is what who adopts a table does.
 */
import type { FlatMemory, MemorySource } from './flat-memory.js';
import { bucketsFor, HashIndex } from './hash-index.js';
import { SLOT_WORDS, Slots } from './slots.js';
import { WHEEL_WORDS } from './timer-wheel.js';

/** What a table is made of. */
export interface TableShape {
  readonly name: string;
  readonly capacity: number;
  /** Length of a record, even. */
  readonly recordWords: number;
  /** Word of a record that links the records of a chain, for each kind of chain. The first one links free records, too. */
  readonly links: readonly number[];
  /** Its records have timeouts. */
  readonly timed: boolean;
}

export class TableMemory {
  readonly memory: FlatMemory;
  readonly slots: Slots;
  readonly indexes: readonly HashIndex[];
  /** Word offset of the heads of a timer wheel. */
  readonly wheelAt: number;

  constructor({ name, capacity, recordWords, links, timed }: TableShape, source: MemorySource) {
    const records = capacity * recordWords;
    const buckets = bucketsFor(capacity);
    const wheel = timed ? WHEEL_WORDS : 0;
    const tail = links.length * buckets + wheel + SLOT_WORDS;
    this.memory = source(name, records + tail, tail);
    const { words } = this.memory;
    this.indexes = links.map((link, i) => new HashIndex(words, records + i * buckets, capacity, recordWords, link));
    this.wheelAt = records + links.length * buckets;
    this.slots = new Slots(this.memory, this.wheelAt + wheel, capacity, recordWords, links[0]!);
  }

  /** All records count as used, and stand in no chain. */
  restart(): void {
    this.slots.restart();
    for (const index of this.indexes) index.clear();
  }
}
