import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionStatistics } from '../../src/session/statistics.js';

test('the creation rate is the number of sessions of the last sixty seconds, as if all were listed', () => {
  const step = fc.record({ ms: fc.oneof(fc.nat(900), fc.nat(20_000), fc.nat(200_000)), create: fc.boolean() });
  fc.assert(
    fc.property(fc.nat(1e7), fc.array(step, { maxLength: 60 }), (start, steps) => {
      const statistics = new SessionStatistics();
      const seconds: number[] = [];
      let now = start;
      for (const { ms, create } of steps) {
        now += ms;
        const second = Math.floor(now / 1000);
        if (create) {
          statistics.noteCreated(now);
          seconds.push(second);
        }
        expect(statistics.creationRate(now)).toBe(seconds.filter((s) => s > second - 60).length);
      }
      statistics.clear(now);
      expect(statistics.creationRate(now)).toBe(0);
    }),
  );
});
