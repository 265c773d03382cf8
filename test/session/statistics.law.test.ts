import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SessionStatistics } from '../../src/core/session/statistics.js';

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

test('after a clock that went back the rate forgets again within a minute', () => {
  const statistics = new SessionStatistics();
  for (let n = 0; n < 10; n++) statistics.noteCreated(3_600_000 + n);
  for (let n = 0; n < 5; n++) statistics.noteCreated(1000 + n);
  expect(statistics.creationRate(1000)).toBeLessThanOrEqual(15);
  expect(statistics.creationRate(61_000)).toBe(0);
  statistics.noteCreated(31_536_000_000);
  expect(statistics.creationRate(31_536_000_000)).toBe(1);
});
