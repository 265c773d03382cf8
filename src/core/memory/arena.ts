/**
 * Memory in blocks whose sizes are powers of two, from 256 bytes to 4 MB, for what does not fit into a record. Blocks are
 * halved and joined again (K. C. Knowlton's buddy system, 1965) within chunks of 4 MB, which are asked for as they are
 * needed. Which blocks are in use is known here and nowhere in the memory: who adopts it tells from the records.
 */
import type { FlatMemory, MemorySource } from './flat-memory.js';

const UNIT_SHIFT = 8; // 256 bytes
const TOP_ORDER = 14; // of a block that is a whole chunk
const CHUNK_UNITS = 1 << TOP_ORDER;
const CHUNK_WORDS = (CHUNK_UNITS << UNIT_SHIFT) / 4;

export const LEAST_BLOCK = 1 << UNIT_SHIFT;
export const MOST_BLOCK = LEAST_BLOCK << TOP_ORDER;

/** Stands for no block. */
export const NO_BLOCK = 0;

// A block is named by a number: order << 24 | unit + 1.
const ORDER_SHIFT = 24;
const UNIT_MASK = (1 << ORDER_SHIFT) - 1;
const MOST_CHUNKS = (UNIT_MASK + 1) / CHUNK_UNITS - 1;

const orderOf = (block: number): number => block >> ORDER_SHIFT;
const unitOf = (block: number): number => (block & UNIT_MASK) - 1;
const orderFor = (bytes: number): number => (bytes <= LEAST_BLOCK ? 0 : 32 - Math.clz32((bytes - 1) >> UNIT_SHIFT));

/** Bytes of a block. */
export const blockSize = (block: number): number => LEAST_BLOCK << orderOf(block);
/** Offset of a block in the bytes of its chunk. */
export const blockAt = (block: number): number => (unitOf(block) & (CHUNK_UNITS - 1)) << UNIT_SHIFT;
const chunkOf = (block: number): number => unitOf(block) >> TOP_ORDER;

const NONE = -1;
/** What begins at a unit: nothing (0), a free block (FREE | order), one in use (USED | order). */
const FREE = 0x20;
const USED = 0x40;

/** The blocks of one chunk. */
class Chunk {
  readonly state = new Uint8Array(CHUNK_UNITS);
  /** First free block by order, and the links of the free ones. */
  readonly #heads = new Int32Array(TOP_ORDER + 1).fill(NONE);
  readonly #next = new Int32Array(CHUNK_UNITS);
  readonly #previous = new Int32Array(CHUNK_UNITS);

  constructor(readonly memory: FlatMemory) {}

  /** @returns the first unit of the block, or NONE */
  take(order: number): number {
    let o = order;
    while (o <= TOP_ORDER && this.#heads[o] === NONE) o++;
    if (o > TOP_ORDER) return NONE;
    const unit = this.#heads[o]!;
    this.#unlink(unit, o);
    for (; o > order; o--) this.link(unit + (1 << (o - 1)), o - 1);
    this.state[unit] = USED | order;
    return unit;
  }

  give(unit: number, order: number): void {
    let u = unit;
    let o = order;
    this.state[u] = 0;
    for (; o < TOP_ORDER; o++) {
      const buddy = u ^ (1 << o);
      if (this.state[buddy] !== (FREE | o)) break;
      this.#unlink(buddy, o);
      u &= buddy;
    }
    this.link(u, o);
  }

  /** A free block. */
  link(unit: number, order: number): void {
    const head = this.#heads[order]!;
    this.state[unit] = FREE | order;
    this.#next[unit] = head;
    this.#previous[unit] = NONE;
    if (head !== NONE) this.#previous[head] = unit;
    this.#heads[order] = unit;
  }

  #unlink(unit: number, order: number): void {
    const next = this.#next[unit]!;
    const previous = this.#previous[unit]!;
    if (previous === NONE) this.#heads[order] = next;
    else this.#next[previous] = next;
    if (next !== NONE) this.#previous[next] = previous;
    this.state[unit] = 0;
  }
}

