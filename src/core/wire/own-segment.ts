/** Segments of the router's own (RFC 9293 §3.1): new ones, and those that take the place of the packet in hand. */
import { put16, put32, u16 } from './bytes.js';
import { adjustChecksum32, completePartial, pseudoHeaderSum, writeIpv4Checksum } from './checksum.js';
import * as ipv4 from './ipv4.js';
import type { Packet } from './packet.js';
import * as tcp from './tcp.js';

/** IOS sends its own packets with a TTL of 255. */
const TTL = 255;
const OPTION_MSS = 2;
const MSS_OPTION = 4; // bytes

/** No MSS option: for all but SYN segments. */
export const NO_MSS = 0;

/**
 * A segment without data as a whole IPv4 packet, its checksums complete.
 * @param src,dst addresses as the receiver knows them (int32)
 * @param mss     in an option, bytes; NO_MSS: no options
 */
export function ownSegment(
  src: number,
  srcPort: number,
  dst: number,
  dstPort: number,
  flags: number,
  seq: number,
  ack: number,
  window = 0,
  mss = NO_MSS,
): Uint8Array {
  const l4 = ipv4.IPV4_MIN_HEADER;
  const b = new Uint8Array(l4 + headerLength(mss));
  writeHeader(b, l4, flags, seq, ack, window, mss);
  completeOwn(b, src, srcPort, dst, dstPort);
  return b;
}

/** Writes the IPv4 header, the ports and the checksums of `b`, whose TCP header is else complete. */
export function completeOwn(b: Uint8Array, src: number, srcPort: number, dst: number, dstPort: number): void {
  const l4 = ipv4.IPV4_MIN_HEADER;
  b[0] = 0x45;
  put16(b, ipv4.IPV4_TOTAL_LENGTH, b.length);
  b[ipv4.IPV4_TTL] = TTL;
  b[ipv4.IPV4_PROTOCOL] = ipv4.IPPROTO_TCP;
  put32(b, ipv4.IPV4_SRC, src);
  put32(b, ipv4.IPV4_DST, dst);
  writeIpv4Checksum(b, 0, l4);
  put16(b, l4 + tcp.TCP_SRC_PORT, srcPort);
  put16(b, l4 + tcp.TCP_DST_PORT, dstPort);
  put16(b, l4 + tcp.TCP_CHECKSUM, pseudoHeaderSum(src, dst, ipv4.IPPROTO_TCP, b.length - l4));
  completePartial(b, l4, b.length, tcp.TCP_CHECKSUM);
}

/**
 * Makes `p`, a decoded TCP packet, another segment without data between the same ends.
 * @param mss as in `ownSegment`; left out where there is no room for it in memory
 */
export function becomeSegment(p: Packet, flags: number, seq: number, ack: number, window: number, mss = NO_MSS): void {
  const b = p.bytes;
  const { at, l4 } = p;
  const fits = l4 + headerLength(mss) <= b.length;
  const end = l4 + headerLength(fits ? mss : NO_MSS);
  writeHeader(b, l4, flags, seq, ack, window, fits ? mss : NO_MSS);
  put16(b, at + ipv4.IPV4_TOTAL_LENGTH, end - at);
  writeIpv4Checksum(b, at, l4);
  put16(b, l4 + tcp.TCP_CHECKSUM, pseudoHeaderSum(p.src, p.dst, ipv4.IPPROTO_TCP, end - l4));
  p.checksumPartial = true;
  p.gso = false;
  p.modified = true;
  p.end = end;
  p.payload = end;
  p.flags = flags;
  p.seq = seq;
  p.ack = ack;
  p.window = window;
}

/** Gives `p` another sequence number. */
export function putSeq(p: Packet, seq: number): void {
  putNumber(p, tcp.TCP_SEQ, p.seq, seq);
  p.seq = seq;
}

/** Gives `p` another acknowledgement number. */
export function putAck(p: Packet, ack: number): void {
  putNumber(p, tcp.TCP_ACK, p.ack, ack);
  p.ack = ack;
}

function putNumber(p: Packet, field: number, old: number, value: number): void {
  if (old === value) return;
  const b = p.bytes;
  put32(b, p.l4 + field, value);
  // A partial checksum is that of the pseudo-header alone.
  if (!p.checksumPartial) {
    const sum = p.l4 + tcp.TCP_CHECKSUM;
    put16(b, sum, adjustChecksum32(u16(b, sum), old, value));
  }
  p.modified = true;
}

function writeHeader(
  b: Uint8Array,
  l4: number,
  flags: number,
  seq: number,
  ack: number,
  window: number,
  mss: number,
): void {
  put32(b, l4 + tcp.TCP_SEQ, seq);
  put32(b, l4 + tcp.TCP_ACK, ack);
  b[l4 + tcp.TCP_DATA_OFFSET] = (headerLength(mss) / 4) << 4;
  b[l4 + tcp.TCP_FLAGS] = flags;
  put16(b, l4 + tcp.TCP_WINDOW, window);
  put16(b, l4 + tcp.TCP_URGENT, 0);
  if (mss === NO_MSS) return;
  const option = l4 + tcp.TCP_MIN_HEADER;
  b[option] = OPTION_MSS;
  b[option + 1] = MSS_OPTION;
  put16(b, option + 2, mss);
}

const headerLength = (mss: number): number => tcp.TCP_MIN_HEADER + (mss === NO_MSS ? 0 : MSS_OPTION);
