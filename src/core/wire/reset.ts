/**
 * Builds the segments that the router sends in the name of an end: the RST with which it ends a connection (RFC 9293
 * §3.10.7), the ACK with which it asks whether the other end lives.
 */
import { ACK, RST } from './tcp.js';
import { ownSegment } from './own-segment.js';

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
  return ownSegment(src, srcPort, dst, dstPort, RST | (ack === undefined ? 0 : ACK), seq, ack ?? 0);
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
  return ownSegment(src, srcPort, dst, dstPort, ACK, seq, ack, window);
}
