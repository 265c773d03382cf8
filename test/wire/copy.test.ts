import fc from 'fast-check';
import { expect, test } from 'vitest';
import { copyBytes, sameBytes } from '../../src/core/wire/copy.js';

test('ranges of any length and place are copied and compared, and nothing beside them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(9), fc.nat(9), fc.nat(200), (content, fromAt, toAt, flip) => {
      const n = content.length;
      const from = new Uint8Array(fromAt + n + 5).fill(1);
      from.set(content, fromAt);
      const to = new Uint8Array(toAt + n + 5).fill(2);
      copyBytes(from, fromAt, to, toAt, n);
      expect([...to]).toEqual([...Array<number>(toAt).fill(2), ...content, 2, 2, 2, 2, 2]);
      expect(sameBytes(from, fromAt, to, toAt, n)).toBe(true);
      if (n > 0) {
        to[toAt + (flip % n)]! ^= 1;
        expect(sameBytes(from, fromAt, to, toAt, n)).toBe(false);
      }
    }),
  );
});
