/**
 * The out-of-order queue of one direction: whole IPv4 packets, copied, in the order of their sequence numbers, and
 * among equals in the order they came. Nothing of them has been inspected or forwarded.
 */
import { copyBytes } from '../wire/copy.js';
import { Packet } from '../wire/packet.js';
import { FIN } from '../wire/tcp.js';
import { seqAdd, seqDiff } from '../wire/seq.js';

/** A held packet with its own memory. Records are used again; `ReassemblyMemory` owns the free ones. */
export class HeldSegment {
  readonly packet = new Packet();
  /** Sequence number of the first byte, and one past the last. */
  seq = 0;
  end = 0;
  next: HeldSegment | undefined = undefined;

  /** Copies `p` whole into `buffer`, which is long enough. */
  fill(p: Packet, buffer: Uint8Array, seq: number, end: number): void {
    const h = this.packet;
    copyBytes(p.bytes, p.at, buffer, 0, p.end - p.at);
    h.bytes = buffer;
    h.at = 0;
    h.end = p.end - p.at;
    h.l4 = p.l4 - p.at;
    h.payload = p.payload - p.at;
    h.ingress = p.ingress;
    h.token = p.token;
    h.gso = p.gso;
    h.checksumPartial = p.checksumPartial;
    h.checksumVerified = p.checksumVerified;
    h.truncated = p.truncated;
    h.headerLength = p.headerLength;
    h.identification = p.identification;
    h.fragmentOffset = p.fragmentOffset;
    h.moreFragments = p.moreFragments;
    h.ttl = p.ttl;
    h.protocol = p.protocol;
    h.src = p.src;
    h.dst = p.dst;
    h.srcPort = p.srcPort;
    h.dstPort = p.dstPort;
    h.flags = p.flags;
    h.seq = p.seq;
    h.ack = p.ack;
    h.window = p.window;
    h.globalSrc = p.globalSrc;
    h.globalSrcPort = p.globalSrcPort;
    h.modified = p.modified;
    this.seq = seq;
    this.end = end;
  }
}

export class HeldQueue {
  first: HeldSegment | undefined = undefined;
  length = 0;

  /** Adds `s` behind all that start no later. */
  insert(s: HeldSegment): void {
    let before: HeldSegment | undefined = undefined;
    let after = this.first;
    while (after !== undefined && seqDiff(after.seq, s.seq) <= 0) {
      before = after;
      after = after.next;
    }
    s.next = after;
    if (before === undefined) this.first = s;
    else before.next = s;
    this.length++;
  }

  /** Takes the first one off. Only when there is one. */
  shift(): HeldSegment {
    const s = this.first!;
    this.first = s.next;
    s.next = undefined;
    this.length--;
    return s;
  }

  /** Takes the last one off. Only when there is one. */
  pop(): HeldSegment {
    return this.popAfter(seqAdd(this.first!.seq, -1))!;
  }

  /** Takes the last one off if it starts after sequence number `seq`. */
  popAfter(seq: number): HeldSegment | undefined {
    let before: HeldSegment | undefined = undefined;
    let last = this.first;
    if (last === undefined) return undefined;
    while (last.next !== undefined) {
      before = last;
      last = last.next;
    }
    if (seqDiff(last.seq, seq) <= 0) return undefined;
    if (before === undefined) this.first = undefined;
    else before.next = undefined;
    this.length--;
    return last;
  }

  /** True when one held segment brings all the bytes from `seq` to `end`, and the FIN if there is one. */
  covers(seq: number, end: number, fin: boolean): boolean {
    for (let s = this.first; s !== undefined && seqDiff(s.seq, seq) <= 0; s = s.next) {
      const beyond = seqDiff(s.end, end);
      if (fin ? beyond === 0 && (s.packet.flags & FIN) !== 0 : beyond >= 0) return true;
    }
    return false;
  }
}
