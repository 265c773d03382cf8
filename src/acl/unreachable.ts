/**
 * What a router answers to a packet that it does not forward: ICMP unreachable, communication administratively
 * prohibited where an access list denies it, host unreachable where there is no way (RFC 1812 §5.2.7.1), at most one in
 * 500 ms (IOS `ip icmp rate-limit unreachable`), unless `no ip unreachables`.
 */
import { put16, put32, u8 } from '../wire/bytes.js';
import { addWords, fold, writeIpv4Checksum } from '../wire/checksum.js';
import { ECHO, ICMP_CHECKSUM, ICMP_HEADER, UNREACHABLE } from '../wire/icmp.js';
import * as ipv4 from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';

export const HOST_UNREACHABLE = 1;
export const ADMINISTRATIVELY_PROHIBITED = 13;
const INTERVAL_MS = 500;
/** Bytes of the denied packet's payload that are quoted (RFC 792). */
const QUOTED_PAYLOAD = 8;
const TTL = 255;

export class UnreachableReplies {
  #last = -INTERVAL_MS;

  /**
   * The answer to `p`, a whole IPv4 packet, or undefined where none is due.
   * @param code of ICMP unreachable
   * @param from address of the interface that `p` came in by, int32
   */
  answer(p: Packet, code: number, from: number, now: number): Uint8Array | undefined {
    if (now - this.#last < INTERVAL_MS || !deservesAnswer(p)) return undefined;
    this.#last = now;
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
    b[l4] = UNREACHABLE;
    b[l4 + 1] = code;
    for (let i = 0; i < quoted; i++) b[l4 + ICMP_HEADER + i] = u8(p.bytes, p.at + i);
    put16(b, l4 + ICMP_CHECKSUM, ~fold(addWords(b, l4, b.length, 0)) & 0xffff);
    return b;
  }
}

/** RFC 1122 §3.2.2: no error about an ICMP error, a fragment but the first, or a sender or target that is no host. */
function deservesAnswer(p: Packet): boolean {
  if (p.fragmentOffset > 0) return false;
  if (p.protocol === ipv4.IPPROTO_ICMP && p.srcPort >>> 8 !== ECHO) return false;
  const network = p.src >>> 24;
  return p.dst >>> 28 < 14 && network !== 0 && network !== 127 && network < 224;
}
