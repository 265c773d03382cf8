import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { Capture } from '../../../src/io/capture/capture.js';
import { CaptureError, type CapturedPacket } from '../../../src/io/capture/captured-packet.js';
import { mergeCaptures } from '../../../src/io/capture/merge.js';
import { PcapReader } from '../../../src/io/capture/pcap.js';
import { PcapngReader } from '../../../src/io/capture/pcapng.js';
import { icmpPacket } from '../../support/packets.js';
import { cooked1, cooked2, ethernet, type Frame, pcap, pcapng } from './files.js';

const folder = mkdtempSync(join(tmpdir(), 'fw3640-capture-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;

function fileOf(content: Uint8Array): string {
  const file = join(folder, `${++count}.cap`);
  writeFileSync(file, content);
  return file;
}

async function read(file: string): Promise<{ packets: CapturedPacket[]; fault: string | undefined }> {
  const capture = new Capture(file);
  const packets: CapturedPacket[] = [];
  for await (const some of capture.packets()) packets.push(...some);
  return { packets, fault: capture.fault };
}

const PING = icmpPacket('172.22.1.10', '10.10.10.2', 8, 0, [0, 1, 0, 1]);
const ARP = Uint8Array.from([...new Array<number>(12).fill(2), 0x08, 0x06, 0, 1]);
const AT = 1_700_000_000_123.456;
const frame = (bytes: Uint8Array, timeMs = AT): Frame => ({ timeMs, bytes });

describe('every kind of capture gives the same packet', () => {
  test.each([
    { name: 'pcap', file: pcap([frame(ethernet(PING))]) },
    { name: 'pcap, big endian', file: pcap([frame(ethernet(PING))], { big: true }) },
    { name: 'pcap, nanoseconds', file: pcap([frame(ethernet(PING))], { nanoseconds: true }) },
    { name: 'pcap, nanoseconds, big endian', file: pcap([frame(ethernet(PING))], { nanoseconds: true, big: true }) },
    { name: 'a VLAN tag', file: pcap([frame(ethernet(PING, 5))]) },
    { name: 'two VLAN tags', file: pcap([frame(ethernet(PING, 7, 5))]) },
    { name: 'raw IP', file: pcap([frame(PING)], { linkType: 101 }) },
    { name: 'raw IPv4', file: pcap([frame(PING)], { linkType: 228 }) },
    { name: 'Linux cooked, v1', file: pcap([frame(cooked1(PING))], { linkType: 113 }) },
    { name: 'Linux cooked, v2', file: pcap([frame(cooked2(PING))], { linkType: 276 }) },
    { name: 'pcapng', file: pcapng([frame(ethernet(PING))]) },
    { name: 'pcapng, big endian', file: pcapng([frame(ethernet(PING))], { big: true }) },
    { name: 'pcapng, nanoseconds', file: pcapng([frame(ethernet(PING))], { resolution: 9 }) },
    { name: 'pcapng, binary fractions', file: pcapng([frame(ethernet(PING))], { resolution: 0x80 | 20 }) },
    { name: 'pcapng, Linux cooked v2', file: pcapng([frame(cooked2(PING))], { linkType: 276 }) },
    { name: 'other protocols between', file: pcap([frame(ARP), frame(ethernet(PING)), frame(ARP)]) },
  ])('$name', async ({ file }) => {
    for (const content of [file, gzipSync(file)]) {
      const { packets, fault } = await read(fileOf(content));
      expect(fault).toBeUndefined();
      expect(packets.map((p) => [...p.bytes])).toEqual([[...PING]]);
      expect(packets[0]!.timeMs).toBeCloseTo(AT, 2);
      expect(packets[0]!.truncated).toBe(false);
    }
  });

  test('a simple packet block of pcapng has no time of its own', async () => {
    const { packets } = await read(fileOf(pcapng([frame(ethernet(PING))], { simple: true })));
    expect(packets.map((p) => [...p.bytes])).toEqual([[...PING]]);
  });

  test.each([
    { name: 'pcap', file: pcap([{ ...frame(ethernet(PING)), original: 1514 }]) },
    { name: 'pcapng', file: pcapng([{ ...frame(ethernet(PING)), original: 1514 }]) },
  ])('$name: a packet that was not kept whole says so', async ({ file }) => {
    expect((await read(fileOf(file))).packets.map((p) => p.truncated)).toEqual([true]);
  });
});

describe('cut anywhere', () => {
  const frames = [1, 2, 3].map((s) =>
    frame(ethernet(icmpPacket('172.22.1.10', '10.10.10.2', 8, 0, [0, 1, 0, s])), AT + s),
  );
  test.each([
    { name: 'pcap', content: pcap(frames), reader: () => new PcapReader('d4c3b2a1') },
    { name: 'pcapng', content: pcapng(frames), reader: () => new PcapngReader() },
  ])('$name in chunks of any size gives the same packets', ({ content, reader }) => {
    const whole = reader().take(content);
    expect(whole).toHaveLength(3);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: content.length })), (cuts) => {
        const r = reader();
        const edges = [0, ...cuts.sort((a, b) => a - b), content.length];
        const packets = edges.slice(1).flatMap((to, i) => r.take(content.subarray(edges[i], to)));
        expect(packets).toEqual(whole);
        expect(r.end() ?? r.fault).toBeUndefined();
      }),
    );
  });

  test.each([
    { name: 'pcap', content: pcap(frames), says: /^cut short in the packet at byte \d+$/ },
    { name: 'pcapng', content: pcapng(frames), says: /^cut short in the block at byte \d+$/ },
    { name: 'gzip', content: gzipSync(pcap(frames), { level: 0 }), says: /unexpected end of file/ },
  ])('$name that ends in the middle gives what stood before, and says where', async ({ content, says }) => {
    const { packets, fault } = await read(fileOf(content.subarray(0, content.length - 20)));
    expect(packets.length).toBeGreaterThan(0);
    expect(fault).toMatch(says);
  });

  test('damage in the middle gives what stood before', async () => {
    const damaged = pcap(frames);
    damaged.writeUInt32LE(0xffff_fff0, 24 + 16 + frames[0]!.bytes.length + 8); // captured length of the second
    const { packets, fault } = await read(fileOf(damaged));
    expect(packets).toHaveLength(1);
    expect(fault).toMatch(/a record of 4294967280 bytes at byte \d+: the file is damaged/);
  });
});

