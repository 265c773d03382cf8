/**
 * What all inspected streams share: the limits of `ip inspect tcp reassembly`, the memory for held segments and for
 * forwarded bytes, the list of streams that wait for a missing segment, and the counters.
 */
import { Arena, blockSize, NO_BLOCK } from '../memory/arena.js';
import { heapMemory, type MemorySource } from '../memory/flat-memory.js';
import type { StateIo } from '../memory/state-io.js';
import { type Row, type RowNote, rowsOf } from '../observe/row.js';
import type { Packet } from '../wire/packet.js';
import { BufferPool, powerOfTwo } from './buffer-pool.js';
import { HeldSegment } from './held-segments.js';
import { type MemoryOwner, MemoryShares } from './memory-shares.js';

/** `ip inspect tcp reassembly {queue length | timeout | memory limit}` (12.4(11)T). The console may change them. */
export interface ReassemblyLimits {
  /** Segments held in one direction of a session. */
  queueLength: number;
  timeoutMs: number;
  /** Memory of all held segments of all sessions, bytes. */
  memoryBytes: number;
}

export const DEFAULT_LIMITS: Readonly<ReassemblyLimits> = {
  queueLength: 1024,
  timeoutMs: 5000,
  memoryBytes: 4096 * 1024,
};

/** Held segments of all sessions, most: they wait in the kernel's queue, which has room for twice as many packets. */
const MOST_HELD = 2048;
/** Blocks that wait for the end of a packet, most: one gives back a few. */
const MOST_RETIRED = 256;

/**
 * Forwarded bytes that one direction may have unacknowledged. Receivers open windows of up to about 3 MB by default
 * (Linux: half of the 6 MB of net.ipv4.tcp_rmem); beyond the limit segments are dropped, which narrows the window.
 */
const RING_LIMIT = 4 << 20;
/** The same for all streams together. */
const ALL_RINGS_LIMIT = 256 << 20;
/** The smallest ring, bytes: it has room for a segment, and a session goes on with it, if slowly. */
export const LEAST_RING = 2048;

/**
 * What one source, and all sessions that one side opened, may have in rings: this many times what would then still be
 * free (the dynamic thresholds of A. K. Choudhury and E. L. Hahne, 1998). So one source gets half of the memory, two a
 * third each, and something is always left for the next one. The smallest rings are the last that are refused.
 */
const RING_SHARES = { source: 1, side: 7 };
const LEAST_RING_SHARES = { source: 3, side: 15 };

/** Inferred: IOS holds packets in whole buffers, so a small packet costs as much as a full one. Bounds their number. */
const LEAST_BUFFER = 2048;

/** Open gaps that are compared, to find out who holds most. */
const GAPS_COMPARED = 8;

const NO_BYTES = new Uint8Array(0);

/** A direction that holds segments because one before them is missing. */
export interface OpenGap {
  gapNext: OpenGap | undefined;
  gapPrevious: OpenGap | undefined;
  /** When the wait for the now missing segment began, ms. The list is in this order. */
  waitingSince: number;
  readonly owner: MemoryOwner;
  expire(now: number): void;
  /** Drops the last segment that is held, for somebody who has less. */
  giveWay(): void;
}

type Counted =
  | 'heldSegments'
  | 'heldBytes'
  | 'ringBytes'
  | 'held'
  | 'released'
  | 'timedOut'
  | 'evicted'
  | 'abandoned'
  | 'queueFull'
  | 'memoryFull'
  | 'duplicateHeld'
  | 'retransmitted'
  | 'conflicting'
  | 'unacknowledgedFull'
  | 'shareFull'
  | 'refused'
  | 'unreplaceable'
  | 'urgentCleared'
  | 'afterFin'
  | 'unsaved';

const ROWS: Readonly<Record<Counted, RowNote>> = {
  heldSegments: { kind: 'gauge', help: 'Segments held now' },
  heldBytes: { kind: 'gauge', help: 'Memory of the segments held now, bytes' },
  ringBytes: { kind: 'gauge', help: 'Memory of the forwarded bytes that wait for their acknowledgement, bytes' },
  held: { kind: 'counter', help: 'Segments held because one before them was missing' },
  released: { kind: 'counter', help: 'Held segments that went on' },
  timedOut: { kind: 'counter', help: 'Held segments whose gap was not closed in time' },
  evicted: { kind: 'counter', help: 'Held segments given up at the memory limit' },
  abandoned: { kind: 'counter', help: 'Held segments whose session ended before the gap closed' },
  queueFull: { kind: 'counter', help: 'Segments out of order refused: the queue of their session was full' },
  memoryFull: { kind: 'counter', help: 'Segments out of order refused: there was no memory' },
  duplicateHeld: { kind: 'counter', help: 'Segments out of order refused: their bytes are held already' },
  retransmitted: { kind: 'counter', help: 'Segments that brought bytes forwarded before' },
  conflicting: { kind: 'counter', help: 'Segments that brought other bytes than those forwarded before' },
  unacknowledgedFull: { kind: 'counter', help: 'Segments dropped because too much was unacknowledged' },
  shareFull: { kind: 'counter', help: 'Segments dropped because their source or side had used up its share' },
  refused: { kind: 'counter', help: 'Segments that an inspector could not take as they were cut' },
  unreplaceable: { kind: 'counter', help: 'Segments whose text was to be replaced and could not be' },
  urgentCleared: { kind: 'counter', help: 'Segments whose URG flag was cleared' },
  unsaved: {
    kind: 'counter',
    help: 'Times that a session could not be saved, so that it would end with the data plane',
  },
  afterFin: { kind: 'counter', help: 'Segments with data behind a FIN, or with a FIN elsewhere than before' },
};

