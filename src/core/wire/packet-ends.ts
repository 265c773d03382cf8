/**
 * The key of a packet's two ends: their addresses, and at each a number that tells its conversations apart. That is the
 * port of TCP and UDP. An ICMP query has its identifier at both ends (RFC 5508 §3.1). Other protocols have 0.
 */
import { IPPROTO_ICMP } from './ipv4.js';
import type { Packet } from './packet.js';

/** Filled again for each packet. Addresses int32. */
export class PacketEnds {
  protocol = 0;
  src = 0;
  srcPort = 0;
  dst = 0;
  dstPort = 0;
}

/** Reads the ends of `p`, whose headers are decoded, into `e`. */
export function readEnds(p: Packet, e: PacketEnds): void {
  e.protocol = p.protocol;
  e.src = p.src;
  e.dst = p.dst;
  const icmp = p.protocol === IPPROTO_ICMP;
  e.srcPort = icmp ? p.icmpIdentifier : p.srcPort;
  e.dstPort = icmp ? p.icmpIdentifier : p.dstPort;
}
