import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { put16, put32, u16 } from '../../src/core/wire/bytes.js';
import {
  addWords,
  adjustChecksum,
  adjustChecksum32,
  adjustPartial32,
  completePartial,
  fold,
  pseudoHeaderSum,
} from '../../src/core/wire/checksum.js';

/** RFC 1071 by the book: add, fold after every step, complement. */
function slowChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum = (sum & 0xffff) + 1;
  }
  return ~sum & 0xffff;
}

/** 0 and 0xffff are the same number in one's complement. */
const same = (a: number, b: number): boolean => a % 0xffff === b % 0xffff;

const word = fc.integer({ min: 0, max: 0xffff });
const address = fc.integer({ min: -0x80000000, max: 0x7fffffff });
const bytes = fc.uint8Array({ minLength: 0, maxLength: 100 });

describe('Internet checksum', () => {
  test('a sum of any bytes is that of RFC 1071', () => {
    fc.assert(fc.property(bytes, (b) => same(~fold(addWords(b, 0, b.length, 0)) & 0xffff, slowChecksum(b))));
  });

  test('64 KB of ones do not overflow', () => {
    const b = new Uint8Array(65535).fill(255);
    expect(fold(addWords(b, 0, b.length, 0xffff))).toBe(slowOf(b));
  });

  test('an increment for a changed word gives what a full sum gives', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 60 }), fc.nat({ max: 3 }), word, (b, index, value) => {
        const before = slowChecksum(b);
        const old = u16(b, index * 2);
        put16(b, index * 2, value);
        expect(same(adjustChecksum(before, old, value), slowChecksum(b))).toBe(true);
      }),
    );
  });

  test('an address there and back restores the checksum', () => {
    fc.assert(
      fc.property(word, address, address, (sum, a, b) =>
        same(adjustChecksum32(adjustChecksum32(sum, a, b), b, a), sum),
      ),
    );
  });

  test('a partial checksum follows a changed address as the pseudo header does', () => {
    fc.assert(
      fc.property(address, address, address, fc.nat({ max: 65535 }), (src, dst, other, length) =>
        same(adjustPartial32(pseudoHeaderSum(src, dst, 6, length), src, other), pseudoHeaderSum(other, dst, 6, length)),
      ),
    );
  });

  test('a completed UDP checksum of zero is sent as 0xffff', () => {
    const b = new Uint8Array(12);
    put16(b, 6, 0xfffe); // with the word below, the sum is 0xffff
    put32(b, 8, 1);
    completePartial(b, 0, 12, 6);
    expect(u16(b, 6)).toBe(0xffff);
  });
});

const slowOf = (b: Uint8Array): number => {
  let sum = 0xffff;
  for (let i = 0; i < b.length; i += 2) sum += (b[i]! << 8) | (b[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return sum;
};
