/**
 * Writes a translated address into a packet: IPv4 header, both checksums by increments, and the header that an ICMP
 * error quotes. Nothing else in the packet moves.
 */
import { i32, put16, put32, u16, u8 } from '../wire/bytes.js';
import { adjustChecksum, adjustChecksum32, adjustPartial32, checksumOffset } from '../wire/checksum.js';
import { ICMP_CHECKSUM, ICMP_HEADER, isIcmpError } from '../wire/icmp.js';
import {
  IPPROTO_ICMP,
  IPPROTO_UDP,
  IPV4_CHECKSUM,
  IPV4_DST,
  IPV4_MIN_HEADER,
  IPV4_PROTOCOL,
  IPV4_SRC,
} from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';

/** Replaces the source address by `address` (int32, host order). */
export function rewriteSource(p: Packet, address: number): void {
  if (address === p.src) return;
  rewrite(p, IPV4_SRC, p.src, address);
  p.src = address;
}

/** Replaces the destination address by `address` (int32, host order). */
export function rewriteDestination(p: Packet, address: number): void {
  if (address === p.dst) return;
  rewrite(p, IPV4_DST, p.dst, address);
  p.dst = address;
}

function rewrite(p: Packet, field: number, old: number, address: number): void {
  const b = p.bytes;
  put32(b, p.at + field, address);
  const headerSum = p.at + IPV4_CHECKSUM;
  put16(b, headerSum, adjustChecksum32(u16(b, headerSum), old, address));
  p.modified = true;
  // A non-initial fragment carries no transport header; the first one carries the sum of the whole.
  if (p.fragmentOffset > 0) return;
  const offset = checksumOffset(p.protocol);
  if (offset < 0) return;
  const sumAt = p.l4 + offset;
  const sum = u16(b, sumAt);
  if (p.checksumPartial) {
    put16(b, sumAt, adjustPartial32(sum, old, address));
  } else if (p.protocol === IPPROTO_UDP) {
    if (sum !== 0) put16(b, sumAt, adjustChecksum32(sum, old, address) || 0xffff); // 0 would mean: no checksum
  } else {
    put16(b, sumAt, adjustChecksum32(sum, old, address));
  }
}

/** True when `p` is a whole ICMP error whose quoted IPv4 header can be read. */
export function quotesHeader(p: Packet): boolean {
  return (
    p.protocol === IPPROTO_ICMP &&
    p.fragmentOffset === 0 &&
    isIcmpError(p.srcPort >>> 8) &&
    p.end - (p.l4 + ICMP_HEADER) >= IPV4_MIN_HEADER
  );
}

/**
 * Translates one address inside the header that an ICMP error quotes (RFC 5508 §4): the quoted packet went the other
 * way, so the error's destination is the quoted source. The quoted checksums follow, and the ICMP checksum.
 * @param quotedSource true for the quoted source address, false for its destination
 */
export function rewriteQuoted(p: Packet, quotedSource: boolean, address: number): void {
  const b = p.bytes;
  const at = p.l4 + ICMP_HEADER;
  const field = at + (quotedSource ? IPV4_SRC : IPV4_DST);
  const old = i32(b, field);
  if (old === address) return;
  put32(b, field, address);
  put16(b, at + IPV4_CHECKSUM, adjustChecksum32(u16(b, at + IPV4_CHECKSUM), old, address));
  // An IPv4 header whose address and checksum both changed sums up as before, so the ICMP checksum stands,
  // but for the quoted transport checksum, which RFC 792's eight bytes hold for UDP only.
  const transport = at + (u8(b, at) & 15) * 4;
  const offset = checksumOffset(u8(b, at + IPV4_PROTOCOL));
  if (offset >= 0 && transport + offset + 2 <= p.end) {
    const sum = u16(b, transport + offset);
    if (sum !== 0) {
      const adjusted = adjustChecksum32(sum, old, address);
      put16(b, transport + offset, adjusted);
      const icmpSum = p.l4 + ICMP_CHECKSUM;
      put16(b, icmpSum, adjustChecksum(u16(b, icmpSum), sum, adjusted));
    }
  }
  p.modified = true;
}
