/** The time to live of a packet (RFC 791), raised with its header checksum. */
import { put16, u16 } from './bytes.js';
import { adjustChecksum } from './checksum.js';
import { IPV4_CHECKSUM, IPV4_TTL } from './ipv4.js';
import type { Packet } from './packet.js';

/** Gives `p` another TTL. */
export function putTtl(p: Packet, ttl: number): void {
  const b = p.bytes;
  const at = p.at + IPV4_TTL; // and the protocol, in one word
  const old = u16(b, at);
  const now = (ttl << 8) | (old & 0xff);
  put16(b, at, now);
  put16(b, p.at + IPV4_CHECKSUM, adjustChecksum(u16(b, p.at + IPV4_CHECKSUM), old, now));
  p.ttl = ttl;
  p.modified = true;
}
