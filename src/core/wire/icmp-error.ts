/** ICMP errors of the router's own about a packet in hand (RFC 792, RFC 1812 §4.3). */
import { put16, put32, u8 } from './bytes.js';
import { addWords, fold, writeIpv4Checksum } from './checksum.js';
import { ECHO, ICMP_CHECKSUM, ICMP_CODE, ICMP_HEADER, ICMP_IDENTIFIER, ICMP_TYPE } from './icmp.js';
import * as ipv4 from './ipv4.js';
import type { Packet } from './packet.js';

/** Bytes of the packet's payload that are quoted (RFC 792). */
const QUOTED_PAYLOAD = 8;
const TTL = 255;

/**
 * The error about `p` as a whole IPv4 packet, to whom `p` came from.
 * @param from address of the interface that `p` came in by, int32
 * @param rest the second word of the header: for `fragmentation needed` the MTU of the next hop (RFC 1191 §4)
 */
export function icmpError(p: Packet, type: number, code: number, from: number, rest = 0): Uint8Array {
  const quoted = Math.min(p.end - p.at, p.headerLength + QUOTED_PAYLOAD);
  const b = new Uint8Array(ipv4.IPV4_MIN_HEADER + ICMP_HEADER + quoted);
  b[0] = 0x45;
  b[1] = 0xc0; // internetwork control (RFC 1812 §4.3.2.5)
  put16(b, ipv4.IPV4_TOTAL_LENGTH, b.length);
  b[ipv4.IPV4_TTL] = TTL;
  b[ipv4.IPV4_PROTOCOL] = ipv4.IPPROTO_ICMP;
  put32(b, ipv4.IPV4_SRC, from);
  put32(b, ipv4.IPV4_DST, p.src);
  writeIpv4Checksum(b, 0, ipv4.IPV4_MIN_HEADER);
  const l4 = ipv4.IPV4_MIN_HEADER;
  b[l4 + ICMP_TYPE] = type;
  b[l4 + ICMP_CODE] = code;
  put32(b, l4 + ICMP_IDENTIFIER, rest);
  for (let i = 0; i < quoted; i++) b[l4 + ICMP_HEADER + i] = u8(p.bytes, p.at + i);
  put16(b, l4 + ICMP_CHECKSUM, ~fold(addWords(b, l4, b.length, 0)) & 0xffff);
  return b;
}

/** RFC 1122 §3.2.2: no error about an ICMP error, a fragment but the first, or a sender or target that is no host. */
export function deservesError(p: Packet): boolean {
  if (p.fragmentOffset > 0) return false;
  if (p.protocol === ipv4.IPPROTO_ICMP && p.icmpType !== ECHO) return false;
  const network = p.src >>> 24;
  return p.dst >>> 28 < 14 && network !== 0 && network !== 127 && network < 224;
}
