/** pcapng files that we write: what goes in comes out again, and they are whole at each moment. */
import { Buffer } from 'node:buffer';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { Capture } from '../../../src/io/capture/capture.js';
import { CaptureFileError, type Disk, LINKTYPE_RAW, PcapngFile } from '../../../src/io/capture/pcapng-file.js';
import { PcapngReader } from '../../../src/io/capture/pcapng.js';
import { tcpPacket } from '../../support/packets.js';

const folder = mkdtempSync(join(tmpdir(), 'fw3640-pcapng-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A disk with so much room, in memory. */
class SmallDisk implements Disk {
  bytes = Buffer.alloc(0);
  constructor(readonly room: number) {}
  open(): number {
    return 5;
  }
  write(_: number, bytes: Buffer, at: number): number {
    const part = bytes.subarray(at, at + Math.min(1000, this.room - this.bytes.length));
    if (part.length === 0) throw new Error('ENOSPC: no space left on device, write');
    this.bytes = Buffer.concat([this.bytes, part]);
    return part.length;
  }
  truncate(_: number, length: number): void {
    this.bytes = this.bytes.subarray(0, length);
  }
  close(): void {
    // It is memory.
  }
}

const packetOf = (length: number): Uint8Array =>
  tcpPacket({ src: '10.0.0.1', srcPort: 1, dst: '10.0.0.2', dstPort: 2, flags: 'A', payload: 'x'.repeat(length) });

const packets = fc.array(
  fc.record({
    timeMs: fc.integer({ min: 0, max: 4e12 }),
    length: fc.integer({ min: 0, max: 1460 }),
    comment: fc.option(fc.string({ maxLength: 60 }), { nil: undefined }),
    direction: fc.constantFrom('in' as const, 'out' as const),
  }),
  { maxLength: 40 },
);

test('what goes in comes out again: bytes, times, and comments as they are', async () => {
  await fc.assert(
    fc.asyncProperty(packets, async (all) => {
      const path = join(folder, 'a.pcapng');
      const file = new PcapngFile(path, ['Ethernet2/0', 'Ethernet2/1'], LINKTYPE_RAW);
      all.forEach(({ length, ...p }, i) =>
        file.packet({ ...p, interface: i % 2, bytes: packetOf(length), length: length + 40 }),
      );
      file.close();
      expect(file.packets).toBe(all.length);
      const capture = new Capture(path);
      const read = [];
      for await (const some of capture.packets())
        read.push(...some.map((q) => ({ ...q, timeMs: Math.round(q.timeMs * 1000) / 1000 }))); // to the microsecond
      expect(capture.fault).toBeUndefined();
      expect(read).toEqual(all.map((p) => ({ timeMs: p.timeMs, bytes: packetOf(p.length), truncated: false })));
      const raw = readFileSync(path);
      for (const { comment } of all) if (comment !== undefined) expect(raw.includes(comment)).toBe(true);
    }),
    { numRuns: 30 },
  );
});

test('a disk that is full is said, and what the file holds is whole', () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 40_000 }), fc.integer({ min: 1, max: 9 }), (room, together) => {
      const disk = new SmallDisk(room);
      const file = new PcapngFile('x.pcapng', ['Ethernet2/0'], LINKTYPE_RAW, disk);
      const fill = (): void => {
        for (let i = 0; i < 100; i++) {
          file.packet({ interface: 0, timeMs: i, bytes: packetOf(500), length: 540 });
          if (i % together === 0) file.flush();
        }
        file.flush();
      };
      expect(fill).toThrow(CaptureFileError);
      const reader = new PcapngReader();
      reader.take(disk.bytes);
      expect([reader.fault, reader.end()]).toEqual([undefined, undefined]);
    }),
  );
});

test('a place that cannot be written to is said', () => {
  expect(() => new PcapngFile(join(folder, 'no', 'such'), [], LINKTYPE_RAW)).toThrow(/ENOENT/);
});
