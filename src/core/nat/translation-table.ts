/**
 * All translations of the router: flat records in two hash chains each, one found by a packet as it is inside, the
 * other by a packet as it is outside. O(1) per packet, no allocation after construction.
 */
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import { mix } from '../memory/hash.js';
import type { HashIndex } from '../memory/hash-index.js';
import type { Slots } from '../memory/slots.js';
import { TableMemory } from '../memory/table-memory.js';
import { TimerWheel } from '../memory/timer-wheel.js';
import { KIND_OF, Translation, TRANSLATION_FIELDS, TRANSLATION_WORDS } from './translation.js';

export class TranslationTable {
  readonly #table: TableMemory;
  readonly #slots: Slots;
  readonly #inside: HashIndex;
  readonly #outside: HashIndex;
  readonly #seed: number;

  /**
   * @param capacity most records at a time; memory (64 bytes each) is touched only as it is used
   * @param seed     of the hash: a sender must not be able to choose our chains
   * @param source   of the memory
   */
  constructor(
    readonly capacity: number,
    seed: number,
    source: MemorySource = heapMemory,
  ) {
    const links = [TRANSLATION_FIELDS.insideNext.word, TRANSLATION_FIELDS.outsideNext.word];
    this.#table = new TableMemory(
      { name: 'translations', capacity, recordWords: TRANSLATION_WORDS, links, timed: true },
      source,
    );
    this.#slots = this.#table.slots;
    this.#inside = this.#table.indexes[0]!;
    this.#outside = this.#table.indexes[1]!;
    this.#seed = seed | 0;
  }

  cursor(): Translation {
    return new Translation(this.#table.memory);
  }

  /** The timers of this table's translations: there is one wheel in its memory. */
  timers(now: number): TimerWheel<Translation> {
    const { memory, wheelAt } = this.#table;
    return new TimerWheel(memory.words, wheelAt, TRANSLATION_WORDS, this.cursor(), this.cursor(), now);
  }

  /** Records in use. */
  get size(): number {
    return this.#slots.used;
  }

  /** There is a place for another record, and memory. */
  get hasRoom(): boolean {
    return this.#slots.hasRoom;
  }

  /**
   * Moves `t` to the translation of an inside local end. Of several bindings of one end, the newest is found.
   * @param kind KIND_OF.flow, or KIND_OF.binding with no outside end (0, 0)
   */
  findInside(
    t: Translation,
    kind: number,
    protocol: number,
    local: number,
    port: number,
    outside: number,
    outsidePort: number,
  ): boolean {
    const index = this.#inside;
    const hash = this.#hash(protocol, local, port, outside, outsidePort);
    for (let at = index.first(hash); at >= 0; at = index.after(at)) {
      t.at = at;
      if (t.isInside(kind, protocol, local, port, outside, outsidePort)) return true;
    }
    return false;
  }

  /** Moves `t` to the translation of an inside global end. */
  findOutside(
    t: Translation,
    kind: number,
    protocol: number,
    global: number,
    port: number,
    outside: number,
    outsidePort: number,
  ): boolean {
    const index = this.#outside;
    const hash = this.#hash(protocol, global, port, outside, outsidePort);
    for (let at = index.first(hash); at >= 0; at = index.after(at)) {
      t.at = at;
      if (t.isOutside(kind, protocol, global, port, outside, outsidePort)) return true;
    }
    return false;
  }

  /** Makes a record and moves `t` to it; false when the table is full. `kind` and the rest as in `Translation`. */
  create(
    t: Translation,
    flags: number,
    protocol: number,
    local: number,
    localPort: number,
    global: number,
    globalPort: number,
    outside: number,
    outsidePort: number,
    now: number,
  ): boolean {
    const slot = this.#slots.take();
    if (slot < 0) return false;
    t.at = slot * TRANSLATION_WORDS;
    t.begin(flags, protocol, local, localPort, global, globalPort, outside, outsidePort, now);
    this.#file(t);
    return true;
  }

  /** Takes the translation under `t` out of the table; its record may be used again at once. */
  remove(t: Translation): void {
    this.#inside.remove(this.#insideHash(t), t.at);
    this.#outside.remove(this.#outsideHash(t), t.at);
    t.clear();
    this.#slots.give(t.slot);
  }

  /** Records that have ever been in use: those before this number. */
  get records(): number {
    return this.#slots.records;
  }

  /**
   * Calls `visit` for each one in the records from `from` up to `to`, in order of record.
   * The visitor may remove any of them.
   */
  forEach(visit: (t: Translation) => void, from = 0, to = this.records): void {
    const t = this.cursor();
    const end = Math.min(to, this.records);
    for (let slot = from; slot < end; slot++) {
      t.at = slot * TRANSLATION_WORDS;
      if (t.has(KIND_OF.flow | KIND_OF.binding)) visit(t);
    }
  }

  /**
   * Takes over what another process has left in this memory: from the records alone, chains, free list and timers are
   * made anew. A record that `sound` does not take is given up. @returns how many were given up
   */
  adopt(sound: (t: Translation) => boolean): number {
    let lost = 0;
    this.#table.restart();
    this.forEach((t) => {
      if (sound(t)) {
        t.wheelSlot = -1;
        this.#file(t);
      } else {
        lost++;
        t.clear();
      }
    });
    const t = this.cursor();
    this.#slots.giveUnused((slot) => {
      t.at = slot * TRANSLATION_WORDS;
      return t.has(KIND_OF.flow | KIND_OF.binding);
    });
    return lost;
  }

  #file(t: Translation): void {
    this.#inside.add(this.#insideHash(t), t.at);
    this.#outside.add(this.#outsideHash(t), t.at);
  }

  #insideHash(t: Translation): number {
    return this.#hash(t.protocol, t.insideLocal, t.insideLocalPort, t.outside, t.outsidePort);
  }

  #outsideHash(t: Translation): number {
    return this.#hash(t.protocol, t.insideGlobal, t.insideGlobalPort, t.outside, t.outsidePort);
  }

  #hash(protocol: number, inside: number, port: number, outside: number, outsidePort: number): number {
    return mix(mix(inside ^ this.#seed, (port << 16) | outsidePort) ^ outside, protocol ^ this.#seed);
  }
}
