/**
 * The fragments of one datagram (RFC 791 §3.2): copies of their packets in the order of their offsets, which never
 * overlap. So they are complete when their lengths add up, and their memory is bounded by the longest datagram.
 */
import { put16, put32 } from '../wire/bytes.js';
import { writeIpv4Checksum } from '../wire/checksum.js';
import { copyBytes } from '../wire/copy.js';
import { IPV4_DST, IPV4_FRAGMENT, IPV4_SRC, IPV4_TOTAL_LENGTH, ipv4Dst, ipv4Fragment, ipv4Src } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';

export const MAX_DATAGRAM = 65535; // bytes, with the header
const DONT_FRAGMENT = 0x4000;
const UNKNOWN = -1;

/** A copied fragment. */
export class HeldFragment {
  readonly bytes: Uint8Array;
  readonly headerLength: number;
  /** Where its payload lies in that of the datagram, bytes. */
  readonly offset: number;
  readonly end: number;
  readonly token: number;
  next: HeldFragment | undefined = undefined;

  constructor(p: Packet) {
    this.bytes = p.bytes.slice(p.at, p.end);
    this.headerLength = p.headerLength;
    this.offset = p.fragmentOffset;
    this.end = p.fragmentOffset + p.end - p.l4;
    this.token = p.token;
  }
}

export class FragmentSet {
  readonly src: number;
  readonly dst: number;
  readonly protocol: number;
  readonly identification: number;
  /** When the first fragment came, ms. */
  readonly since: number;
  first: HeldFragment | undefined = undefined;
  /** Fragments held. */
  count = 0;
  /** All of it is to be dropped, what still comes as well. Holds nothing. */
  condemned = false;
  #received = 0;
  /** Payload length of the datagram, once the last fragment is here. */
  #length = UNKNOWN;

  constructor(p: Packet, now: number) {
    this.src = p.src;
    this.dst = p.dst;
    this.protocol = p.protocol;
    this.identification = p.identification;
    this.since = now;
  }

  /** The four numbers that RFC 791 has identify a datagram's fragments. */
  matches(p: Packet): boolean {
    return (
      this.identification === p.identification &&
      this.src === p.src &&
      this.dst === p.dst &&
      this.protocol === p.protocol
    );
  }

  /**
   * Copies `p` in, unless it shares a byte with another fragment, or lies beyond the last one, or is a last one
   * before another fragment's end: no sender makes such sets but to confuse (teardrop, RFC 1858, RFC 3128).
   * @returns the copy; undefined, with nothing changed, in these cases
   */
  add(p: Packet): HeldFragment | undefined {
    const end = p.fragmentOffset + p.end - p.l4;
    let before: HeldFragment | undefined = undefined;
    let after = this.first;
    while (after !== undefined && after.offset < p.fragmentOffset) {
      before = after;
      after = after.next;
    }
    if (before !== undefined && before.end > p.fragmentOffset) return undefined;
    if (after !== undefined && (after.offset < end || !p.moreFragments)) return undefined;
    if (this.#length !== UNKNOWN && end > this.#length) return undefined;
    const f = new HeldFragment(p);
    f.next = after;
    if (before === undefined) this.first = f;
    else before.next = f;
    this.count++;
    this.#received += f.end - f.offset;
    if (!p.moreFragments) this.#length = end;
    return f;
  }

  get complete(): boolean {
    return this.#received === this.#length;
  }

  /** Length of the whole datagram with the first fragment's header. Only when complete. */
  get datagramLength(): number {
    return this.first!.headerLength + this.#length;
  }

  /** Writes the whole datagram to b[0..datagramLength), its header checksum right. Only when complete. */
  assemble(b: Uint8Array): void {
    const first = this.first!;
    const headerLength = first.headerLength;
    copyBytes(first.bytes, 0, b, 0, headerLength);
    put16(b, IPV4_TOTAL_LENGTH, this.datagramLength);
    put16(b, IPV4_FRAGMENT, ipv4Fragment(b, 0) & DONT_FRAGMENT);
    writeIpv4Checksum(b, 0, headerLength);
    for (let f: HeldFragment | undefined = first; f !== undefined; f = f.next) {
      copyBytes(f.bytes, f.headerLength, b, headerLength + f.offset, f.end - f.offset);
    }
  }
}

/** Gives b[at..], a copy of fragment `f`, the addresses and the payload that its datagram `d` has by now. */
export function writeBack(f: HeldFragment, d: Packet, b: Uint8Array, at: number): void {
  put32(b, at + IPV4_SRC, ipv4Src(d.bytes, d.at));
  put32(b, at + IPV4_DST, ipv4Dst(d.bytes, d.at));
  writeIpv4Checksum(b, at, at + f.headerLength);
  copyBytes(d.bytes, d.l4 + f.offset, b, at + f.headerLength, f.end - f.offset);
}
