/** Builds TCP segments as decoded packets, and reads what comes out of a stream. */
import { put16, put32 } from '../../src/core/wire/bytes.js';
import {
  completePartial,
  pseudoHeaderSum,
  transportChecksumOk,
  writeIpv4Checksum,
} from '../../src/core/wire/checksum.js';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import { Packet } from '../../src/core/wire/packet.js';
import { ACK, TCP_CHECKSUM, TCP_URGENT } from '../../src/core/wire/tcp.js';

const CLIENT = 0xac160132 | 0; // 172.22.1.50
const SERVER = 0x0a0a0a02; // 10.10.10.2
/** Room before the packet, so that offsets from 0 would be noticed. */
const LEAD = 6;

export interface Segment {
  fromInitiator: boolean;
  seq: number;
  ack?: number;
  data: Uint8Array;
  flags?: number;
  token?: number;
  urgentPointer?: number;
}

export const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
export const textOf = (bytes: Iterable<number>): string => String.fromCharCode(...bytes);

/** The segment as the pipeline hands it to `TcpStream`: decoded, its checksum complete. */
export function packetOf(s: Segment): Packet {
  const p = new Packet();
  const at = LEAD;
  const l4 = at + 20;
  const end = l4 + 20 + s.data.length;
  const b = new Uint8Array(end + 3);
  const [src, dst] = s.fromInitiator ? [CLIENT, SERVER] : [SERVER, CLIENT];
  b[at] = 0x45;
  put16(b, at + 2, end - at);
  b[at + 8] = 64;
  b[at + 9] = 6;
  put32(b, at + 12, src);
  put32(b, at + 16, dst);
  writeIpv4Checksum(b, at, l4);
  put16(b, l4, s.fromInitiator ? 1025 : 25);
  put16(b, l4 + 2, s.fromInitiator ? 25 : 1025);
  put32(b, l4 + 4, s.seq);
  put32(b, l4 + 8, s.ack ?? 0);
  b[l4 + 12] = 0x50;
  b[l4 + 13] = s.flags ?? ACK;
  put16(b, l4 + TCP_URGENT, s.urgentPointer ?? 0);
  b.set(s.data, l4 + 20);
  put16(b, l4 + TCP_CHECKSUM, pseudoHeaderSum(src, dst, 6, end - l4));
  completePartial(b, l4, end, TCP_CHECKSUM);
  p.bytes = b;
  p.at = at;
  p.end = b.length;
  p.token = s.token ?? 0;
  if (decodeIpv4(p) !== 0 || decodeTransport(p) !== 0) throw new Error('a test built a segment that does not decode');
  return p;
}

/** What goes on to the receiver: copied out of `p`, after its checksum was completed as the edge does, and checked. */
export function received(p: Packet): Segment {
  if (p.checksumPartial) {
    if (!p.modified) throw new Error('the checksum form changed without `modified`: the edge would not send it back');
    completePartial(p.bytes, p.l4, p.end, TCP_CHECKSUM);
  }
  if (!transportChecksumOk(p)) throw new Error('wrong TCP checksum');
  return {
    fromInitiator: p.src === CLIENT,
    seq: p.seq,
    data: p.bytes.slice(p.payload, p.end),
    flags: p.bytes[p.l4 + 13]!,
    token: p.token,
    urgentPointer: (p.bytes[p.l4 + TCP_URGENT]! << 8) | p.bytes[p.l4 + TCP_URGENT + 1]!,
  };
}
