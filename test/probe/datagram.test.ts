/** Probes as they go out: every header byte, and the fragments of long ones. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildProbe, fragmentsOf } from '../../src/core/probe/datagram.js';
import type { Probe } from '../../src/core/probe/probe.js';
import { u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk } from '../support/packets.js';
import { ECHO } from '../support/probes.js';

const probe: Probe = { ...ECHO, size: 36 };
const MARK = { identifier: 0x1234, sequence: 0x0056 };
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');

test('an echo', () => {
  const b = buildProbe(probe, MARK, 7);
  expect(hex(b.subarray(0, 10))).toBe('4500002400070000ff01');
  expect(hex(b.subarray(12, 22))).toBe('0a0a0a010a0a0a020800');
  expect(hex(b.subarray(24))).toBe('12340056abcdabcdabcdabcd');
  expect(checksumsOk(b)).toBe(true);
});

test('an echo with type of service and DF', () => {
  const b = buildProbe({ ...probe, tos: 184, dontFragment: true }, MARK, 7);
  expect(hex(b.subarray(0, 8))).toBe('45b8002400074000');
  expect(checksumsOk(b)).toBe(true);
});

test('a UDP datagram without payload', () => {
  const b = buildProbe({ ...probe, kind: 'udp', size: 28, ttl: 1, port: 33434 }, { ...MARK, identifier: 50_000 }, 7);
  expect(hex(b.subarray(0, 10))).toBe('4500001c000700000111');
  expect(hex(b.subarray(20, 26))).toBe('c350829a0008');
  expect(checksumsOk(b)).toBe(true);
});

describe('fragments', () => {
  const whole = (size: number): Uint8Array => buildProbe({ ...probe, size }, MARK, 7);

  test('of a datagram put together are the datagram, and each fits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 36, max: 18_024 }), fc.integer({ min: 68, max: 1500 }), (size, mtu) => {
        const datagram = whole(size);
        const fragments = fragmentsOf(datagram, mtu);
        const payload = new Uint8Array(size - 20);
        let next = 0;
        fragments.forEach((f, i) => {
          expect(f.length).toBeLessThanOrEqual(mtu);
          expect([u16(f, 2), u16(f, 4)]).toEqual([f.length, 7]);
          const flags = u16(f, 6);
          expect((flags & 0x1fff) * 8).toBe(next);
          expect((flags & 0x2000) !== 0).toBe(i < fragments.length - 1);
          payload.set(f.subarray(20), next);
          next += f.length - 20;
        });
        expect(next).toBe(size - 20);
        expect(Buffer.compare(payload, datagram.subarray(20))).toBe(0);
      }),
    );
  });

  test('of one that may not be fragmented are none', () => {
    const datagram = buildProbe({ ...probe, size: 1501, dontFragment: true }, MARK, 7);
    expect(fragmentsOf(datagram, 1500)).toEqual([]);
    expect(fragmentsOf(datagram, 1501)).toEqual([datagram]);
  });
});
