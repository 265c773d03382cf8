/**
 * What may stand behind the router: links that cut packets up, routers that count the TTL down, and a host whose
 * fragment cache is that of Linux. It hears only what the router has sent.
 */
import { put16 } from '../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import { PASS } from '../../src/core/verdict.js';
import { received } from '../support/packets.js';

export interface Hop {
  /** Of the link behind it, bytes. */
  mtu: number;
}

/** Takes `packet` through a router: gone at TTL 1, cut up in order where it is too long and may be. */
export function forward(packet: Uint8Array, { mtu }: Hop): Uint8Array[] {
  if (packet[8]! <= 1) return [];
  const p = packet.slice();
  p[8]!--;
  const header = (p[0]! & 15) * 4;
  writeIpv4Checksum(p, 0, header);
  if (p.length <= mtu) return [p];
  const flags = (p[6]! << 8) | p[7]!;
  if ((flags & 0x4000) !== 0) return [];
  const step = (mtu - header) & ~7;
  const pieces: Uint8Array[] = [];
  for (let at = header; at < p.length; at += step) {
    const end = Math.min(at + step, p.length);
    const piece = new Uint8Array(header + end - at);
    piece.set(p.subarray(0, header));
    piece.set(p.subarray(at, end), header);
    put16(piece, 2, piece.length);
    put16(piece, 6, (flags & 0x3fff) + ((at - header) >>> 3) + (end < p.length ? 0x2000 & ~flags : 0));
    writeIpv4Checksum(piece, 0, header);
    pieces.push(piece);
  }
  return pieces;
}

interface Piece {
  from: number;
  to: number;
  bytes: Uint8Array;
  last: boolean;
}

/** A host with a fragment cache. `delivered`: whole IPv4 packets whose transport checksum is right. */
export class Receiver {
  readonly delivered: Uint8Array[] = [];
  readonly #cache = new Map<string, Piece[]>();

  receive(packet: Uint8Array): void {
    const header = (packet[0]! & 15) * 4;
    const flags = (packet[6]! << 8) | packet[7]!;
    if ((flags & 0x3fff) === 0) {
      this.#deliver(packet);
      return;
    }
    const key = `${packet.slice(12, 20).join('.')} ${packet[9]} ${(packet[4]! << 8) | packet[5]!}`;
    const from = (flags & 0x1fff) * 8;
    const piece = { from, to: from + packet.length - header, bytes: packet, last: (flags & 0x2000) === 0 };
    const pieces = this.#cache.get(key) ?? [];
    // Linux ignores the same piece again, and gives a set up where two overlap (RFC 5722).
    if (pieces.some((q) => q.from === piece.from && q.to === piece.to)) return;
    if (pieces.some((q) => q.from < piece.to && piece.from < q.to)) {
      this.#cache.delete(key);
      return;
    }
    const all = [...pieces, piece].sort((a, b) => a.from - b.from);
    this.#cache.set(key, all);
    if (!all.at(-1)!.last || all.some((q, i) => q.from !== (i === 0 ? 0 : all[i - 1]!.to))) return;
    this.#cache.delete(key);
    const first = all[0]!.bytes;
    const firstHeader = (first[0]! & 15) * 4;
    const whole = new Uint8Array(firstHeader + all.at(-1)!.to);
    whole.set(first.subarray(0, firstHeader));
    for (const q of all) whole.set(q.bytes.subarray((q.bytes[0]! & 15) * 4), firstHeader + q.from);
    put16(whole, 2, whole.length);
    put16(whole, 6, 0);
    writeIpv4Checksum(whole, 0, firstHeader);
    this.#deliver(whole);
  }

  #deliver(packet: Uint8Array): void {
    const p = received(packet, 0);
    if (decodeIpv4(p) === PASS && decodeTransport(p) === PASS) this.delivered.push(packet);
  }
}
