import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NumberSet } from '../../src/core/nat/number-set.js';

test('the lowest free number is that of a plain list, whatever was taken and given back', () => {
  const step = fc.record({ take: fc.boolean(), n: fc.nat() });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.array(step, { maxLength: 200 }), (size, steps) => {
      const set = new NumberSet(size);
      const plain = new Array<boolean>(size).fill(false);
      for (const { take, n } of steps) {
        if (size > 0) {
          plain[n % size] = take;
          if (take) set.take(n % size);
          else set.free(n % size);
        }
        expect(set.lowestFree()).toBe(plain.indexOf(false));
      }
    }),
  );
});
