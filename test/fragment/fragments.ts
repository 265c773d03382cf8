/** Cuts datagrams into fragments. */
import { put16 } from '../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { decodeIpv4 } from '../../src/core/wire/decode.js';
import { Packet } from '../../src/core/wire/packet.js';

const MORE = 0x2000;
/** Room before a packet, so that offsets from 0 would be noticed. */
const LEAD = 4;

/** One fragment of `datagram`: payload bytes [from, to) of it. `more` as the flag shall stand. */
export function fragmentOf(datagram: Uint8Array, from: number, to: number, more: boolean): Uint8Array {
  const header = (datagram[0]! & 15) * 4;
  const b = new Uint8Array(header + to - from);
  b.set(datagram.subarray(0, header));
  b.set(datagram.subarray(header + from, header + to), header);
  put16(b, 2, b.length);
  put16(b, 6, (from >>> 3) | (more ? MORE : 0));
  writeIpv4Checksum(b, 0, header);
  return b;
}

/** Cuts the datagram's payload at the given offsets, in units of 8 bytes; cuts that lie outside are left out. */
export function fragmentsAt(datagram: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const length = datagram.length - (datagram[0]! & 15) * 4;
  const inside = [...new Set(cuts.map((c) => c * 8))].filter((c) => c > 0 && c < length).sort((a, b) => a - b);
  const bounds = [0, ...inside, length];
  return bounds.slice(1).map((to, i) => fragmentOf(datagram, bounds[i]!, to, to < length));
}

/** The fragment as the pipeline hands it to the table: its IPv4 header decoded. */
export function received(bytes: Uint8Array, token: number, ingress = 0): Packet {
  const p = new Packet();
  p.bytes = new Uint8Array(LEAD + bytes.length + 3);
  p.bytes.set(bytes, LEAD);
  p.at = LEAD;
  p.end = LEAD + bytes.length;
  p.token = token;
  p.ingress = ingress;
  if (decodeIpv4(p) !== 0) throw new Error('a test built a fragment that does not decode');
  return p;
}
