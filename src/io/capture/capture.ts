/**
 * A capture as a stream of IPv4 packets: pcap and pcapng, plain or gzip, from a file or standard input. Only what is in
 * hand is in memory.
 */
import { createReadStream, fstatSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CaptureError, type CapturedPacket, type FormatReader } from './captured-packet.js';
import { isPcap, PcapReader } from './pcap.js';
import { isPcapng, PcapngReader } from './pcapng.js';

/** Name of standard input, as of tcpdump. */
const STANDARD_INPUT = '-';
const CHUNK = 1 << 16; // bytes
const GZIP = '1f8b';

export class Capture {
  /** Bytes of the file that were read, and that it has; 0 where nobody knows. */
  bytesRead = 0;
  readonly size: number;
  /** What is wrong with the end of the file: set when the last packet was handed out. */
  fault: string | undefined = undefined;
  readonly #fd: number;

  /**
   * @param file a path, or `-`
   * @throws CaptureError where it cannot be opened
   */
  constructor(readonly file: string) {
    try {
      this.#fd = file === STANDARD_INPUT ? 0 : openSync(file, 'r');
      const stat = fstatSync(this.#fd);
      if (stat.isDirectory()) throw new Error('is a directory');
      this.size = stat.isFile() ? stat.size : 0;
    } catch (error) {
      throw new CaptureError(file, (error as Error).message);
    }
  }

  /**
   * The packets in file order, some at a time. A file that ends in the middle, or is damaged there, gives what stood
   * before, and then has a `fault`.
   * @throws CaptureError for what is no capture
   */
  async *packets(): AsyncGenerator<CapturedPacket[]> {
    let reader: FormatReader | undefined;
    let head = Buffer.alloc(0);
    let any = false;
    try {
      for await (const piece of unpacked(this.#raw())) {
        let chunk = piece;
        if (reader === undefined) {
          head = Buffer.concat([head, chunk]);
          if (head.length < 4) continue;
          reader = readerFor(head.toString('hex', 0, 4), this.file);
          chunk = head;
        }
        const packets = reader.take(chunk);
        any ||= packets.length > 0;
        yield packets;
        if (reader.fault !== undefined) break;
      }
    } catch (error) {
      if (error instanceof CaptureError) throw error;
      this.fault = (error as Error).message; // the disk, or damaged gzip
    }
    if (reader === undefined)
      throw new CaptureError(this.file, this.fault ?? 'no capture: shorter than the header of one');
    this.fault ??= reader.fault ?? reader.end();
    if (this.fault !== undefined && !any) throw new CaptureError(this.file, this.fault);
  }

  async *#raw(): AsyncGenerator<Buffer> {
    const stream = createReadStream('', { fd: this.#fd, highWaterMark: CHUNK, autoClose: this.#fd !== 0 });
    for await (const chunk of stream) {
      this.bytesRead += (chunk as Buffer).length;
      yield chunk as Buffer;
    }
  }
}

/** The same bytes, unpacked where they are gzip. */
async function* unpacked(raw: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const first = await raw.next();
  if (first.done === true) return;
  const whole = startingWith(first.value, raw);
  if (first.value.toString('hex', 0, 2) !== GZIP) {
    yield* whole;
    return;
  }
  const plain = createGunzip({ chunkSize: CHUNK });
  const from = Readable.from(whole);
  from.on('error', (error) => plain.destroy(error));
  for await (const chunk of from.pipe(plain)) yield chunk as Buffer;
}

async function* startingWith(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}

function readerFor(magic: string, file: string): FormatReader {
  if (isPcap(magic)) return new PcapReader(magic);
  if (isPcapng(magic)) return new PcapngReader();
  throw new CaptureError(file, `no capture: unknown magic number: ${magic}`);
}
