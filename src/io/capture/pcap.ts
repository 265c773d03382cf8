/** Reads libpcap 2.4 by pcap-parser: microseconds and nanoseconds, either byte order. */
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { parse } from 'pcap-parser';
import { type CapturedPacket, type FormatReader, MOST_RECORD_BYTES } from './captured-packet.js';
import { type NetworkOffset, networkOffset } from './link-types.js';

const FILE_HEADER = 24; // bytes
const RECORD_HEADER = 16; // bytes

// The first four bytes as they stand in the file.
const MICROSECONDS = new Set(['a1b2c3d4', 'd4c3b2a1']);
/** pcap-parser does not know these: it is shown the other number, and we read the fraction as nanoseconds. */
const NANOSECONDS: Readonly<Record<string, string>> = { a1b23c4d: 'a1b2c3d4', '4d3cb2a1': 'd4c3b2a1' };

/** @param magic the first four bytes of the file, in hex */
export const isPcap = (magic: string): boolean => MICROSECONDS.has(magic) || magic in NANOSECONDS;

/** The part of a stream that pcap-parser uses: we hand it bytes when we want packets. */
class Feed extends EventEmitter {
  pause(): this {
    return this;
  }
  resume(): this {
    return this;
  }
}

export class PcapReader implements FormatReader {
  readonly #feed = new Feed();
  readonly #perSecond: number;
  #head: Buffer | undefined = Buffer.alloc(0);
  #offsetOf: NetworkOffset | undefined;
  fault: string | undefined = undefined;
  #packets: CapturedPacket[] = [];
  #taken = 0;
  #consumed = FILE_HEADER;
  readonly #realMagic: string | undefined;

  /** @param magic the first four bytes of the file, in hex */
  constructor(magic: string) {
    this.#realMagic = NANOSECONDS[magic];
    this.#perSecond = this.#realMagic === undefined ? 1e6 : 1e9;
    const parser = parse(this.#feed as unknown as Readable);
    parser.on('globalHeader', ({ linkLayerType }) => {
      this.#offsetOf = networkOffset(linkLayerType & 0xffff); // above: how long the frame check sequence is
      if (this.#offsetOf === undefined) this.fault ??= `link type ${linkLayerType} is not supported`;
    });
    parser.on('packetHeader', ({ capturedLength }) => {
      if (capturedLength > MOST_RECORD_BYTES)
        this.fault ??= `a record of ${capturedLength} bytes at byte ${this.#consumed}: the file is damaged`;
    });
    parser.on('packet', ({ header, data }) => {
      if (this.fault !== undefined) return;
      this.#consumed += RECORD_HEADER + data.length;
      const at = this.#offsetOf?.(data) ?? -1;
      if (at < 0) return;
      this.#packets.push({
        timeMs: header.timestampSeconds * 1000 + (header.timestampMicroseconds * 1000) / this.#perSecond,
        bytes: new Uint8Array(data.subarray(at)),
        truncated: header.capturedLength < header.originalLength,
      });
    });
    parser.on('error', (error) => (this.fault ??= error.message));
  }

  take(chunk: Buffer): CapturedPacket[] {
    this.#taken += chunk.length;
    this.#packets = [];
    this.#feed.emit('data', this.#withKnownMagic(chunk));
    return this.#packets;
  }

  end(): string | undefined {
    if (this.#taken < FILE_HEADER) return 'no pcap file: shorter than its header';
    return this.#taken === this.#consumed ? undefined : `cut short in the packet at byte ${this.#consumed}`;
  }

  /** The file begins with what pcap-parser knows. Up to its fourth byte all is kept back. */
  #withKnownMagic(chunk: Buffer): Buffer {
    if (this.#head === undefined) return chunk;
    const head = Buffer.concat([this.#head, chunk]);
    if (head.length < 4) {
      this.#head = head;
      return Buffer.alloc(0);
    }
    this.#head = undefined;
    if (this.#realMagic !== undefined) head.write(this.#realMagic, 'hex');
    return head;
  }
}
