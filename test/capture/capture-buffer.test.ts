/** `monitor capture buffer`: what it keeps, and that it never takes more than its size. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BufferedPacket, ETHERNET_HEADER } from '../../src/core/capture/capture.js';
import { CaptureBuffer, PACKET_OVERHEAD } from '../../src/core/capture/capture-buffer.js';

let number = 0;
const packet = (length = 40, timeMs = 0): BufferedPacket => ({
  timeMs,
  path: 'cef',
  ingress: 'Ethernet2/0',
  egress: undefined,
  length,
  bytes: Uint8Array.from({ length }, (_, i) => (i === 0 ? number++ : i) & 255),
});
const buffer = (settings: Partial<CaptureBuffer['settings']> = {}): CaptureBuffer => {
  const b = new CaptureBuffer();
  b.configure({ maxSize: 9500, ...settings });
  return b;
};
const roomOf = (p: BufferedPacket): number => PACKET_OVERHEAD + ETHERNET_HEADER + p.bytes.length;

const lengths = fc.array(fc.integer({ min: 0, max: 1500 }), { maxLength: 60 });

describe('a ring', () => {
  test('never takes more than its size, whatever comes and whatever it is set to meanwhile', () => {
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.integer({ min: 0, max: 4000 }).map((length) => ({ length })) },
      { weight: 1, arbitrary: fc.record({ sizeKb: fc.integer({ min: 1, max: 8 }), circular: fc.boolean() }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const b = buffer({ sizeKb: 2 });
        for (const s of steps) {
          if ('length' in s) b.add(packet(s.length));
          else b.configure(s);
          expect(b.used).toBeLessThanOrEqual(b.sizeBytes);
          expect(b.used).toBe(b.packets.reduce((sum, p) => sum + roomOf(p), 0));
          expect(b.count).toBe(b.packets.length);
        }
      }),
    );
  });

  test('that is circular keeps the newest, as many as fit', () => {
    fc.assert(
      fc.property(lengths, (all) => {
        const b = buffer({ sizeKb: 4, circular: true });
        const packets = all.map((length) => packet(length));
        for (const p of packets) expect(b.add(p)).toBe('kept');
        let room = 0;
        const fits = [...packets].reverse().findIndex((p) => (room += roomOf(p)) > b.sizeBytes);
        expect(b.packets).toEqual(fits < 0 ? packets : packets.slice(packets.length - fits));
      }),
    );
  });

  test('that is linear keeps the oldest, until one does not fit: that is its end', () => {
    fc.assert(
      fc.property(lengths, (all) => {
        const b = buffer({ sizeKb: 4 });
        const packets = all.map((length) => packet(length));
        const end = packets.findIndex((p) => b.add(p) === 'end');
        expect(b.packets).toEqual(end < 0 ? packets : packets.slice(0, end));
      }),
    );
  });
});

test('of each packet so much is kept as max-size says, its Ethernet header included', () => {
  const b = buffer({ maxSize: 68 });
  const long = packet(1500);
  const start = long.bytes.slice(0, 54);
  b.add(long);
  b.add(packet(54));
  expect(b.packets.map((p) => [p.length, p.bytes.length])).toEqual([[1500, 54], [54, 54]]); // prettier-ignore
  expect(b.packets[0]!.bytes).toEqual(start);
});

test.each([
  { limit: { nth: 3 }, kept: [2, 5, 8] },
  { limit: { packets: 4 }, kept: [0, 1, 2, 3] },
  { limit: { packetsPerSecond: 2 }, kept: [0, 1, 4, 5, 8, 9] }, // four in a second
  { limit: { nth: 2, packets: 3 }, kept: [1, 3, 5] },
  { limit: { nth: 0, packets: 0, packetsPerSecond: 0 }, kept: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
])('limit $limit', ({ limit, kept }) => {
  const b = buffer(limit);
  const packets = Array.from({ length: 10 }, (_, i) => packet(40, i * 250));
  for (const p of packets) b.add(p);
  expect(b.packets.map((p) => packets.indexOf(p))).toEqual(kept);
  expect(b.isComplete).toBe(limit.packets !== undefined && limit.packets > 0);
});

test('limits count from where the capture begins; clear takes all that is there', () => {
  const b = buffer({ packets: 1 });
  expect([b.add(packet()), b.add(packet())]).toEqual(['kept', 'end']);
  b.begin();
  expect(b.add(packet())).toBe('kept');
  expect(b.count).toBe(2);
  b.clear();
  expect([b.count, b.used]).toEqual([0, 0]);
});