test.each([
  { name: 'text', content: Buffer.from('this is not a capture at all'), reason: /unknown magic number/ },
  { name: 'nothing', content: Buffer.alloc(0), reason: /shorter than the header/ },
  { name: 'half a header', content: pcap([]).subarray(0, 12), reason: /shorter than its header/ },
  { name: 'another link type', content: pcap([], { linkType: 105 }), reason: /link type 105 is not supported/ },
  { name: 'pcapng of another link type', content: pcapng([], { linkType: 105 }), reason: /link type 105 is not/ },
])('a file of $name is refused with its name', async ({ content, reason }) => {
  const file = fileOf(content);
  await expect(read(file)).rejects.toThrow(CaptureError);
  await expect(read(file)).rejects.toThrow(reason);
  await expect(read(file)).rejects.toThrow(file);
});

test.each([
  { name: 'a folder', file: folder, reason: /directory/ },
  { name: 'no file', file: join(folder, 'none'), reason: /ENOENT/ },
])('$name is refused with its name', async ({ file, reason }) => {
  await expect(read(file)).rejects.toThrow(reason);
});

test('captures are merged in order of time', async () => {
  const times = [
    [1, 4, 5, 9],
    [2, 3, 8],
    [0, 7],
  ];
  const captures = times.map((t) => new Capture(fileOf(pcap(t.map((s) => frame(ethernet(PING), s * 1000))))));
  const seen: [number, number][] = [];
  for await (const a of mergeCaptures(captures)) seen.push([a.timeMs / 1000, a.capture]);
  expect(seen.map(([t]) => t)).toEqual([0, 1, 2, 3, 4, 5, 7, 8, 9]);
  expect(seen.map(([, c]) => c)).toEqual([2, 0, 1, 1, 0, 0, 2, 1, 0]);
});
