/**
 * The fragments of one datagram (RFC 791 §3.2): copies of their packets in the order of their offsets, which never
 * overlap. So they are complete when their lengths add up, and their memory is bounded by the longest datagram.
 */
import { put16 } from '../wire/bytes.js';
import { writeIpv4Checksum } from '../wire/checksum.js';
import { copyBytes } from '../wire/copy.js';
import { IPV4_FRAGMENT, IPV4_MIN_HEADER, IPV4_TOTAL_LENGTH, IPV4_TTL } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';

/** Longest datagram that is put together, bytes with the header: a netlink attribute holds no more (4 of 65,535 less). */
export const MAX_DATAGRAM = 65_531;
const UNKNOWN = -1;
const NO_OPERATION = 1; // the option of one byte that says nothing

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
  #leastTtl = 255;

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
    if (p.ttl < this.#leastTtl) this.#leastTtl = p.ttl;
    return f;
  }

  get complete(): boolean {
    return this.#received === this.#length;
  }

  /** Length of the whole datagram with a header of `headerLength` bytes. Only when complete. */
  datagramLength(headerLength: number): number {
    return headerLength + this.#length;
  }

  /**
   * Writes the whole datagram to b[0..datagramLength), its header checksum right. Only when complete.
   *
   * Its header is the first fragment's, with the least TTL of all: what would have died on the way dies as a whole.
   * Don't Fragment is clear: the datagram came in pieces, and must be cut again where it is too long for a link.
   * @param headerLength of the packet that will carry the datagram: the kernel has noted where that one's payload
   *   begins, and would read options as payload. Where the first fragment has other options, the datagram has none.
   */
  assemble(b: Uint8Array, headerLength: number): void {
    const first = this.first!;
    const sameOptions = first.headerLength === headerLength;
    copyBytes(first.bytes, 0, b, 0, sameOptions ? headerLength : IPV4_MIN_HEADER);
    if (!sameOptions) b.fill(NO_OPERATION, IPV4_MIN_HEADER, headerLength);
    b[0] = 0x40 | (headerLength / 4);
    put16(b, IPV4_TOTAL_LENGTH, this.datagramLength(headerLength));
    put16(b, IPV4_FRAGMENT, 0);
    b[IPV4_TTL] = this.#leastTtl;
    writeIpv4Checksum(b, 0, headerLength);
    for (let f: HeldFragment | undefined = first; f !== undefined; f = f.next) {
      copyBytes(f.bytes, f.headerLength, b, headerLength + f.offset, f.end - f.offset);
    }
  }
}
