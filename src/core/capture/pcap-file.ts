/** Writes libpcap 2.4, in the byte order of the network, with microseconds: what `export` of a capture buffer gives. */

export const LINKTYPE_ETHERNET = 1;
const MAGIC = 0xa1b2c3d4;
const FILE_HEADER = 24; // bytes
const RECORD_HEADER = 16;

export interface PcapRecord {
  /** ms since 1970. */
  timeMs: number;
  bytes: Uint8Array;
  /** Bytes that it had on the wire. */
  length: number;
}

/** @param snapLength most bytes of a record */
export function pcapFile(records: readonly PcapRecord[], snapLength: number, linkType = LINKTYPE_ETHERNET): Uint8Array {
  const size = records.reduce((sum, r) => sum + RECORD_HEADER + r.bytes.length, FILE_HEADER);
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  view.setUint32(0, MAGIC);
  view.setUint16(4, 2);
  view.setUint16(6, 4);
  view.setUint32(16, snapLength);
  view.setUint32(20, linkType);
  let at = FILE_HEADER;
  for (const { timeMs, bytes, length } of records) {
    const micros = Math.round(timeMs * 1000);
    view.setUint32(at, Math.floor(micros / 1e6));
    view.setUint32(at + 4, micros % 1e6);
    view.setUint32(at + 8, bytes.length);
    view.setUint32(at + 12, length);
    file.set(bytes, at + RECORD_HEADER);
    at += RECORD_HEADER + bytes.length;
  }
  return file;
}
