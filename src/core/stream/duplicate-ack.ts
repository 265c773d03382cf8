/**
 * What the sender of a segment behind a gap is told, in the name of the receiver, which sees nothing of that segment as
 * long as we hold it: a copy of the receiver's last acknowledgement (RFC 5681 §4.2), with SACK blocks for what we hold
 * (RFC 2018). Without it no fast retransmit would begin, and the gap would stay open until a timer runs out.
 *
 * Never acknowledged: what the receiver has not acknowledged. Never in a SACK block: what we do not hold.
 */
import { i32, put16, put32 } from '../wire/bytes.js';
import { IPV4_MIN_HEADER } from '../wire/ipv4.js';
import { ACK, FIN, TCP_ACK, TCP_DATA_OFFSET, TCP_FLAGS, TCP_MIN_HEADER, TCP_SEQ, TCP_WINDOW } from '../wire/tcp.js';
import type { Packet } from '../wire/packet.js';
import { timestampsAt } from '../wire/tcp-options.js';
import type { HeldQueue } from './held-segments.js';
import { completeOwn } from '../wire/own-segment.js';
import { seqAdd, seqDiff } from '../wire/seq.js';

/** SACK blocks that fit into 40 bytes of options, without and beside timestamps (RFC 2018 §3). */
const MOST_BLOCKS = 4;
const MOST_BESIDE_STAMPS = 3;

/**
 * A receiver may keep an acknowledgement back for one segment (RFC 9293 §3.8.6.3). With so little unacknowledged, in
 * bytes, we no longer wait for it after so long: a sender that then repeats one segment in vain loses less.
 */
const ONE_SEGMENT = 1460;
const PATIENCE_MS = 3;

const NOP = 1;
const TIMESTAMPS = 8;
const SACK = 5;
const STAMPS_LENGTH = 12; // with two NOPs
const SACK_HEADER = 4; // likewise

/** Segments of one direction that came behind a gap, as far as their sender is to hear of them. */
export class Unanswered {
  /** How many have no answer yet. */
  count = 0;
  /** The clock when the first of them came, ms. */
  #since = 0;
  /** Where those that came last begin, latest first: their blocks go first, too (RFC 2018 §4). */
  readonly #latest = new Int32Array(MOST_BLOCKS);
  #latestEnd = 0;
  /** TSecr of the latest one: the last timestamp of the receiver that its sender knew. */
  echo = 0;

  /** Segment `p`, up to `end`, has come, and was held or dropped. */
  add(p: Packet, end: number, now: number): void {
    if (this.count++ === 0) this.#since = now;
    const latest = this.#latest;
    if (p.seq !== this.#latestEnd) {
      for (let i = MOST_BLOCKS - 1; i > 0; i--) latest[i] = latest[i - 1]!;
      latest[0] = p.seq;
    }
    this.#latestEnd = end;
    const stamps = timestampsAt(p);
    if (stamps >= 0) this.echo = i32(p.bytes, stamps + 6);
  }

  /**
   * The time has come to answer. An acknowledgement of less than what went on would tell the sender that all up to the
   * gap is lost, too; so the receiver's own one is waited for, which is under way.
   * @param unacknowledged bytes that went on and that the receiver has not acknowledged
   */
  due(unacknowledged: number, now: number): boolean {
    if (this.count === 0) return false;
    return unacknowledged === 0 || (unacknowledged <= ONE_SEGMENT && now - this.#since >= PATIENCE_MS);
  }

  /**
   * Writes the blocks of `held` as pairs of first number and one past the last: those first in which the latest
   * segments lie, then those next to the gap. @returns how many, at most `most`
   */
  blocks(held: HeldQueue, most: number, out: Int32Array): number {
    const latest = this.#latest;
    let count = 0;
    for (let i = 0; i < MOST_BLOCKS && count < most; i++) count = addBlock(held, latest[i]!, out, count);
    for (let s = held.first; s !== undefined && count < most; s = s.next) count = addBlock(held, s.seq, out, count);
    return count;
  }
}

/** Adds the block in which number `seq` lies, unless it is there or there is none. @returns how many there are now */
function addBlock(held: HeldQueue, seq: number, out: Int32Array, count: number): number {
  for (let i = 0; i < count; i++) if (seqDiff(seq, out[2 * i]!) >= 0 && seqDiff(seq, out[2 * i + 1]!) < 0) return count;
  let s = held.first;
  while (s !== undefined && seqDiff(s.seq, seq) <= 0) {
    const start = s.seq;
    let end = start;
    for (; s !== undefined && seqDiff(s.seq, end) <= 0; s = s.next) {
      const last = seqAdd(s.end, (s.packet.flags & FIN) === 0 ? 0 : 1);
      if (seqDiff(last, end) > 0) end = last;
    }
    if (seqDiff(seq, end) >= 0) continue;
    out[2 * count] = start;
    out[2 * count + 1] = end;
    return count + 1;
  }
  return count;
}

/** What a duplicate acknowledgement says. One object is filled again for each. */
export class DuplicateAck {
  seq = 0;
  ack = 0;
  /** As in the header. */
  window = 0;
  /** Timestamps, where both ends have agreed on them. */
  stamped = false;
  stamp = 0;
  echo = 0;
  /** Pairs of sequence numbers, and how many of them there are. */
  readonly blocks = new Int32Array(2 * MOST_BLOCKS);
  blockCount = 0;
  /** Packets by length in words. */
  readonly #packets: Uint8Array[] = [];

  get mostBlocks(): number {
    return this.stamped ? MOST_BESIDE_STAMPS : MOST_BLOCKS;
  }

  /** The segment as a whole IPv4 packet, its checksums complete. The memory is used again for the next one. */
  packet(src: number, srcPort: number, dst: number, dstPort: number): Uint8Array {
    const header = TCP_MIN_HEADER + (this.stamped ? STAMPS_LENGTH : 0) + sackLength(this.blockCount);
    const l4 = IPV4_MIN_HEADER;
    const b = (this.#packets[header / 4] ??= new Uint8Array(l4 + header));
    put32(b, l4 + TCP_SEQ, this.seq);
    put32(b, l4 + TCP_ACK, this.ack);
    b[l4 + TCP_DATA_OFFSET] = (header / 4) << 4;
    b[l4 + TCP_FLAGS] = ACK;
    put16(b, l4 + TCP_WINDOW, this.window);
    this.#writeOptions(b, l4 + TCP_MIN_HEADER);
    completeOwn(b, src, srcPort, dst, dstPort);
    return b;
  }

  #writeOptions(b: Uint8Array, from: number): void {
    let at = from;
    if (this.stamped) {
      writeHead(b, at, TIMESTAMPS, STAMPS_LENGTH - 2);
      put32(b, at + 4, this.stamp);
      put32(b, at + 8, this.echo);
      at += STAMPS_LENGTH;
    }
    if (this.blockCount === 0) return;
    writeHead(b, at, SACK, sackLength(this.blockCount) - 2);
    for (let i = 0; i < 2 * this.blockCount; i++) put32(b, at + SACK_HEADER + 4 * i, this.blocks[i]!);
  }
}

const sackLength = (blocks: number): number => (blocks === 0 ? 0 : SACK_HEADER + 8 * blocks);

function writeHead(b: Uint8Array, at: number, kind: number, length: number): void {
  b[at] = NOP;
  b[at + 1] = NOP;
  b[at + 2] = kind;
  b[at + 3] = length;
}
