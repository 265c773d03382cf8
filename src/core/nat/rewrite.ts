/**
 * Writes a translated address and port into a packet: IPv4 header, transport header, both checksums by increments.
 * Nothing else in the packet moves. Ports are as in `PacketEnds`: of an ICMP query the identifier.
 */
import { put16, put32, u16 } from '../wire/bytes.js';
import { adjustChecksum, adjustChecksum32, adjustPartial32, checksumOffset } from '../wire/checksum.js';
import { ICMP_CHECKSUM, ICMP_IDENTIFIER } from '../wire/icmp.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP, IPV4_CHECKSUM, IPV4_DST, IPV4_SRC } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { TCP_DST_PORT, TCP_SRC_PORT } from '../wire/tcp.js';

/** Replaces source address (int32) and port by these. */
export function rewriteSource(p: Packet, address: number, port: number): void {
  if (address !== p.src) {
    rewriteAddress(p, IPV4_SRC, p.src, address);
    p.src = address;
  }
  if (p.protocol === IPPROTO_ICMP) rewriteIdentifier(p, port);
  else if (port !== p.srcPort) {
    rewritePort(p, TCP_SRC_PORT, p.srcPort, port);
    p.srcPort = port;
  }
}

/** Replaces destination address (int32) and port by these. */
export function rewriteDestination(p: Packet, address: number, port: number): void {
  if (address !== p.dst) {
    rewriteAddress(p, IPV4_DST, p.dst, address);
    p.dst = address;
  }
  if (p.protocol === IPPROTO_ICMP) rewriteIdentifier(p, port);
  else if (port !== p.dstPort) {
    rewritePort(p, TCP_DST_PORT, p.dstPort, port);
    p.dstPort = port;
  }
}

function rewriteAddress(p: Packet, field: number, old: number, address: number): void {
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

/** Of TCP and UDP, whose ports lie at the same place; other protocols have none. */
function rewritePort(p: Packet, field: number, old: number, port: number): void {
  if ((p.protocol !== IPPROTO_TCP && p.protocol !== IPPROTO_UDP) || p.fragmentOffset > 0) return;
  const b = p.bytes;
  put16(b, p.l4 + field, port);
  p.modified = true;
  if (p.checksumPartial) return; // the pseudo header has no ports
  const sumAt = p.l4 + checksumOffset(p.protocol);
  const sum = u16(b, sumAt);
  if (p.protocol === IPPROTO_UDP) {
    if (sum !== 0) put16(b, sumAt, adjustChecksum(sum, old, port) || 0xffff);
  } else {
    put16(b, sumAt, adjustChecksum(sum, old, port));
  }
}

function rewriteIdentifier(p: Packet, identifier: number): void {
  if (identifier === p.icmpIdentifier || p.fragmentOffset > 0) return;
  const b = p.bytes;
  put16(b, p.l4 + ICMP_IDENTIFIER, identifier);
  const sumAt = p.l4 + ICMP_CHECKSUM;
  put16(b, sumAt, adjustChecksum(u16(b, sumAt), p.icmpIdentifier, identifier));
  p.icmpIdentifier = identifier;
  p.modified = true;
}
