/** Writes captures in every format that `fw3640 replay` reads. */
import { Buffer } from 'node:buffer';

export interface Frame {
  /** ms since 1970. */
  timeMs: number;
  bytes: Uint8Array;
  /** Bytes that the packet had on the wire. Default: all are here. */
  original?: number;
}

/** An Ethernet frame around an IPv4 packet, with VLAN tags. */
export function ethernet(packet: Uint8Array, ...vlans: number[]): Uint8Array {
  const tags = vlans.flatMap((id, i) => [
    i === 0 && vlans.length > 1 ? 0x88 : 0x81,
    i === 0 && vlans.length > 1 ? 0xa8 : 0,
    id >> 8,
    id & 255,
  ]);
  return Uint8Array.from([...new Array<number>(12).fill(2), ...tags, 0x08, 0x00, ...packet]);
}

/** Linux cooked capture, as `tcpdump -i any` writes it. */
export const cooked1 = (packet: Uint8Array): Uint8Array =>
  Uint8Array.from([0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 0x08, 0x00, ...packet]);
export const cooked2 = (packet: Uint8Array): Uint8Array =>
  Uint8Array.from([0x08, 0x00, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, ...packet]);

export interface PcapOptions {
  linkType?: number;
  big?: boolean;
  nanoseconds?: boolean;
}

export function pcap(
  frames: readonly Frame[],
  { linkType = 1, big = false, nanoseconds = false }: PcapOptions = {},
): Buffer {
  const u32 = (v: number): Buffer => word(v, big);
  const parts = [
    u32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4),
    big ? Buffer.from([0, 2, 0, 4]) : Buffer.from([2, 0, 4, 0]),
    ...[0, 0, 65535, linkType].map(u32),
  ];
  for (const f of frames) {
    const seconds = Math.floor(f.timeMs / 1000);
    const fraction = Math.round((f.timeMs - seconds * 1000) * (nanoseconds ? 1e6 : 1e3));
    parts.push(...[seconds, fraction, f.bytes.length, f.original ?? f.bytes.length].map(u32), Buffer.from(f.bytes));
  }
  return Buffer.concat(parts);
}

export interface PcapngOptions {
  linkType?: number;
  big?: boolean;
  /** if_tsresol; undefined: the option is absent, microseconds. */
  resolution?: number;
  simple?: boolean;
}

export function pcapng(
  frames: readonly Frame[],
  { linkType = 1, big = false, resolution, simple = false }: PcapngOptions = {},
): Buffer {
  const u32 = (v: number): Buffer => word(v, big);
  const u16 = (v: number): Buffer => (big ? Buffer.from([v >> 8, v & 255]) : Buffer.from([v & 255, v >> 8]));
  const block = (type: number, ...body: Buffer[]): Buffer => {
    const inner = Buffer.concat(body);
    const padded = Buffer.concat([inner, Buffer.alloc(-inner.length & 3)]);
    return Buffer.concat([u32(type), u32(padded.length + 12), padded, u32(padded.length + 12)]);
  };
  const options = resolution === undefined ? [] : [u16(9), u16(1), Buffer.from([resolution, 0, 0, 0]), u16(0), u16(0)];
  const parts = [
    block(0x0a0d0d0a, u32(0x1a2b3c4d), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)),
    block(1, u16(linkType), u16(0), u32(0), ...options),
    block(5, u32(0), u32(0), u32(0)), // statistics: passed over
  ];
  const perMs =
    resolution === undefined ? 1e3 : (resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution) / 1e3;
  for (const f of frames) {
    const ticks = BigInt(Math.round(f.timeMs * perMs));
    const data = Buffer.from(f.bytes);
    const original = u32(f.original ?? data.length);
    if (simple) parts.push(block(3, original, data));
    else
      parts.push(
        block(6, u32(0), u32(Number(ticks >> 32n)), u32(Number(ticks & 0xffffffffn)), u32(data.length), original, data),
      );
  }
  return Buffer.concat(parts);
}

function word(v: number, big: boolean): Buffer {
  const b = Buffer.alloc(4);
  if (big) b.writeUInt32BE(v);
  else b.writeUInt32LE(v);
  return b;
}
