/**
 * Two TCP ends that number the same stream differently, because the router has replaced text in it by text of another
 * length (the address in PORT and 227, RFC 3022 §4.1). Everything inside the router counts as the sender does: an
 * acknowledgement is translated as it comes in, a segment as it goes out.
 *
 * A replaced text goes out whole, with the segment that brings the last byte of the old one; segments that end inside
 * it go out cut short. So the receiver sees one stream, however the sender repeats and cuts its own.
 */
import type { StateIo } from '../memory/state-io.js';
import { i32, put16, put32, u16, u8 } from '../wire/bytes.js';
import { adjustChecksum, checksumOffset, completeToPartial, fold } from '../wire/checksum.js';
import { IPV4_CHECKSUM, IPV4_TOTAL_LENGTH } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { ACK, SYN, TCP_ACK, TCP_MIN_HEADER, TCP_SEQ, tcpHeaderLength } from '../wire/tcp.js';
import { seqAdd, seqDiff } from '../wire/seq.js';

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_SACK = 5;
/** Replacements of one direction that may wait for their acknowledgement. */
const MOST_EDITS = 32;
/** Bytes of a replacing text, and one. */
const MOST_TEXT = 256;
/** A larger packet is no segment of a control dialogue; its length stays as it is. Bytes. */
const MOST_BYTES = 9216;

interface Edit {
  /** Sequence numbers of the sender: the first byte replaced, and one past the last. */
  start: number;
  end: number;
  text: Uint8Array;
}

/** One direction of data. */
class Direction {
  /** What the edits that are no longer listed have added to the receiver's numbers. */
  #settled = 0;
  /** Not acknowledged yet, in the order of the stream. */
  readonly edits: Edit[] = [];

  sync(io: StateIo): void {
    this.#settled = io.int(this.#settled);
    const count = io.below(this.edits.length, MOST_EDITS + 1);
    for (let i = 0; i < count; i++) {
      const e = (this.edits[i] ??= { start: 0, end: 0, text: NOTHING });
      e.start = io.int(e.start);
      e.end = io.int(e.end);
      const length = io.below(e.text.length, MOST_TEXT);
      if (e.text.length !== length) e.text = new Uint8Array(length);
      io.bytes(e.text, length);
    }
    this.edits.length = count;
  }

  /** False while both ends count alike. */
  get shifted(): boolean {
    return this.#settled !== 0 || this.edits.length > 0;
  }

  /** The receiver's number for the sender's `seq`; inside a replaced text: that of its beginning. */
  toReceiver(seq: number): number {
    let shift = this.#settled;
    for (const e of this.edits) {
      if (seqDiff(seq, e.end) >= 0) shift += growth(e);
      else return seqAdd(seqDiff(seq, e.start) > 0 ? e.start : seq, shift);
    }
    return seqAdd(seq, shift);
  }

  /** The sender's number for the receiver's `seq`; inside a replacing text: that of the beginning, or of the end. */
  toSender(seq: number, up = false): number {
    let shift = this.#settled;
    for (const e of this.edits) {
      const start = seqAdd(e.start, shift);
      if (seqDiff(seq, start) <= 0) break;
      if (seqDiff(seq, seqAdd(start, e.text.length)) < 0) return up ? e.end : e.start;
      shift += growth(e);
    }
    return seqAdd(seq, -shift);
  }

  /**
   * Forgets the edits before `ack` (sender's number). What the sender repeats from before it is then numbered as if
   * they had always been there: still below all that the receiver has acknowledged, and so ignored.
   */
  settle(ack: number): void {
    for (let e = this.edits[0]; e !== undefined && seqDiff(ack, e.end) >= 0; e = this.edits[0]) {
      this.#settled += growth(e);
      this.edits.shift();
    }
  }
}

const growth = (e: Edit): number => e.text.length - (e.end - e.start);

export class SequenceShift {
  readonly #initiator = new Direction();
  readonly #responder = new Direction();

  /** Saves or loads. */
  sync(io: StateIo): void {
    this.#initiator.sync(io);
    this.#responder.sync(io);
  }

  /**
   * Replaces `length` bytes from the sender's number `seq` on, which have not gone out yet and lie behind all replaced
   * before. @returns false when too many replacements wait for their acknowledgement
   */
  replace(fromInitiator: boolean, seq: number, length: number, text: Uint8Array): boolean {
    const { edits } = this.#of(fromInitiator);
    if (edits.length >= MOST_EDITS) return false;
    edits.push({ start: seq, end: seqAdd(seq, length), text });
    return true;
  }

