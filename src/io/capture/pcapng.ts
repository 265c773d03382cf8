/**
 * Reads pcapng (draft-ietf-opsawg-pcapng): sections of either byte order, interfaces with link type and resolution of
 * time, enhanced and simple packets. Other blocks are passed over.
 */
import { type CapturedPacket, type FormatReader, MOST_RECORD_BYTES } from './captured-packet.js';
import { type NetworkOffset, networkOffset } from './link-types.js';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
/** Type, total length, and total length again at the end. */
const FRAME = 12; // bytes

const OPTION_END = 0;
const OPTION_TSRESOL = 9;
const OPTION_TSOFFSET = 14;

/** @param magic the first four bytes of the file, in hex */
export const isPcapng = (magic: string): boolean => magic === '0a0d0d0a';

interface Interface {
  offsetOf: NetworkOffset;
  /** Units of a time stamp in a second, and what is added, in seconds. */
  perSecond: number;
  offsetSeconds: number;
  /** Most bytes of a packet that were kept; 0: all. */
  snapLength: number;
}

export class PcapngReader implements FormatReader {
  fault: string | undefined = undefined;
  #rest: Buffer = Buffer.alloc(0);
  #at = 0;
  #little = true;
  #interfaces: Interface[] = [];
  #timeMs = 0;

  take(chunk: Buffer): CapturedPacket[] {
    const packets: CapturedPacket[] = [];
    try {
      this.#rest = this.#blocks(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]), packets);
    } catch (error) {
      this.fault = (error as Error).message;
    }
    return packets;
  }

  end(): string | undefined {
    return this.#rest.length === 0 ? undefined : `cut short in the block at byte ${this.#at}`;
  }

  /** @returns what is left over, part of a block. @throws Error where the file is damaged */
  #blocks(b: Buffer, packets: CapturedPacket[]): Buffer {
    while (b.length >= FRAME) {
      const type = this.#u32(b, 0);
      if (type === SECTION_HEADER) this.#readByteOrder(b);
      const length = this.#u32(b, 4);
      if (length < FRAME || (length & 3) !== 0 || length > MOST_RECORD_BYTES)
        throw new Error(`a block of ${length} bytes at byte ${this.#at}: the file is damaged`);
      if (b.length < length) break;
      if (this.#u32(b, length - 4) !== length)
        throw new Error(`the block at byte ${this.#at} has two different lengths: the file is damaged`);
      this.#block(type, b.subarray(8, length - 4), packets);
      b = b.subarray(length);
      this.#at += length;
    }
    return b;
  }

  #readByteOrder(b: Buffer): void {
    this.#little = b.readUInt32LE(8) === BYTE_ORDER_MAGIC;
    if (!this.#little && b.readUInt32BE(8) !== BYTE_ORDER_MAGIC)
      throw new Error(`no byte order in the section at byte ${this.#at}: the file is damaged`);
    this.#interfaces = [];
  }

  #block(type: number, body: Buffer, packets: CapturedPacket[]): void {
    if (type === INTERFACE_DESCRIPTION) this.#describe(body);
    else if (type === ENHANCED_PACKET && body.length >= 20) {
      const itf = this.#interface(this.#u32(body, 0));
      const ticks = this.#u32(body, 4) * 2 ** 32 + this.#u32(body, 8);
      this.#timeMs = (ticks / itf.perSecond + itf.offsetSeconds) * 1000;
      this.#packet(itf, body.subarray(20), this.#u32(body, 12), this.#u32(body, 16), packets);
    } else if (type === SIMPLE_PACKET && body.length >= 4) {
      // It has no time: that of the packet before it.
      const itf = this.#interface(0);
      const original = this.#u32(body, 0);
      const kept = itf.snapLength === 0 ? original : Math.min(original, itf.snapLength);
      this.#packet(itf, body.subarray(4), kept, original, packets);
    }
  }

  #packet(itf: Interface, data: Buffer, captured: number, original: number, packets: CapturedPacket[]): void {
    if (captured > data.length)
      throw new Error(`a packet longer than its block at byte ${this.#at}: the file is damaged`);
    const frame = data.subarray(0, captured);
    const at = itf.offsetOf(frame);
    if (at < 0) return;
    packets.push({ timeMs: this.#timeMs, bytes: new Uint8Array(frame.subarray(at)), truncated: captured < original });
  }

  #interface(index: number): Interface {
    const itf = this.#interfaces[index];
    if (itf === undefined) throw new Error(`a packet of an unknown interface at byte ${this.#at}: the file is damaged`);
    return itf;
  }

  #describe(body: Buffer): void {
    if (body.length < 8) throw new Error(`the interface at byte ${this.#at} is cut short: the file is damaged`);
    const linkType = this.#u16(body, 0);
    const offsetOf = networkOffset(linkType);
    if (offsetOf === undefined) throw new Error(`link type ${linkType} is not supported`);
    const itf: Interface = { offsetOf, perSecond: 1e6, offsetSeconds: 0, snapLength: this.#u32(body, 4) };
    for (let i = 8; i + 4 <= body.length;) {
      const code = this.#u16(body, i);
      const length = this.#u16(body, i + 2);
      if (code === OPTION_END || i + 4 + length > body.length) break;
      if (code === OPTION_TSRESOL && length === 1) {
        const resolution = body[i + 4]!;
        itf.perSecond = resolution & 0x80 ? 2 ** (resolution & 0x7f) : 10 ** resolution;
      } else if (code === OPTION_TSOFFSET && length === 8) {
        itf.offsetSeconds = Number(this.#little ? body.readBigInt64LE(i + 4) : body.readBigInt64BE(i + 4));
      }
      i += 4 + ((length + 3) & ~3);
    }
    this.#interfaces.push(itf);
  }

  #u32(b: Buffer, at: number): number {
    return this.#little ? b.readUInt32LE(at) : b.readUInt32BE(at);
  }

  #u16(b: Buffer, at: number): number {
    return this.#little ? b.readUInt16LE(at) : b.readUInt16BE(at);
  }
}
