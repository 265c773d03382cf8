/**
 * Builds the segments that the router sends in the name of an end: the RST with which it ends a connection (RFC 9293
 * §3.10.7), the ACK with which it asks whether the other end lives.
 */
import { put16, put32 } from '../wire/bytes.js';
import { completePartial, pseudoHeaderSum, writeIpv4Checksum } from '../wire/checksum.js';
import * as ipv4 from '../wire/ipv4.js';
import * as tcp from '../wire/tcp.js';

const LENGTH = ipv4.IPV4_MIN_HEADER + tcp.TCP_MIN_HEADER;
/** IOS sends its own packets with a TTL of 255. */
const TTL = 255;

/**
 * A RST, or RST ACK where `ack` is given, as a whole IPv4 packet with its checksums complete.
 * @param src,dst addresses as the receiver knows them (int32); `seq`: what the receiver expects next
 */
export function resetPacket(
  src: number,
  srcPort: number,
  dst: number,
  dstPort: number,
  seq: number,
  ack?: number,
): Uint8Array {
  const flags = tcp.RST | (ack === undefined ? 0 : tcp.ACK);
  return segment(src, srcPort, dst, dstPort, seq, ack ?? 0, flags, 0);
}

/** A bare ACK, likewise. @param window as in the header: scaled where the connection scales */
export function ackPacket(
  src: number,
  srcPort: number,
  dst: number,
  dstPort: number,
  seq: number,
  ack: number,
  window: number,
): Uint8Array {
  return segment(src, srcPort, dst, dstPort, seq, ack, tcp.ACK, window);
}

function segment(
  src: number,
  srcPort: number,
  dst: number,
  dstPort: number,
  seq: number,
  ack: number,
  flags: number,
  window: number,
): Uint8Array {
  const b = new Uint8Array(LENGTH);
  b[0] = 0x45;
  put16(b, ipv4.IPV4_TOTAL_LENGTH, LENGTH);
  b[ipv4.IPV4_TTL] = TTL;
  b[ipv4.IPV4_PROTOCOL] = ipv4.IPPROTO_TCP;
  put32(b, ipv4.IPV4_SRC, src);
  put32(b, ipv4.IPV4_DST, dst);
  writeIpv4Checksum(b, 0, ipv4.IPV4_MIN_HEADER);
  const l4 = ipv4.IPV4_MIN_HEADER;
  put16(b, l4 + tcp.TCP_SRC_PORT, srcPort);
  put16(b, l4 + tcp.TCP_DST_PORT, dstPort);
  put32(b, l4 + tcp.TCP_SEQ, seq);
  put32(b, l4 + tcp.TCP_ACK, ack);
  b[l4 + tcp.TCP_DATA_OFFSET] = (tcp.TCP_MIN_HEADER / 4) << 4;
  b[l4 + tcp.TCP_FLAGS] = flags;
  put16(b, l4 + tcp.TCP_WINDOW, window);
  put16(b, l4 + tcp.TCP_CHECKSUM, pseudoHeaderSum(src, dst, ipv4.IPPROTO_TCP, tcp.TCP_MIN_HEADER));
  completePartial(b, l4, LENGTH, tcp.TCP_CHECKSUM);
  return b;
}