  /** The receiver has all before `ack` (sender's number). */
  acknowledged(fromInitiator: boolean, ack: number): void {
    this.#of(fromInitiator).settle(ack);
  }

  /** The receiver's number for a sender's one. */
  toReceiver(fromInitiator: boolean, seq: number): number {
    return this.#of(fromInitiator).toReceiver(seq);
  }

  /** Translates what `p`, as it came in, says about the other direction: its acknowledgement and SACK blocks. */
  translateIncoming(p: Packet, fromInitiator: boolean): void {
    const d = this.#of(!fromInitiator);
    if (!d.shifted || (p.flags & (SYN | ACK)) !== ACK) return;
    const ack = d.toSender(p.ack);
    if (ack !== p.ack) {
      completeToPartial(p);
      put32(p.bytes, p.l4 + TCP_ACK, ack);
      p.ack = ack;
      p.modified = true;
    }
    translateSack(p, d);
  }

  /**
   * Translates the sequence number and text of `p`, which goes out.
   * @returns false when the text cannot be replaced there: `p` must be dropped, its sender will repeat it
   */
  translateOutgoing(p: Packet, fromInitiator: boolean): boolean {
    const d = this.#of(fromInitiator);
    if (!d.shifted || (p.flags & SYN) !== 0) return true;
    const seq = d.toReceiver(p.seq);
    const from = p.seq;
    const end = seqAdd(from, p.end - p.payload);
    // From the last to the first, so that positions before the one in hand stay true.
    for (let i = d.edits.length - 1; i >= 0; i--) {
      const e = d.edits[i]!;
      if (seqDiff(e.start, end) >= 0 || seqDiff(e.end, from) <= 0) continue;
      const at = p.payload + Math.max(seqDiff(e.start, from), 0);
      const whole = seqDiff(end, e.end) >= 0;
      const oldEnd = whole ? p.payload + seqDiff(e.end, from) : p.payload + seqDiff(end, from);
      if (!replaceBytes(p, at, oldEnd, whole ? e.text : NOTHING)) return false;
    }
    if (seq !== p.seq) {
      completeToPartial(p);
      put32(p.bytes, p.l4 + TCP_SEQ, seq);
      p.seq = seq;
      p.modified = true;
    }
    return true;
  }

  #of(fromInitiator: boolean): Direction {
    return fromInitiator ? this.#initiator : this.#responder;
  }
}

const NOTHING = new Uint8Array(0);

/** Puts `text` in the place of p.bytes[at..oldEnd); lengths and checksums follow. False where there is no room. */
function replaceBytes(p: Packet, at: number, oldEnd: number, text: Uint8Array): boolean {
  const b = p.bytes;
  const more = text.length - (oldEnd - at);
  const length = p.end - p.at + more;
  if (p.gso || length > MOST_BYTES || p.end + more > b.length) return false;
  completeToPartial(p);
  b.copyWithin(at + text.length, oldEnd, p.end);
  b.set(text, at);
  const sumAt = p.l4 + checksumOffset(p.protocol);
  put16(b, sumAt, fold(u16(b, sumAt) + (~(p.end - p.l4) & 0xffff) + (p.end - p.l4 + more)));
  p.end += more;
  const totalLength = p.at + IPV4_TOTAL_LENGTH;
  const headerSum = p.at + IPV4_CHECKSUM;
  put16(b, headerSum, adjustChecksum(u16(b, headerSum), u16(b, totalLength), length));
  put16(b, totalLength, length);
  p.modified = true;
  return true;
}

/** SACK blocks (RFC 2018 §3) say what has arrived: half a replacing text is not the old one. */
function translateSack(p: Packet, d: Direction): void {
  const b = p.bytes;
  const end = p.l4 + tcpHeaderLength(b, p.l4);
  let i = p.l4 + TCP_MIN_HEADER;
  while (i < end) {
    const kind = u8(b, i);
    if (kind === OPTION_END) return;
    if (kind === OPTION_NOP) {
      i++;
      continue;
    }
    if (i + 1 >= end) return;
    const length = u8(b, i + 1);
    if (length < 2 || i + length > end) return;
    if (kind === OPTION_SACK) {
      completeToPartial(p);
      for (let block = i + 2; block + 8 <= i + length; block += 8) {
        put32(b, block, d.toSender(i32(b, block), true));
        put32(b, block + 4, d.toSender(i32(b, block + 4)));
      }
      p.modified = true;
    }
    i += length;
  }
}
