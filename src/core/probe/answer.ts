/** Reads what an ICMP packet says about a probe: an echo reply, or an error that quotes the probe (RFC 792). */
import { i32, u16, u8 } from '../wire/bytes.js';
import * as icmp from '../wire/icmp.js';
import * as ipv4 from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { UDP_DST_PORT, UDP_SRC_PORT } from '../wire/udp.js';

export interface ProbeAnswer {
  kind: 'echo' | 'udp';
  /** Two 16-bit numbers that the probe was sent with: identifier and sequence number, or source and destination port. */
  first: number;
  second: number;
  /** The probe's own addresses, int32, as the answer has them. */
  source: number;
  destination: number;
  /** Of the ICMP message. */
  type: number;
  code: number;
  /** Of fragmentation needed (RFC 1191); 0 elsewhere. */
  mtu: number;
}

/** Of the quoted datagram's payload, all that must be there. */
const QUOTED = 8;

/**
 * @param p a packet of which the IPv4 header is decoded: whole, or the first fragment of one
 * @returns undefined where it can be no answer to a probe
 */
export function readAnswer(p: Packet): ProbeAnswer | undefined {
  const b = p.bytes;
  if (p.protocol !== ipv4.IPPROTO_ICMP || p.fragmentOffset > 0 || p.end - p.l4 < icmp.ICMP_HEADER) return undefined;
  const type = u8(b, p.l4 + icmp.ICMP_TYPE);
  const code = u8(b, p.l4 + icmp.ICMP_CODE);
  if (type === icmp.ECHO_REPLY) {
    return {
      kind: 'echo',
      first: u16(b, p.l4 + icmp.ICMP_IDENTIFIER),
      second: u16(b, p.l4 + icmp.ICMP_SEQUENCE),
      source: p.dst,
      destination: p.src,
      type,
      code,
      mtu: 0,
    };
  }
  if (!icmp.isIcmpError(type) && type !== icmp.SOURCE_QUENCH) return undefined;
  return readQuote(b, p.l4 + icmp.ICMP_HEADER, p.end, type, code);
}

function readQuote(b: Uint8Array, at: number, end: number, type: number, code: number): ProbeAnswer | undefined {
  if (end - at < ipv4.IPV4_MIN_HEADER || u8(b, at) >>> 4 !== 4) return undefined;
  const header = ipv4.ipv4HeaderLength(b, at);
  const l4 = at + header;
  if (header < ipv4.IPV4_MIN_HEADER || end - l4 < QUOTED || (ipv4.ipv4Fragment(b, at) & ipv4.FRAGMENT_OFFSET) !== 0)
    return undefined;
  const protocol = u8(b, at + ipv4.IPV4_PROTOCOL);
  const echo = protocol === ipv4.IPPROTO_ICMP && u8(b, l4) === icmp.ECHO;
  if (!echo && protocol !== ipv4.IPPROTO_UDP) return undefined;
  return {
    kind: echo ? 'echo' : 'udp',
    first: u16(b, l4 + (echo ? icmp.ICMP_IDENTIFIER : UDP_SRC_PORT)),
    second: u16(b, l4 + (echo ? icmp.ICMP_SEQUENCE : UDP_DST_PORT)),
    source: i32(b, at + ipv4.IPV4_SRC),
    destination: i32(b, at + ipv4.IPV4_DST),
    type,
    code,
    mtu: type === icmp.UNREACHABLE && code === icmp.FRAGMENTATION_NEEDED ? u16(b, at - 2) : 0,
  };
}
