/** Reads a capture file (libpcap 2.4) as IPv4 packets with their times. */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { parse } from 'pcap-parser';

/** The file is no capture, or ends in the middle of a packet. */
export class CaptureError extends Error {
  override readonly name = 'CaptureError';
  constructor(
    readonly file: string,
    reason: string,
  ) {
    super(`${file}: ${reason}`);
  }
}

export interface CapturedPacket {
  /** ms since 1970. */
  timeMs: number;
  /** From the IPv4 header on. */
  bytes: Uint8Array;
  /** The capture did not keep all bytes. */
  truncated: boolean;
}

const FILE_HEADER = 24; // bytes
const RECORD_HEADER = 16; // bytes
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_VLAN = 0x8100;

/** Offset of the IPv4 header by link type; -1: another protocol. Link types as in libpcap's LINKTYPE_ list. */
const NETWORK_OFFSET: Readonly<Record<number, (frame: Buffer) => number>> = {
  1: (f) => ethernetPayload(f, 12),
  101: (f) => (f[0]! >>> 4 === 4 ? 0 : -1), // raw IP
  113: (f) => (f.length >= 16 && f.readUInt16BE(14) === ETHERTYPE_IPV4 ? 16 : -1), // Linux cooked
  228: () => 0, // raw IPv4
};

function ethernetPayload(f: Buffer, at: number): number {
  if (f.length < at + 2) return -1;
  const type = f.readUInt16BE(at);
  if (type === ETHERTYPE_VLAN) return ethernetPayload(f, at + 4);
  return type === ETHERTYPE_IPV4 ? at + 2 : -1;
}

/**
 * The IPv4 packets of a capture, in file order.
 * @throws CaptureError where it cannot be read whole
 */
export async function readCapture(file: string): Promise<CapturedPacket[]> {
  let data: Buffer;
  try {
    data = readFileSync(file);
  } catch (error) {
    throw new CaptureError(file, (error as Error).message);
  }
  if (data.length < FILE_HEADER) throw new CaptureError(file, 'no pcap file: shorter than its header');
  const packets: CapturedPacket[] = [];
  let consumed = FILE_HEADER;
  let offsetOf: ((frame: Buffer) => number) | undefined;
  let fault: string | undefined;
  // One chunk: the parser joins several by copying all it has each time.
  const parser = parse(Readable.from([data], { objectMode: false, highWaterMark: data.length }));
  parser.on('globalHeader', ({ linkLayerType }) => {
    offsetOf = NETWORK_OFFSET[linkLayerType];
    if (offsetOf === undefined) fault ??= `link type ${linkLayerType} is not supported`;
  });
  parser.on('packet', ({ header, data: frame }) => {
    consumed += RECORD_HEADER + frame.length;
    const at = frame.length === 0 ? -1 : (offsetOf?.(frame) ?? -1);
    if (at < 0) return;
    packets.push({
      timeMs: header.timestampSeconds * 1000 + header.timestampMicroseconds / 1000,
      bytes: new Uint8Array(frame.subarray(at)),
      truncated: header.capturedLength < header.originalLength,
    });
  });
  parser.on('error', (error) => (fault ??= error.message));
  await new Promise<void>((resolve) => parser.on('end', resolve));
  if (fault === undefined && consumed !== data.length) fault = `cut short in the packet at byte ${consumed}`;
  if (fault !== undefined) throw new CaptureError(file, fault);
  return packets;
}
