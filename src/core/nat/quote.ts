/**
 * The packet that an ICMP error quotes (RFC 792, RFC 5508 §4): read once, and its addresses and ports translated in
 * place. Every 16-bit word that changes under the ICMP checksum changes that too.
 */
import { i32, put16, put32, u16, u8 } from '../wire/bytes.js';
import { adjustChecksum, adjustChecksum32, checksumOffset } from '../wire/checksum.js';
import { ICMP_CHECKSUM, ICMP_CODE, ICMP_HEADER, ICMP_IDENTIFIER, ICMP_TYPE, isIcmpError } from '../wire/icmp.js';
import * as ipv4 from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { PacketEnds } from '../wire/packet-ends.js';
import { TCP_CHECKSUM, TCP_SEQ } from '../wire/tcp.js';
import { UDP_CHECKSUM } from '../wire/udp.js';

/** RFC 792: an error quotes at least this much behind the quoted IPv4 header. */
const QUOTED_PAYLOAD = 8;
const NO_FIELD = -1;

/** True when `p` is a whole ICMP error whose quoted IPv4 header can be read. */
export function quotesHeader(p: Packet): boolean {
  return (
    p.protocol === ipv4.IPPROTO_ICMP &&
    p.fragmentOffset === 0 &&
    isIcmpError(p.icmpType) &&
    p.end - (p.l4 + ICMP_HEADER) >= ipv4.IPV4_MIN_HEADER
  );
}

/** The ends of the quoted packet, as it went, and more of it. Filled again for each error. Ports 0 where none are quoted. */
export class Quote extends PacketEnds {
  /** ICMP. */
  icmpType = 0;
  icmpCode = 0;
  /** TCP: sequence number. */
  seq = 0;
  /** Offset of the quoted transport header; its first eight bytes are there if `whole`. */
  l4 = 0;
  whole = false;

  /** Reads the quote of `p`, for which `quotesHeader` holds. */
  read(p: Packet): void {
    const b = p.bytes;
    const at = p.l4 + ICMP_HEADER;
    this.protocol = u8(b, at + ipv4.IPV4_PROTOCOL);
    this.src = i32(b, at + ipv4.IPV4_SRC);
    this.dst = i32(b, at + ipv4.IPV4_DST);
    this.l4 = at + ipv4.ipv4HeaderLength(b, at);
    this.srcPort = 0;
    this.dstPort = 0;
    this.icmpType = 0;
    this.icmpCode = 0;
    const fragment = (u16(b, at + ipv4.IPV4_FRAGMENT) & ipv4.FRAGMENT_OFFSET) !== 0;
    this.whole = !fragment && this.l4 >= at + ipv4.IPV4_MIN_HEADER && this.l4 + QUOTED_PAYLOAD <= p.end;
    if (!this.whole) return;
    if (this.protocol === ipv4.IPPROTO_TCP || this.protocol === ipv4.IPPROTO_UDP) {
      this.srcPort = u16(b, this.l4);
      this.dstPort = u16(b, this.l4 + 2);
      this.seq = i32(b, this.l4 + TCP_SEQ);
    } else if (this.protocol === ipv4.IPPROTO_ICMP) {
      this.icmpType = u8(b, this.l4 + ICMP_TYPE);
      this.icmpCode = u8(b, this.l4 + ICMP_CODE);
      this.srcPort = u16(b, this.l4 + ICMP_IDENTIFIER);
      this.dstPort = this.srcPort;
    }
  }

  /** Translates the quoted source. */
  rewriteSource(p: Packet, address: number, port: number): void {
    this.#rewrite(p, ipv4.IPV4_SRC, this.src, address, 0, this.srcPort, port);
    this.src = address;
    this.#notePort(true, port);
  }

  /** Translates the quoted destination. */
  rewriteDestination(p: Packet, address: number, port: number): void {
    this.#rewrite(p, ipv4.IPV4_DST, this.dst, address, 2, this.dstPort, port);
    this.dst = address;
    this.#notePort(false, port);
  }

  /** Translates the quoted sequence number of a TCP segment. Its checksum follows where it is quoted. */
  rewriteSeq(p: Packet, seq: number): void {
    if (!this.whole || this.protocol !== ipv4.IPPROTO_TCP || seq === this.seq) return;
    const sum = this.l4 + TCP_CHECKSUM;
    if (sum + 2 <= p.end) this.#put(p, sum, adjustChecksum32(u16(p.bytes, sum), this.seq, seq));
    this.#put(p, this.l4 + TCP_SEQ, seq >>> 16);
    this.#put(p, this.l4 + TCP_SEQ + 2, seq & 0xffff);
    this.seq = seq;
    p.modified = true;
  }

  #notePort(source: boolean, port: number): void {
    if (source || this.protocol === ipv4.IPPROTO_ICMP) this.srcPort = port;
    if (!source || this.protocol === ipv4.IPPROTO_ICMP) this.dstPort = port;
  }

  #rewrite(
    p: Packet,
    field: number,
    oldAddress: number,
    address: number,
    portField: number,
    oldPort: number,
    port: number,
  ): void {
    if (oldAddress === address && oldPort === port) return;
    const b = p.bytes;
    const at = p.l4 + ICMP_HEADER;
    put32(b, at + field, address);
    // A header whose address and checksum both change sums up as before: the ICMP checksum stands.
    put16(b, at + ipv4.IPV4_CHECKSUM, adjustChecksum32(u16(b, at + ipv4.IPV4_CHECKSUM), oldAddress, address));
    p.modified = true;
    if (!this.whole) return;
    const icmp = this.protocol === ipv4.IPPROTO_ICMP;
    const changed = icmp ? ICMP_IDENTIFIER : portField;
    if (oldPort !== port) this.#put(p, this.l4 + changed, port);
    const sumField = icmp ? ICMP_CHECKSUM : checksumOffset(this.protocol);
    // RFC 792's eight bytes hold the checksum of UDP and ICMP, not that of TCP.
    if (sumField === NO_FIELD || this.l4 + sumField + 2 > p.end) return;
    let sum = u16(b, this.l4 + sumField);
    if (sum === 0 && sumField === UDP_CHECKSUM) return; // none was computed
    if (!icmp) sum = adjustChecksum32(sum, oldAddress, address);
    this.#put(p, this.l4 + sumField, adjustChecksum(sum, oldPort, port));
  }

  /** Writes a word of the quote, and lets the ICMP checksum follow. */
  #put(p: Packet, at: number, value: number): void {
    const b = p.bytes;
    const icmpSum = p.l4 + ICMP_CHECKSUM;
    put16(b, icmpSum, adjustChecksum(u16(b, icmpSum), u16(b, at), value));
    put16(b, at, value);
  }
}
