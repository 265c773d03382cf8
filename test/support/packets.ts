/** Builds whole IPv4 packets with right checksums, and Packets over them, as an edge would hand them to the engine. */
import { put16, put32 } from '../../src/core/wire/bytes.js';
import { addWords, completePartial, fold, pseudoHeaderSum, writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { Packet } from '../../src/core/wire/packet.js';

export interface TcpFields {
  src: string;
  srcPort: number;
  dst: string;
  dstPort: number;
  flags: string; // letters of FSRPAU
  seq?: number;
  ack?: number;
  window?: number;
  options?: number[];
  payload?: string | Uint8Array;
}

/** Dotted decimal to int32. */
export const ip = (text: string): number => text.split('.').reduce((a, part) => (a << 8) | Number(part), 0);
export const dotted = (a: number): string => [24, 16, 8, 0].map((shift) => (a >>> shift) & 255).join('.');

export const latin1 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const bytesOf = (p: string | Uint8Array | undefined): Uint8Array =>
  typeof p === 'string' ? latin1(p) : (p ?? new Uint8Array(0));

const FLAGS: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 };

export function ipv4Packet(src: string, dst: string, protocol: number, body: Uint8Array): Uint8Array {
  const b = new Uint8Array(20 + body.length);
  b[0] = 0x45;
  put16(b, 2, b.length);
  put16(b, 4, 0x1234);
  b[8] = 64;
  b[9] = protocol;
  put32(b, 12, ip(src));
  put32(b, 16, ip(dst));
  writeIpv4Checksum(b, 0, 20);
  b.set(body, 20);
  return b;
}

export function tcpPacket(f: TcpFields): Uint8Array {
  const options = f.options ?? [];
  const payload = bytesOf(f.payload);
  const header = 20 + options.length;
  const t = new Uint8Array(header + payload.length);
  put16(t, 0, f.srcPort);
  put16(t, 2, f.dstPort);
  put32(t, 4, f.seq ?? 0);
  put32(t, 8, f.ack ?? 0);
  t[12] = (header / 4) << 4;
  t[13] = Array.from(f.flags).reduce((a, letter) => a | FLAGS[letter]!, 0);
  put16(t, 14, f.window ?? 65535);
  t.set(options, 20);
  t.set(payload, header);
  put16(t, 16, pseudoHeaderSum(ip(f.src), ip(f.dst), 6, t.length));
  completePartial(t, 0, t.length, 16);
  return ipv4Packet(f.src, f.dst, 6, t);
}

export function udpPacket(src: string, srcPort: number, dst: string, dstPort: number, payload: string): Uint8Array {
  const data = latin1(payload);
  const u = new Uint8Array(8 + data.length);
  put16(u, 0, srcPort);
  put16(u, 2, dstPort);
  put16(u, 4, u.length);
  u.set(data, 8);
  put16(u, 6, pseudoHeaderSum(ip(src), ip(dst), 17, u.length));
  completePartial(u, 0, u.length, 6);
  return ipv4Packet(src, dst, 17, u);
}

export function icmpPacket(src: string, dst: string, type: number, code: number, rest: number[]): Uint8Array {
  const m = Uint8Array.from([type, code, 0, 0, ...rest]);
  put16(m, 2, ~fold(addWords(m, 0, m.length, 0)) & 0xffff);
  return ipv4Packet(src, dst, 1, m);
}

/** The packet with another TTL and other flags of fragmentation (DF is 0x4000), its header checksum right. */
export function withHeader(packet: Uint8Array, { ttl = packet[8]!, fragment = 0 }): Uint8Array {
  const b = packet.slice();
  b[8] = ttl;
  put16(b, 6, fragment);
  writeIpv4Checksum(b, 0, (b[0]! & 15) * 4);
  return b;
}

/** The packet with IPv4 options, a multiple of four bytes. */
export function withIpOptions(packet: Uint8Array, options: number[]): Uint8Array {
  const b = Uint8Array.from([...packet.subarray(0, 20), ...options, ...packet.subarray(20)]);
  b[0] = 0x45 + options.length / 4;
  put16(b, 2, b.length);
  writeIpv4Checksum(b, 0, 20 + options.length);
  return b;
}

/** A Packet over a copy of `bytes`, with other memory before and behind it, as in a batch. */
export function received(bytes: Uint8Array, ingress: number, token = 0): Packet {
  const p = new Packet();
  p.bytes = new Uint8Array(64 + bytes.length + 64);
  p.bytes.set(bytes, 64);
  p.at = 64;
  p.end = 64 + bytes.length;
  p.ingress = ingress;
  p.token = token;
  return p;
}

/** The packet's bytes with the checksum completed, as they go out. */
export function sent(p: Packet): Uint8Array {
  const out = p.bytes.slice(p.at, p.end);
  if (p.checksumPartial) completePartial(out, 20, out.length, out[9] === 6 ? 16 : 6);
  return out;
}

/** True when IPv4 and transport checksums, summed in full, are right. */
export function checksumsOk(packet: Uint8Array): boolean {
  const view = new DataView(packet.buffer, packet.byteOffset);
  const protocol = packet[9]!;
  const length = packet.length - 20;
  if (fold(addWords(packet, 0, 20, 0)) !== 0xffff) return false;
  if (protocol === 17 && view.getUint16(26) === 0) return true;
  const pseudo = protocol === 1 ? 0 : pseudoHeaderSum(view.getInt32(12), view.getInt32(16), protocol, length);
  return fold(addWords(packet, 20, packet.length, pseudo)) === 0xffff;
}
