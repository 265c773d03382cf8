/**
 * Internet checksums: full sums (RFC 1071), incremental updates (RFC 1624), and the two forms a transport checksum
 * takes in this router: complete, as on the wire, or partial, the pseudo-header sum that a NIC or the edge completes.
 */
import { put16, u16 } from './bytes.js';
import { IPPROTO_TCP, IPPROTO_UDP } from './ipv4.js';
import type { Packet } from './packet.js';
import { TCP_CHECKSUM } from './tcp.js';
import { UDP_CHECKSUM } from './udp.js';

/** Adds the 16-bit words of b[at..end) to `sum`; an odd last byte is padded with zero. Not folded, not complemented. */
export function addWords(b: Uint8Array, at: number, end: number, sum: number): number {
  const even = end - ((end - at) & 1);
  let s = sum;
  // 64 KB of 0xffff words sum below 2^31, so that one fold at the end is enough.
  for (let i = at; i < even; i += 2) s += (b[i]! << 8) | b[i + 1]!;
  if (even < end) s += b[even]! << 8;
  return s;
}

/** Folds a sum of 16-bit words (below 2^48) to 16 bits with end-around carry. */
export function fold(sum: number): number {
  let s = sum;
  while (s > 0xffff) s = (s & 0xffff) + Math.floor(s / 0x10000);
  return s;
}

/** The pseudo-header sum of TCP and UDP (RFC 9293 §3.1, RFC 768), folded, not complemented. `length`: transport bytes. */
export function pseudoHeaderSum(src: number, dst: number, protocol: number, length: number): number {
  return fold(
    (src >>> 16) + (src & 0xffff) + (dst >>> 16) + (dst & 0xffff) + protocol + (length >>> 16) + (length & 0xffff),
  );
}

/**
 * Adjusts an Internet checksum for one 16-bit word that changed, without summing the packet again:
 * HC' = ~(~HC + ~m + m')  (RFC 1624 §3, eqn. 3)
 * @param sum checksum as read from the header; `old`, `now`: the word before and after. All 0..0xffff.
 */
export function adjustChecksum(sum: number, old: number, now: number): number {
  const s = (~sum & 0xffff) + (~old & 0xffff) + now;
  const folded = (s & 0xffff) + (s >>> 16);
  return ~(folded + (folded >>> 16)) & 0xffff;
}

/** `adjustChecksum` for a 32-bit word, such as an address. */
export function adjustChecksum32(sum: number, old: number, now: number): number {
  return adjustChecksum(adjustChecksum(sum, old >>> 16, now >>> 16), old & 0xffff, now & 0xffff);
}

/** The same for a partial checksum, which is a plain sum: S' = S + ~m + m'. */
export function adjustPartial32(sum: number, old: number, now: number): number {
  return fold(sum + (~(old >>> 16) & 0xffff) + (~old & 0xffff) + (now >>> 16) + (now & 0xffff));
}

/** True when the IPv4 header checksum is right (RFC 791). `at`, `end`: the header's bytes. */
export const ipv4ChecksumOk = (b: Uint8Array, at: number, end: number): boolean =>
  fold(addWords(b, at, end, 0)) === 0xffff;

/** Writes the IPv4 header checksum of the header b[at..end). */
export function writeIpv4Checksum(b: Uint8Array, at: number, end: number): void {
  put16(b, at + 10, 0);
  put16(b, at + 10, ~fold(addWords(b, at, end, 0)) & 0xffff);
}

/** Offset of the checksum field in the transport header of `p`, or -1 for a protocol without pseudo header. */
export function checksumOffset(protocol: number): number {
  return protocol === IPPROTO_TCP ? TCP_CHECKSUM : protocol === IPPROTO_UDP ? UDP_CHECKSUM : -1;
}

/** True when the complete TCP or UDP checksum of `p` is right, or UDP carries none. Reads the whole segment. */
export function transportChecksumOk(p: Packet): boolean {
  if (p.protocol === IPPROTO_UDP && u16(p.bytes, p.l4 + UDP_CHECKSUM) === 0) return true;
  const pseudo = pseudoHeaderSum(p.src, p.dst, p.protocol, p.end - p.l4);
  return fold(addWords(p.bytes, p.l4, p.end, pseudo)) === 0xffff;
}

/** True when the partial checksum of TCP or UDP packet `p` is the sum of its pseudo header. */
export const partialChecksumOk = (p: Packet): boolean =>
  u16(p.bytes, p.l4 + checksumOffset(p.protocol)) === pseudoHeaderSum(p.src, p.dst, p.protocol, p.end - p.l4);

/**
 * Gives up the complete transport checksum of a TCP or UDP packet whose payload has changed, for the partial form:
 * the edge sums the segment once, on its way out. Addresses are read from the header as it stands now.
 */
export function completeToPartial(p: Packet): void {
  if (p.checksumPartial) return;
  const field = checksumOffset(p.protocol);
  if (field < 0) return;
  put16(p.bytes, p.l4 + field, pseudoHeaderSum(p.src, p.dst, p.protocol, p.end - p.l4));
  p.checksumPartial = true;
}

/**
 * Completes a partial checksum in place, as a NIC does: for edges without the C shim (pcap, tests).
 * @param l4 offset of the transport header, `end` one past the segment, `field` offset of the checksum in the header
 */
export function completePartial(b: Uint8Array, l4: number, end: number, field: number): void {
  const sum = ~fold(addWords(b, l4, end, 0)) & 0xffff;
  put16(b, l4 + field, sum === 0 && field === UDP_CHECKSUM ? 0xffff : sum);
}
