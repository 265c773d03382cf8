/**
 * The bytes of one direction that went on to the receiver and are not yet acknowledged: a ring, indexed by sequence
 * number, that grows in powers of two. What a retransmission brings is replaced by what stands here. As few bytes as
 * most commands and replies have stand in the stream's record, if those of the other direction do not stand there.
 */
import type { FlatMemory } from '../memory/flat-memory.js';
import { copyBytes, sameBytes } from '../wire/copy.js';
import { blockAt, blockSize, NO_BLOCK } from '../memory/arena.js';
import { powerOfTwo } from './buffer-pool.js';
import { type MemoryOwner, NOBODY } from './memory-shares.js';
import { LEAST_RING, type ReassemblyMemory } from './reassembly-memory.js';
import { seqAdd, seqDiff } from '../wire/seq.js';

/** The ring in the record, bytes. */
export const RECORD_RING = 64;
const NO_BYTES = new Uint8Array(0);

// Rings: blocks of the arena, or one of these.
const NO_RING = NO_BLOCK;
export const OF_RECORD = -1;

/** The ring in the record of a stream, for the direction that wants it first. Without a record there is none. */
export class RecordRing {
  bytes: Uint8Array = NO_BYTES;
  /** Offset of its RECORD_RING bytes. */
  at = 0;
  free = false;
}

// Words of the record.
const LENGTH = 0;
const RING = 1;
export const FORWARDED_WORDS = 2;

export class ForwardedBytes {
  /** Sequence number of the first byte kept. */
  start = 0;
  /** Bytes kept. None: no ring is taken, and `start` says nothing. */
  length = 0;
  #ring = NO_RING;
  /** The ring: `#size` bytes, a power of two, from `#at`. */
  #bytes: Uint8Array = NO_BYTES;
  #at = 0;
  #size = 0;
  readonly #memory: ReassemblyMemory;
  readonly #ofRecord: RecordRing;
  readonly #owner: MemoryOwner;

  /** @param owner the session in hand: as long as it is, the same */
  constructor(memory: ReassemblyMemory, ofRecord: RecordRing, owner: MemoryOwner = NOBODY) {
    this.#memory = memory;
    this.#ofRecord = ofRecord;
    this.#owner = owner;
  }

  /** Writes what `load` needs to FORWARDED_WORDS words from word `at`. */
  save(m: FlatMemory, at: number): void {
    m.words[at + LENGTH] = this.length;
    m.words[at + RING] = this.#ring;
  }

  /** Goes on with what was saved there. @param start that of then: the first byte that is not acknowledged */
  load(m: FlatMemory, at: number, start: number): void {
    this.start = start;
    this.length = m.words[at + LENGTH]!;
    this.#use(m.words[at + RING]!);
  }

  /** Makes room for `count` more bytes. False, with nothing changed, where the limits leave none. */
  reserve(count: number): boolean {
    const need = this.length + count;
    if (need <= this.#size) return true;
    if (need <= RECORD_RING && this.#ofRecord.free) {
      this.#use(OF_RECORD);
      return true;
    }
    const ring = this.#memory.takeBlock(powerOfTwo(need, LEAST_RING), this.#owner);
    if (ring === NO_RING) return false;
    const old = this.#ring;
    const oldBytes = this.#bytes;
    const oldAt = this.#at;
    const oldSize = this.#size;
    this.#use(ring);
    if (this.length > 0) {
      const at = this.start & (oldSize - 1);
      const first = Math.min(this.length, oldSize - at);
      this.#write(oldBytes, oldAt + at, this.start, first);
      this.#write(oldBytes, oldAt, seqAdd(this.start, first), this.length - first);
    }
    this.#giveBack(old);
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
    const from = seq & (this.#size - 1);
    const first = Math.min(count, this.#size - from);
    copyBytes(this.#bytes, this.#at + from, b, at, first);
    copyBytes(this.#bytes, this.#at, b, at + first, count - first);
    return true;
  }

  /** True when b[at..at+count) has a byte that differs from the one kept; all of them must be kept. */
  differ(b: Uint8Array, at: number, seq: number, count: number): boolean {
    const kept = this.#bytes;
    const from = seq & (this.#size - 1);
    const first = Math.min(count, this.#size - from);
    const rest = count - first;
    return (
      !sameBytes(kept, this.#at + from, b, at, first) || (rest > 0 && !sameBytes(kept, this.#at, b, at + first, rest))
    );
  }

  /** Forgets the bytes before sequence number `seq`. A ring goes back as soon as it is empty: idle streams hold none. */
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
    const ring = this.#ring;
    this.length = 0;
    this.#use(NO_RING);
    this.#giveBack(ring);
  }

  #use(ring: number): void {
    this.#ring = ring;
    if (ring > 0) {
      this.#bytes = this.#memory.arena.memory(ring).bytes;
      this.#at = blockAt(ring);
      this.#size = blockSize(ring);
    } else if (ring === OF_RECORD) {
      const ofRecord = this.#ofRecord;
      ofRecord.free = false;
      this.#bytes = ofRecord.bytes;
      this.#at = ofRecord.at;
      this.#size = RECORD_RING;
    } else {
      this.#size = 0;
    }
  }

  #giveBack(ring: number): void {
    if (ring > 0) this.#memory.giveBlock(ring, this.#owner);
    else if (ring === OF_RECORD) this.#ofRecord.free = true;
  }

  #write(b: Uint8Array, at: number, seq: number, count: number): void {
    const to = seq & (this.#size - 1);
    const first = Math.min(count, this.#size - to);
    copyBytes(b, at, this.#bytes, this.#at + to, first);
    copyBytes(b, at + first, this.#bytes, this.#at, count - first);
  }
}