export class Arena {
  readonly #chunks: Chunk[] = [];
  /** By order: no chunk before this one has such a block. */
  readonly #from = new Int32Array(TOP_ORDER + 1);

  constructor(private readonly source: MemorySource) {}

  /** A block of `bytes`, a power of two from LEAST_BLOCK to MOST_BLOCK, with what is left in it; NO_BLOCK: there is none. */
  take(bytes: number): number {
    const order = orderFor(bytes);
    for (let i = this.#from[order]!; ; i++) {
      if (i === this.#chunks.length && !this.#lengthen()) return NO_BLOCK;
      const unit = this.#chunks[i]!.take(order);
      if (unit === NONE) continue;
      this.#from[order] = i;
      return (order << ORDER_SHIFT) | (i * CHUNK_UNITS + unit + 1);
    }
  }

  /** Takes back a block that is in use. */
  give(block: number): void {
    const i = chunkOf(block);
    this.#chunks[i]!.give(unitOf(block) & (CHUNK_UNITS - 1), orderOf(block));
    for (let order = 0; order <= TOP_ORDER; order++) if (this.#from[order]! > i) this.#from[order] = i;
  }

  /** The memory that the block lies in, from `blockAt` on. */
  memory(block: number): FlatMemory {
    return this.#chunks[chunkOf(block)]!.memory;
  }

  /**
   * A record of adopted memory says that it has this block. To be followed by `adopted`, when all have been claimed.
   * @returns false where that cannot be, with nothing changed
   */
  claim(block: number): boolean {
    const order = orderOf(block);
    const unit = unitOf(block);
    if (block <= 0 || unit < 0 || order > TOP_ORDER || (unit & ((1 << order) - 1)) !== 0) return false;
    const i = unit >> TOP_ORDER;
    while (this.#chunks.length <= i) if (!this.#lengthen(false)) return false;
    if (this.#chunks[i]!.memory.fresh) return false; // what was there is gone
    const { state } = this.#chunks[i]!;
    const at = unit & (CHUNK_UNITS - 1);
    for (let u = at; u < at + (1 << order); u++) if (state[u] !== 0) return false;
    state.fill(USED, at, at + (1 << order)); // each unit, until `adopted`
    state[at] = USED | (order + 1);
    return true;
  }

  /** What nobody has claimed is free. */
  adopted(): void {
    for (const chunk of this.#chunks) {
      const { state } = chunk;
      for (let u = 0; u < CHUNK_UNITS;) {
        const claimed = state[u]! & (USED - 1);
        if (state[u] !== 0) {
          const order = claimed - 1;
          state.fill(0, u, u + (1 << order));
          state[u] = USED | order;
          u += 1 << order;
          continue;
        }
        // The largest block that may begin here and whose units are all free.
        let order = 0;
        while (order < TOP_ORDER && (u & ((2 << order) - 1)) === 0 && isFree(state, u + (1 << order), 1 << order))
          order++;
        chunk.link(u, order);
        u += 1 << order;
      }
    }
    this.#from.fill(0);
  }

  /** One chunk more. @param free false: its blocks are claimed one by one */
  #lengthen(free = true): boolean {
    const i = this.#chunks.length;
    if (i >= MOST_CHUNKS) return false;
    const memory = this.source(`arena ${i}`, CHUNK_WORDS, 0);
    if (!memory.grow(CHUNK_WORDS)) return false;
    const chunk = new Chunk(memory);
    if (free) chunk.link(0, TOP_ORDER);
    this.#chunks.push(chunk);
    return true;
  }
}

function isFree(state: Uint8Array, from: number, count: number): boolean {
  for (let u = from; u < from + count; u++) if (state[u] !== 0) return false;
  return true;
}
