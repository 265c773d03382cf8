/** IPv4 header (RFC 791): where its fields lie and when they may be read. All fields are big-endian. */
import { i32, u16, u8 } from './bytes.js';

export const IPV4_MIN_HEADER = 20; // bytes
export const IPV4_TOTAL_LENGTH = 2;
export const IPV4_IDENTIFICATION = 4;
export const IPV4_FRAGMENT = 6;
export const IPV4_TTL = 8;
export const IPV4_PROTOCOL = 9;
export const IPV4_CHECKSUM = 10;
export const IPV4_SRC = 12;
export const IPV4_DST = 16;

export const DONT_FRAGMENT = 0x4000;
export const MORE_FRAGMENTS = 0x2000;
export const FRAGMENT_OFFSET = 0x1fff; // in units of 8 bytes

export const IPPROTO_ICMP = 1;
export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
export const IPPROTO_AH = 51;

/**
 * Checks that the IPv4 header at `at` may be read: version, header length, total length.
 * @param end offset one past the bytes that arrived
 */
export function ipv4HeaderOk(b: Uint8Array, at: number, end: number): boolean {
  if (end - at < IPV4_MIN_HEADER) return false;
  const first = u8(b, at);
  const header = (first & 15) * 4;
  const total = u16(b, at + IPV4_TOTAL_LENGTH);
  return first >>> 4 === 4 && header >= IPV4_MIN_HEADER && total >= header && total <= end - at;
}
/** Header length, bytes. */
export const ipv4HeaderLength = (b: Uint8Array, at: number): number => (u8(b, at) & 15) * 4;
export const ipv4TotalLength = (b: Uint8Array, at: number): number => u16(b, at + IPV4_TOTAL_LENGTH);
/** Flags and fragment offset, as they stand. */
export const ipv4Fragment = (b: Uint8Array, at: number): number => u16(b, at + IPV4_FRAGMENT);
/** True where nobody on the way may cut the packet up. */
export const dontFragment = (b: Uint8Array, at: number): boolean => (ipv4Fragment(b, at) & DONT_FRAGMENT) !== 0;
export const ipv4Src = (b: Uint8Array, at: number): number => i32(b, at + IPV4_SRC);
export const ipv4Dst = (b: Uint8Array, at: number): number => i32(b, at + IPV4_DST);
