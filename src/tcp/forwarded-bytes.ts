/**
 * The bytes of one direction that went on to the receiver and are not yet acknowledged: a ring, indexed by sequence
 * number, that grows in powers of two. What a retransmission brings is replaced by what stands here.
 */
import { copyBytes, sameBytes } from '../wire/copy.js';
import { powerOfTwo } from './buffer-pool.js';
import type { ReassemblyMemory } from './reassembly-memory.js';
import { seqAdd, seqDiff } from './seq.js';

/** Most dialogues never need more than this. */
const LEAST_RING = 2048; // bytes
const NO_RING = new Uint8Array(0);

export class ForwardedBytes {
  /** Sequence number of the first byte kept. */
  start = 0;
  /** Bytes kept. None: no ring is held, and `start` says nothing. */
  length = 0;
  #ring: Uint8Array = NO_RING;
  readonly #memory: ReassemblyMemory;

  constructor(memory: ReassemblyMemory) {
    this.#memory = memory;
  }

  /** Makes room for `count` more bytes. False, with nothing changed, where the limits leave none. */
  reserve(count: number): boolean {
    const need = this.length + count;
    if (need <= this.#ring.length) return true;
    const old = this.#ring;
    const ring = this.#memory.takeRing(powerOfTwo(need, LEAST_RING));
    if (ring === undefined) return false;
    if (this.length > 0) {
      const at = this.start & (old.length - 1);
      const first = Math.min(this.length, old.length - at);
      this.#ring = ring;
      this.#write(old, at, this.start, first);
      this.#write(old, 0, seqAdd(this.start, first), this.length - first);
    }
    this.#ring = ring;
    if (old.length > 0) this.#memory.giveRing(old);
    return true;
  }

  /** Keeps b[at..at+count) as the bytes from sequence number `seq`, which follow the last one kept. After `reserve`. */
  append(b: Uint8Array, at: number, seq: number, count: number): void {
    if (this.length === 0) this.start = seq;
    this.#write(b, at, seq, count);
    this.length += count;
  }

  /**
   * Overwrites b[at..at+count) with the bytes kept from sequence number `seq`; all of them must be kept.
   * @returns true when a byte differed
   */
  restore(b: Uint8Array, at: number, seq: number, count: number): boolean {
    if (!this.differ(b, at, seq, count)) return false;
    const ring = this.#ring;
    const from = seq & (ring.length - 1);
    const first = Math.min(count, ring.length - from);
    copyBytes(ring, from, b, at, first);
    copyBytes(ring, 0, b, at + first, count - first);
    return true;
  }

  /** True when b[at..at+count) has a byte that differs from the one kept; all of them must be kept. */
  differ(b: Uint8Array, at: number, seq: number, count: number): boolean {
    const ring = this.#ring;
    const from = seq & (ring.length - 1);
    const first = Math.min(count, ring.length - from);
    const rest = count - first;
    return !sameBytes(ring, from, b, at, first) || (rest > 0 && !sameBytes(ring, 0, b, at + first, rest));
  }

  /** Forgets the bytes before sequence number `seq`. The ring goes back as soon as it is empty: idle streams hold none. */
  forget(seq: number): void {
    const count = seqDiff(seq, this.start);
    if (this.length === 0 || count <= 0) return;
    if (count >= this.length) {
      this.clear();
      return;
    }
    this.start = seq;
    this.length -= count;
  }

  /** Forgets all. */
  clear(): void {
    if (this.#ring.length > 0) this.#memory.giveRing(this.#ring);
    this.#ring = NO_RING;
    this.length = 0;
  }

  #write(b: Uint8Array, at: number, seq: number, count: number): void {
    const ring = this.#ring;
    const to = seq & (ring.length - 1);
    const first = Math.min(count, ring.length - to);
    copyBytes(b, at, ring, to, first);
    copyBytes(b, at + first, ring, 0, count - first);
  }
}
