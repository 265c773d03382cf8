/**
 * Fills a Packet from its bytes: the IPv4 header first, so that fragments can be put together, then the transport
 * header. Every later stage may read the fields and the header bytes without a check of its own.
 */
import { DROP, PASS, type Verdict } from '../verdict.js';
import { i32, u16, u8 } from './bytes.js';
import { addWords, fold, ipv4ChecksumOk, partialChecksumOk, transportChecksumOk } from './checksum.js';
import { ICMP_CODE, ICMP_HEADER, ICMP_IDENTIFIER, ICMP_TYPE } from './icmp.js';
import * as ipv4 from './ipv4.js';
import { ipv4OptionsOk } from './ipv4-options.js';
import type { Packet } from './packet.js';
import * as tcp from './tcp.js';
import * as udp from './udp.js';

/** Decodes the IPv4 header at p.at (RFC 791) and cuts p.end to the total length. */
export function decodeIpv4(p: Packet): Verdict {
  const b = p.bytes;
  const at = p.at;
  if (p.truncated) return DROP.truncated;
  if (!ipv4.ipv4HeaderOk(b, at, p.end)) return DROP.malformed;
  p.headerLength = ipv4.ipv4HeaderLength(b, at);
  if (!ipv4ChecksumOk(b, at, at + p.headerLength)) return DROP.badChecksum;
  const options = at + ipv4.IPV4_MIN_HEADER;
  if (p.headerLength > ipv4.IPV4_MIN_HEADER && !ipv4OptionsOk(b, options, at + p.headerLength)) return DROP.ipOptions;
  p.end = at + ipv4.ipv4TotalLength(b, at);
  p.identification = u16(b, at + ipv4.IPV4_IDENTIFICATION);
  const fragment = ipv4.ipv4Fragment(b, at);
  p.fragmentOffset = (fragment & ipv4.FRAGMENT_OFFSET) * 8;
  p.moreFragments = (fragment & ipv4.MORE_FRAGMENTS) !== 0;
  p.ttl = u8(b, at + ipv4.IPV4_TTL);
  p.protocol = u8(b, at + ipv4.IPV4_PROTOCOL);
  p.src = ipv4.ipv4Src(b, at);
  p.dst = ipv4.ipv4Dst(b, at);
  p.l4 = at + p.headerLength;
  p.payload = p.l4;
  p.srcPort = 0;
  p.dstPort = 0;
  p.icmpType = 0;
  p.icmpCode = 0;
  p.icmpIdentifier = 0;
  p.flags = 0;
  return PASS;
}

/** True for a datagram that came in pieces. */
export const isFragment = (p: Pick<Packet, 'fragmentOffset' | 'moreFragments'>): boolean =>
  p.fragmentOffset > 0 || p.moreFragments;

/**
 * Decodes the transport header and verifies its checksum unless the kernel vouches for it. A non-initial fragment has
 * none to decode and passes with ports 0; a first fragment is decoded but cannot be summed.
 */
export function decodeTransport(p: Packet): Verdict {
  if (p.fragmentOffset > 0) return PASS;
  switch (p.protocol) {
    case ipv4.IPPROTO_TCP:
      return decodeTcp(p);
    case ipv4.IPPROTO_UDP:
      return decodeUdp(p);
    case ipv4.IPPROTO_ICMP:
      return decodeIcmp(p);
    default:
      return PASS;
  }
}

function decodeTcp(p: Packet): Verdict {
  const b = p.bytes;
  const l4 = p.l4;
  if (!tcp.tcpHeaderOk(b, l4, p.end)) return DROP.malformed;
  p.srcPort = u16(b, l4 + tcp.TCP_SRC_PORT);
  p.dstPort = u16(b, l4 + tcp.TCP_DST_PORT);
  p.seq = i32(b, l4 + tcp.TCP_SEQ);
  p.ack = i32(b, l4 + tcp.TCP_ACK);
  p.flags = u8(b, l4 + tcp.TCP_FLAGS);
  p.window = u16(b, l4 + tcp.TCP_WINDOW);
  p.payload = l4 + tcp.tcpHeaderLength(b, l4);
  return checksumOk(p) ? PASS : DROP.badChecksum;
}

function decodeUdp(p: Packet): Verdict {
  const b = p.bytes;
  // Only in a whole datagram does the length field speak of these bytes.
  if (p.moreFragments ? p.end - p.l4 < udp.UDP_HEADER : !udp.udpHeaderOk(b, p.l4, p.end, p.gso)) return DROP.malformed;
  p.srcPort = u16(b, p.l4 + udp.UDP_SRC_PORT);
  p.dstPort = u16(b, p.l4 + udp.UDP_DST_PORT);
  p.payload = p.l4 + udp.UDP_HEADER;
  return checksumOk(p) ? PASS : DROP.badChecksum;
}

function decodeIcmp(p: Packet): Verdict {
  const b = p.bytes;
  if (p.end - p.l4 < ICMP_HEADER) return DROP.malformed;
  p.icmpType = u8(b, p.l4 + ICMP_TYPE);
  p.icmpCode = u8(b, p.l4 + ICMP_CODE);
  p.icmpIdentifier = u16(b, p.l4 + ICMP_IDENTIFIER);
  p.payload = p.l4 + ICMP_HEADER;
  if (!unverified(p)) return PASS;
  return fold(addWords(b, p.l4, p.end, 0)) === 0xffff ? PASS : DROP.badChecksum;
}

/**
 * True when the checksum of a TCP or UDP packet is right, or somebody vouches for it. A partial one comes from a virtual
 * machine or a process of this host, and completing it would only carry its faults on; of a super-packet it is made anew.
 */
function checksumOk(p: Packet): boolean {
  if (p.checksumPartial) return p.gso || p.moreFragments || partialChecksumOk(p);
  return !unverified(p) || transportChecksumOk(p);
}

/** True when nobody has checked the transport checksum and all bytes it covers are here. */
const unverified = (p: Packet): boolean => !p.checksumPartial && !p.checksumVerified && !p.moreFragments;