/** Hears of each segment that was refused, or given up, because others use the memory too. */
export type ShareAlert = (address: number) => void;

export class ReassemblyMemory {
  readonly limits: ReassemblyLimits;
  /** Held now: segments, and the buffer memory they take. */
  heldSegments = 0;
  heldBytes = 0;
  /** Memory of the rings in use, bytes. */
  ringBytes = 0;

  // Counters since the start.
  /** Segments that were held, and how each of them ended. */
  held = 0;
  released = 0;
  timedOut = 0;
  /** Held segments given up at the memory limit, for one nearer to the gap or of a source that has less. */
  evicted = 0;
  /** Held segments whose session ended before the gap closed. */
  abandoned = 0;
  /** Out-of-order segments refused: queue full, no memory, or their bytes are held already. */
  queueFull = 0;
  memoryFull = 0;
  duplicateHeld = 0;
  /** Segments that brought bytes forwarded before, and those among them that had other content. */
  retransmitted = 0;
  conflicting = 0;
  /** Segments dropped because too much is unacknowledged. */
  unacknowledgedFull = 0;
  /** Those among them whose source, or side, had used up its share. */
  shareFull = 0;
  /** Segments that an inspector could not take as they were cut. */
  refused = 0;
  /** Segments whose text was to be replaced, and could not be: super-packets, no room in memory. */
  unreplaceable = 0;
  /** Segments whose URG flag was cleared. */
  urgentCleared = 0;
  /** Segments with data after FIN, or a FIN that contradicts what went before. */
  afterFin = 0;
  /** Times that the state of a session could not be saved: too much of it, or no memory. */
  unsaved = 0;

  readonly #pool = new BufferPool();
  /** Blocks that were given back for the packet in hand. */
  readonly #retired = new Int32Array(MOST_RETIRED);
  #retiredCount = 0;
  /** Of the rings, and of what else of a session does not fit into its record. */
  readonly arena: Arena;
  readonly #heldShares: MemoryShares;
  readonly #ringShares: MemoryShares;
  #freeSegment: HeldSegment | undefined = undefined;
  #oldestGap: OpenGap | undefined = undefined;
  #newestGap: OpenGap | undefined = undefined;
  /** The gap with which the search for the one that holds most goes on. */
  #suspect: OpenGap | undefined = undefined;
  readonly #alert: ShareAlert;

  /**
   * @param seed of the table of shares
   * @param source of the memory for rings
   */
  constructor(
    limits: ReassemblyLimits,
    seed = 0,
    alert: ShareAlert = () => undefined,
    source: MemorySource = heapMemory,
  ) {
    this.limits = limits;
    this.arena = new Arena(source);
    this.#heldShares = new MemoryShares(seed);
    this.#ringShares = new MemoryShares(seed);
    this.#alert = alert;
  }

  /** Saves or loads the counters. */
  sync(io: StateIo): void {
    for (const name of Object.keys(ROWS) as Counted[])
      if (ROWS[name].kind === 'counter') this[name] = io.double(this[name]);
  }

  /** What is counted here. */
  rows(): Row[] {
    return rowsOf('reassembly', ROWS, (name) => this[name]);
  }

