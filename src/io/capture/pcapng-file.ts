/**
 * Writes pcapng (draft-ietf-opsawg-pcapng): a section, a block for each interface, a block for each packet. The file is
 * whole at each moment: blocks are written together, and where the disk is full, part of one is taken away again.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

const SECTION_HEADER = 0x0a0d0d0a;
const INTERFACE_DESCRIPTION = 1;
const ENHANCED_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b3c4d;
const OPTION_COMMENT = 1;
const OPTION_IF_NAME = 2;
const OPTION_FLAGS = 2;
const OPTION_APPLICATION = 4;
/** Bytes that come together before they are written. */
const TOGETHER = 64 * 1024;

export const LINKTYPE_ETHERNET = 1;
/** IPv4 or IPv6, nothing in front of it. */
export const LINKTYPE_RAW = 101;

/** The file could not be written on; what it holds is whole. */
export class CaptureFileError extends Error {
  override readonly name = 'CaptureFileError';
}

export interface PacketBlock {
  /** Index of the interface. */
  interface: number;
  /** ms since 1970. */
  timeMs: number;
  bytes: Uint8Array;
  /** Bytes that it had on the wire. */
  length: number;
  comment?: string | undefined;
  direction?: 'in' | 'out';
}

/** What it has of the system. */
export interface Disk {
  open(path: string): number;
  write(fd: number, bytes: Buffer, at: number): number;
  truncate(fd: number, length: number): void;
  close(fd: number): void;
}

const linux: Disk = {
  open: (path) => openSync(path, 'w', 0o600),
  write: (fd, bytes, at) => writeSync(fd, bytes, at),
  truncate: ftruncateSync,
  close: closeSync,
};

export class PcapngFile {
  readonly #fd: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  /** Bytes of the file, all in whole blocks. */
  #size = 0;
  packets = 0;

  /**
   * Creates the file, or begins it anew.
   * @param linkType of all interfaces
   * @throws CaptureFileError
   */
  constructor(
    private readonly path: string,
    interfaces: readonly string[],
    linkType: number,
    private readonly disk = linux,
  ) {
    try {
      this.#fd = disk.open(path);
    } catch (error) {
      throw new CaptureFileError(`${path}: ${(error as Error).message}`);
    }
    const section = [u32(BYTE_ORDER_MAGIC), u16(1), u16(0), u32(0xffffffff), u32(0xffffffff)];
    this.#put(block(SECTION_HEADER, ...section, option(OPTION_APPLICATION, Buffer.from('fw3640')), END));
    for (const name of interfaces) {
      const fields = [u16(linkType), u16(0), u32(0)];
      this.#put(block(INTERFACE_DESCRIPTION, ...fields, option(OPTION_IF_NAME, Buffer.from(name)), END));
    }
    this.flush();
  }

  /** @throws CaptureFileError */
  packet({ interface: index, timeMs, bytes, length, comment, direction }: PacketBlock): void {
    const micros = Math.round(timeMs * 1000);
    const options = [
      ...(comment === undefined ? [] : [option(OPTION_COMMENT, Buffer.from(comment))]),
      ...(direction === undefined ? [] : [option(OPTION_FLAGS, u32(direction === 'in' ? 1 : 2))]),
    ];
    const fields = [u32(index), u32(Math.floor(micros / 2 ** 32)), u32(micros), u32(bytes.length), u32(length)];
    this.#put(block(ENHANCED_PACKET, ...fields, padded(bytes), ...(options.length > 0 ? [...options, END] : [])));
    this.packets++;
    if (this.#waitingBytes >= TOGETHER) this.flush();
  }

  /** Writes what has come together. @throws CaptureFileError */
  flush(): void {
    if (this.#waitingBytes === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      for (let at = 0; at < bytes.length;) at += this.disk.write(this.#fd, bytes, at);
    } catch (error) {
      try {
        this.disk.truncate(this.#fd, this.#size);
      } catch {
        // A pipe, or a disk that fails: it is as it is.
      }
      throw new CaptureFileError(`${this.path}: ${(error as Error).message}; what it holds is whole`);
    }
    this.#size += bytes.length;
  }

  /** @throws CaptureFileError */
  close(): void {
    try {
      this.flush();
    } finally {
      this.disk.close(this.#fd);
    }
  }

  #put(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }
}

function u32(value: number): Buffer {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(value >>> 0);
  return b;
}

function u16(value: number): Buffer {
  const b = Buffer.alloc(2);
  b.writeUInt16LE(value);
  return b;
}

/** Up to a multiple of four bytes. */
const padded = (bytes: Uint8Array): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

const option = (code: number, value: Buffer): Buffer => Buffer.concat([u16(code), u16(value.length), padded(value)]);

const END = Buffer.alloc(4);

function block(type: number, ...body: Buffer[]): Buffer {
  const inner = Buffer.concat(body);
  const length = u32(inner.length + 12);
  return Buffer.concat([u32(type), length, inner, length]);
}
