/**
 * One direction of a stream. Between two packets a flat record has all of it, unless a segment is missing; then the
 * object can be another direction.
 */
import type { FlatMemory } from '../memory/flat-memory.js';
import { FORWARDED_WORDS, ForwardedBytes, type RecordRing } from './forwarded-bytes.js';
import { HeldQueue } from './held-segments.js';
import type { MemoryOwner } from './memory-shares.js';
import type { OpenGap, ReassemblyMemory } from './reassembly-memory.js';
import { seqDiff } from './seq.js';

// Words of the record.
const NXT = 0;
const UNA = 1;
const FIN_SEQ = 2;
const FLAGS = 3;
const FORWARDED = 4;
export const DIRECTION_WORDS = FORWARDED + FORWARDED_WORDS;

const OPENED = 1;
const OPAQUE = 2;
const FINISHED = 4;

export const NO_GAP = -1;

/** What the list of open gaps ends the wait of, and takes memory from. */
interface Holding {
  readonly owner: MemoryOwner;
  expire(now: number): void;
  giveWay(d: Direction): void;
}

export class Direction implements OpenGap {
  opened = false;
  /** Sequence number of the next byte to inspect, and of the first one not acknowledged. */
  nxt = 0;
  una = 0;
  /** The inspector wants no more bytes. `nxt` is then the end of the furthest segment forwarded. */
  opaque = false;
  finished = false;
  /** Sequence number of the FIN, when `finished`. */
  finSeq = 0;
  /** When the byte at `nxt` was first missed, ms. Outlasts the held segments. */
  missingSince = NO_GAP;
  readonly forwarded: ForwardedBytes;
  readonly held = new HeldQueue();

  /** In the list of open gaps. */
  watched = false;
  gapNext: OpenGap | undefined = undefined;
  gapPrevious: OpenGap | undefined = undefined;
  waitingSince = 0;

  constructor(
    memory: ReassemblyMemory,
    ring: RecordRing,
    readonly stream: Holding,
    readonly fromInitiator: boolean,
  ) {
    this.forwarded = new ForwardedBytes(memory, ring, stream.owner);
  }

  /** Writes the direction, of which nothing is held nor missed, to DIRECTION_WORDS words from word `at`. */
  save(m: FlatMemory, at: number): void {
    const w = m.words;
    w[at + NXT] = this.nxt;
    w[at + UNA] = this.una;
    w[at + FIN_SEQ] = this.finSeq;
    w[at + FLAGS] = (this.opened ? OPENED : 0) | (this.opaque ? OPAQUE : 0) | (this.finished ? FINISHED : 0);
    this.forwarded.save(m, at + FORWARDED);
  }

  /** Goes on with the direction that was saved there. */
  load(m: FlatMemory, at: number): void {
    const w = m.words;
    const flags = w[at + FLAGS]!;
    this.nxt = w[at + NXT]!;
    this.una = w[at + UNA]!;
    this.finSeq = w[at + FIN_SEQ]!;
    this.opened = (flags & OPENED) !== 0;
    this.opaque = (flags & OPAQUE) !== 0;
    this.finished = (flags & FINISHED) !== 0;
    this.missingSince = NO_GAP;
    this.forwarded.load(m, at + FORWARDED);
  }

  /** True for bytes beyond the FIN, or a FIN that is not at the end of what was forwarded. `end`: of the segment. */
  contradictsFin(end: number, fin: boolean): boolean {
    if (!this.finished) return fin && seqDiff(end, this.nxt) < 0;
    return seqDiff(end, this.finSeq) > 0 || (fin && end !== this.finSeq);
  }

  get owner(): MemoryOwner {
    return this.stream.owner;
  }

  expire(now: number): void {
    this.stream.expire(now);
  }

  giveWay(): void {
    this.stream.giveWay(this);
  }
}