  /**
   * A copy of `p` to hold, or undefined at the memory limit. There, who has less takes from one who has more.
   * @param seq,end as in `HeldSegment`
   */
  hold(p: Packet, seq: number, end: number, owner: MemoryOwner): HeldSegment | undefined {
    const size = powerOfTwo(p.end - p.at, LEAST_BUFFER);
    if (!this.#hasRoom(size) && !this.#makeRoom(size, owner)) return undefined;
    const s = this.#freeSegment ?? new HeldSegment();
    this.#freeSegment = s.next;
    s.next = undefined;
    s.fill(p, this.#pool.take(size), seq, end);
    this.heldBytes += size;
    this.#heldShares.add(owner, size);
    this.heldSegments++;
    this.held++;
    return s;
  }

  /** Takes back a held segment that is in no queue and that nobody refers to any longer. */
  discard(s: HeldSegment, owner: MemoryOwner): void {
    this.heldBytes -= s.packet.bytes.length;
    this.#heldShares.add(owner, -s.packet.bytes.length);
    this.heldSegments--;
    this.#pool.give(s.packet.bytes);
    s.packet.bytes = NO_BYTES;
    s.next = this.#freeSegment;
    this.#freeSegment = s;
  }

  /** A block of the arena of `size` bytes, a power of two, or NO_BLOCK where a limit forbids it. */
  takeBlock(size: number, owner: MemoryOwner): number {
    if (size > RING_LIMIT) return NO_BLOCK;
    const left = ALL_RINGS_LIMIT - this.ringBytes - size;
    const shares = this.#ringShares;
    const { source, side } = size <= LEAST_RING ? LEAST_RING_SHARES : RING_SHARES;
    if (shares.used(owner) + size > left * source || shares.usedBySide(owner) + size > left * side) {
      this.shareFull++;
      this.#alert(shares.measuredBy(owner));
      return NO_BLOCK;
    }
    const block = this.arena.take(size);
    if (block !== NO_BLOCK) this.#countBlock(owner, size);
    return block;
  }

  /** Takes a block back, for the owner that it was taken for. What lies there stays until `reuse`. */
  giveBlock(block: number, owner: MemoryOwner): void {
    if (this.#retiredCount === MOST_RETIRED) this.reuse();
    this.#retired[this.#retiredCount++] = block;
    this.#countBlock(owner, -blockSize(block));
  }

  /** The packet in hand is judged: blocks that it has given back may be others' now. */
  reuse(): void {
    for (let i = 0; i < this.#retiredCount; i++) this.arena.give(this.#retired[i]!);
    this.#retiredCount = 0;
  }

  /** A record of adopted memory has this block. @returns false where that cannot be */
  adoptBlock(block: number, owner: MemoryOwner): boolean {
    if (!this.arena.claim(block)) return false;
    this.#countBlock(owner, blockSize(block));
    return true;
  }

  #countBlock(owner: MemoryOwner, bytes: number): void {
    this.ringBytes += bytes;
    this.#ringShares.add(owner, bytes);
  }

  /** Enters `gap` as the youngest of those that wait. It must not be in the list. */
  openGap(gap: OpenGap, now: number): void {
    gap.waitingSince = now;
    gap.gapPrevious = this.#newestGap;
    gap.gapNext = undefined;
    if (this.#newestGap === undefined) this.#oldestGap = gap;
    else this.#newestGap.gapNext = gap;
    this.#newestGap = gap;
  }

  /** Takes `gap` out of the list, in which it must be. */
  closeGap(gap: OpenGap): void {
    if (this.#suspect === gap) this.#suspect = gap.gapNext;
    if (gap.gapPrevious === undefined) this.#oldestGap = gap.gapNext;
    else gap.gapPrevious.gapNext = gap.gapNext;
    if (gap.gapNext === undefined) this.#newestGap = gap.gapPrevious;
    else gap.gapNext.gapPrevious = gap.gapPrevious;
    gap.gapPrevious = undefined;
    gap.gapNext = undefined;
  }

  /**
   * Ends the waits that have lasted for `timeoutMs`: what such a stream holds is dropped. To be called now and then.
   * @param now ms, the clock given to `TcpStream.admit`
   * @param budget streams ended at most in this call
   */
  expire(now: number, budget: number): void {
    for (let left = budget; left > 0; left--) {
      const gap = this.#oldestGap;
      if (gap === undefined || now - gap.waitingSince < this.limits.timeoutMs) return;
      gap.expire(now);
    }
  }

  #hasRoom(size: number): boolean {
    return this.heldBytes + size <= this.limits.memoryBytes && this.heldSegments < MOST_HELD;
  }

  /** Takes memory for `size` bytes more of `owner` from those that hold more than it will. False: nobody does. */
  #makeRoom(size: number, owner: MemoryOwner): boolean {
    const shares = this.#heldShares;
    while (!this.#hasRoom(size)) {
      const gap = this.#gapWithMost();
      if (gap === undefined || shares.used(owner) + size > shares.used(gap.owner)) {
        // Others are compared the next time.
        this.#suspect = this.#suspect?.gapNext;
        return false;
      }
      this.evicted++;
      this.#alert(shares.measuredBy(gap.owner));
      gap.giveWay();
    }
    return true;
  }

  /** The gap whose owner holds most, among some. The search goes on from it: those before held less. */
  #gapWithMost(): OpenGap | undefined {
    const shares = this.#heldShares;
    let gap = this.#suspect ?? this.#oldestGap;
    let most = gap;
    for (let i = 1; i < GAPS_COMPARED && gap !== undefined; i++) {
      gap = gap.gapNext ?? this.#oldestGap;
      if (shares.used(gap!.owner) > shares.used(most!.owner)) most = gap;
    }
    this.#suspect = most;
    return most;
  }
}
