/**
 * One direction of a stream. Between two packets a flat record has all of it, unless a segment is missing; then the
 * object can be another direction.
 */
import { blockSize, NO_BLOCK } from '../memory/arena.js';
import type { FlatMemory } from '../memory/flat-memory.js';
import { Unanswered } from './duplicate-ack.js';
import { FORWARDED_WORDS, ForwardedBytes, OF_RECORD, RECORD_RING, type RecordRing } from './forwarded-bytes.js';
import { HeldQueue } from './held-segments.js';
import type { MemoryOwner } from './memory-shares.js';
import type { OpenGap, ReassemblyMemory } from './reassembly-memory.js';
import { seqDiff } from '../wire/seq.js';
import { i32, put32 } from '../wire/bytes.js';
import { completeToPartial } from '../wire/checksum.js';
import type { Packet } from '../wire/packet.js';
import { timestampsAt } from '../wire/tcp-options.js';

// Words of the record.
const NXT = 0;
const UNA = 1;
const FLAGS = 2;
const STAMP = 3;
const ECHO = 4;
const FORWARDED = 5;
export const DIRECTION_WORDS = FORWARDED + FORWARDED_WORDS;

/** Words of the record in which forwarded bytes say how many they are, and where. */
const LENGTH = FORWARDED;
const RING = FORWARDED + 1;

const OPENED = 1;
const OPAQUE = 2;
const FINISHED = 4;
const STAMPED = 8;

export const NO_GAP = -1;

/** What the list of open gaps ends the wait of, and takes memory from. */
interface Holding {
  readonly owner: MemoryOwner;
  expire(now: number): void;
  giveWay(d: Direction): void;
}

/** The block that the forwarded bytes of a saved direction are in, or as in `ForwardedBytes`. */
export const ringOf = (w: Int32Array, at: number): number => w[at + RING]!;

/**
 * Whether a direction that another process has saved at word `at` can be.
 * @param claim takes the block that it names; false: it cannot have that one
 */
export function isSoundDirection(w: Int32Array, at: number, claim: (block: number) => boolean): boolean {
  const flags = w[at + FLAGS]!;
  const length = w[at + LENGTH]!;
  const ring = w[at + RING]!;
  const unacknowledged = seqDiff(w[at + NXT]!, w[at + UNA]!);
  if (flags < 0 || flags > (OPENED | OPAQUE | FINISHED | STAMPED) || length < 0) return false;
  if ((flags & OPAQUE) !== 0 ? length > unacknowledged : length !== unacknowledged) return false;
  if (ring <= 0) return ring === NO_BLOCK ? length === 0 : ring === OF_RECORD && length <= RECORD_RING;
  return claim(ring) && length <= blockSize(ring);
}

export class Direction implements OpenGap {
  opened = false;
  /** Sequence number of the next byte to inspect, and of the first one not acknowledged. */
  nxt = 0;
  una = 0;
  /** The inspector wants no more bytes. `nxt` is then the end of the furthest segment forwarded. */
  opaque = false;
  /** A FIN went on: its sequence number is `nxt`. */
  finished = false;
  /** Timestamps that the sender of this direction has last sent, and that went on (RFC 7323): TSval and TSecr. */
  stamped = false;
  stamp = 0;
  echo = 0;
  /** When the byte at `nxt` was first missed, ms. Outlasts the held segments. */
  missingSince = NO_GAP;
  readonly forwarded: ForwardedBytes;
  readonly held = new HeldQueue();
  /** Segments behind the gap whose sender has not heard of them yet. */
  readonly unanswered = new Unanswered();

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
    w[at + FLAGS] =
      (this.opened ? OPENED : 0) |
      (this.opaque ? OPAQUE : 0) |
      (this.finished ? FINISHED : 0) |
      (this.stamped ? STAMPED : 0);
    w[at + STAMP] = this.stamp;
    w[at + ECHO] = this.echo;
    this.forwarded.save(m, at + FORWARDED);
  }

  /** Goes on with the direction that was saved there. */
  load(m: FlatMemory, at: number): void {
    const w = m.words;
    const flags = w[at + FLAGS]!;
    this.nxt = w[at + NXT]!;
    this.una = w[at + UNA]!;
    this.opened = (flags & OPENED) !== 0;
    this.opaque = (flags & OPAQUE) !== 0;
    this.finished = (flags & FINISHED) !== 0;
    this.stamped = (flags & STAMPED) !== 0;
    this.stamp = w[at + STAMP]!;
    this.echo = w[at + ECHO]!;
    this.missingSince = NO_GAP;
    this.unanswered.count = 0;
    this.forwarded.load(m, at + FORWARDED, this.una);
  }

  /** Notes the timestamps of segment `p`, which goes on. An older one came late and says nothing. */
  noteStamps(p: Packet): void {
    const at = timestampsAt(p);
    if (at < 0) return;
    const stamp = i32(p.bytes, at + 2);
    if (this.stamped && seqDiff(stamp, this.stamp) < 0) return;
    this.stamped = true;
    this.stamp = stamp;
    this.echo = i32(p.bytes, at + 6);
  }

  /**
   * A held segment goes on behind one that was sent later, the repetition that has closed the gap. With its own
   * timestamp its receiver would take it for one of an older connection and drop it (PAWS, RFC 7323 §5). So it gets the
   * other's: that is what the receiver echoes, as if it had held the segment itself.
   */
  renewStamp(p: Packet): void {
    const at = timestampsAt(p);
    if (at < 0 || !this.stamped || seqDiff(i32(p.bytes, at + 2), this.stamp) >= 0) return;
    completeToPartial(p);
    put32(p.bytes, at + 2, this.stamp);
    p.modified = true;
  }

  /** True for bytes beyond the FIN, or a FIN that is not at the end of what was forwarded. `end`: of the segment. */
  contradictsFin(end: number, fin: boolean): boolean {
    if (!this.finished) return fin && seqDiff(end, this.nxt) < 0;
    return seqDiff(end, this.nxt) > 0 || (fin && end !== this.nxt);
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
