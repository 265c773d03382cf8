/** The ring of unacknowledged bytes against its obvious twin, a map from sequence number to byte. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { powerOfTwo } from '../../src/core/stream/buffer-pool.js';
import { ForwardedBytes, RECORD_RING, RecordRing } from '../../src/core/stream/forwarded-bytes.js';
import { DEFAULT_LIMITS, ReassemblyMemory } from '../../src/core/stream/reassembly-memory.js';
import { seqAdd } from '../../src/core/wire/seq.js';

test('the ring gives back any kept range, however it grew, wrapped and was acknowledged', () => {
  const step = fc.record({
    add: fc.oneof(fc.nat(3000), fc.nat(40)),
    acknowledge: fc.nat(100),
    from: fc.nat(100),
    to: fc.nat(100),
  });
  fc.assert(
    fc.property(fc.integer(), fc.array(step, { maxLength: 20 }), fc.boolean(), (first, steps, free) => {
      const memory = new ReassemblyMemory({ ...DEFAULT_LIMITS });
      const ofRecord = new RecordRing();
      ofRecord.bytes = new Uint8Array(8 + RECORD_RING + 8);
      ofRecord.at = 8;
      ofRecord.free = free;
      const ring = new ForwardedBytes(memory, ofRecord);
      const twin: number[] = []; // all bytes ever, by offset
      let una = 0;
      for (const s of steps) {
        const added = Uint8Array.from({ length: s.add + 7 }, (_, i) => (twin.length + i) * 167 + (i >> 3));
        if (s.add > 0) {
          expect(ring.reserve(s.add)).toBe(true);
          ring.append(added, 5, seqAdd(first, twin.length), s.add);
          twin.push(...added.subarray(5, 5 + s.add));
        }
        una += Math.floor(((twin.length - una) * s.acknowledge) / 100);
        ring.forget(seqAdd(first, una));
        expect(ring.length).toBe(twin.length - una);
        if (ring.length === 0) continue;
        const from = una + Math.floor(((ring.length - 1) * s.from) / 100);
        const count = Math.floor(((twin.length - from) * s.to) / 100);
        const out = new Uint8Array(count + 4);
        const same = twin.slice(from, from + count).every((byte) => byte === 0);
        expect(ring.restore(out, 2, seqAdd(first, from), count)).toBe(!same);
        expect([...out]).toEqual([0, 0, ...twin.slice(from, from + count), 0, 0]);
        expect(ring.restore(out, 2, seqAdd(first, from), count)).toBe(false);
      }
      ring.clear();
      expect([memory.ringBytes, ofRecord.free]).toEqual([0, free]);
      expect([...ofRecord.bytes.subarray(0, 8), ...ofRecord.bytes.subarray(-8)]).toEqual(Array(16).fill(0));
    }),
    { numRuns: 300 },
  );
});

test.each([
  { length: 0, want: 2048 },
  { length: 2048, want: 2048 },
  { length: 2049, want: 4096 },
  { length: 65535, want: 65536 },
  { length: 65536, want: 65536 },
  { length: 65537, want: 131072 },
])('the smallest buffer for $length bytes has $want', ({ length, want }) => {
  expect(powerOfTwo(length, 2048)).toBe(want);
});
