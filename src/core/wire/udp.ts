/** UDP header (RFC 768): where its fields lie and when they may be read. All fields are big-endian. */
import { u16 } from './bytes.js';

export const UDP_HEADER = 8; // bytes
export const UDP_SRC_PORT = 0;
export const UDP_DST_PORT = 2;
export const UDP_LENGTH = 4;
export const UDP_CHECKSUM = 6;

/**
 * Checks that the UDP header at `at` may be read and that its length is the IPv4 payload's. A shorter length, which
 * would hide bytes from whoever believes it, is refused; a super-packet's length field counts one segment or all.
 * @param end one past the IPv4 payload; `gso`: more than one datagram in this buffer
 */
export function udpHeaderOk(b: Uint8Array, at: number, end: number, gso: boolean): boolean {
  if (end - at < UDP_HEADER) return false;
  const length = u16(b, at + UDP_LENGTH);
  return gso ? length >= UDP_HEADER && length <= end - at : length === end - at;
}
