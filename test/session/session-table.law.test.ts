import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FlatMemory } from '../../src/core/memory/flat-memory.js';
import { SessionTable } from '../../src/core/session/session-table.js';

interface Key {
  a: number;
  aPort: number;
  b: number;
  bPort: number;
  protocol: number;
}
// Few values, so that flows collide and return.
const key: fc.Arbitrary<Key> = fc.record({
  a: fc.constantFrom(1, -2, 0x0a0a0a02),
  aPort: fc.constantFrom(0, 25, 65535),
  b: fc.constantFrom(1, 3, -1),
  bPort: fc.constantFrom(0, 25, 4000),
  protocol: fc.constantFrom(6, 17, 1),
});
const step = fc.record({ op: fc.constantFrom('find', 'open', 'close'), key, reversed: fc.boolean() });

const same = (x: Key, y: Key): boolean =>
  x.a === y.a && x.aPort === y.aPort && x.b === y.b && x.bPort === y.bPort && x.protocol === y.protocol;
const reverse = (k: Key): Key => ({ a: k.b, aPort: k.bPort, b: k.a, bPort: k.aPort, protocol: k.protocol });

test('the table finds in both directions just what a list searched from end to end holds', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, seed) => {
      const table = new SessionTable(8, seed);
      let list: Key[] = [];
      for (const { op, key, reversed } of steps) {
        const k = reversed ? reverse(key) : key;
        const found = table.find(k.a, k.aPort, k.b, k.bPort, k.protocol);
        const forward = list.find((x) => same(x, k));
        const backward = list.find((x) => same(x, reverse(k)));
        expect(found).toBe(forward !== undefined || backward !== undefined);
        if (found) expect(table.fromInitiator).toBe(forward !== undefined);
        if (op === 'open' && !found) {
          const created = table.create(k.a, k.aPort, k.b, k.bPort, k.protocol, 0, 0);
          expect(created).toBe(list.length < 8);
          if (created) list.push(k);
        }
        if (op === 'close' && found) {
          table.remove(table.session);
          list = list.filter((x) => x !== (forward ?? backward));
        }
        expect(table.size).toBe(list.length);
      }
    }),
    { numRuns: 500 },
  );
});

test('a session ends when a list of deadlines says so, to the tick, however its timeout was restarted', () => {
  const action = fc.oneof(
    fc.record({ do: fc.constant('open' as const), id: fc.nat(9), ms: fc.integer({ min: 1, max: 8_000_000 }) }),
    fc.record({ do: fc.constant('heard' as const), id: fc.nat(9), ms: fc.constant(0) }),
    fc.record({ do: fc.constant('restart' as const), id: fc.nat(9), ms: fc.integer({ min: 1, max: 60_000 }) }),
    fc.record({ do: fc.constant('wait' as const), id: fc.nat(9), ms: fc.integer({ min: 1, max: 2_000_000 }) }),
    // A capture whose clock jumps, by up to 58 days: int32 milliseconds go round after 25 and 50.
    fc.record({ do: fc.constant('wait' as const), id: fc.nat(9), ms: fc.integer({ min: 1, max: 5_000_000_000 }) }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      let now = 0;
      const table = new SessionTable(16, 1);
      const wheel = table.timers(now);
      const deadlines = new Map<number, { since: number; ms: number }>();
      const find = (id: number): boolean => table.find(id, 1, 0, 2, 17);
      for (const a of actions) {
        const twin = deadlines.get(a.id);
        if (a.do === 'open' && twin === undefined) {
          table.create(a.id, 1, 0, 2, 17, 0, now);
          table.session.timeoutMs = a.ms;
          wheel.schedule(table.session, now);
          deadlines.set(a.id, { since: now, ms: a.ms });
        } else if (a.do === 'heard' && twin !== undefined) {
          find(a.id);
          table.session.since = now;
          twin.since = now;
        } else if (a.do === 'restart' && twin !== undefined) {
          find(a.id);
          wheel.restart(table.session, a.ms, now);
          deadlines.set(a.id, { since: now, ms: a.ms });
        } else if (a.do === 'wait') {
          now += a.ms;
          wheel.expire(now, 1000, (s) => table.remove(s));
          for (const [id, d] of deadlines) {
            const over = now - (d.since + d.ms);
            const alive = find(id);
            if (over < 0) expect(alive, `session ${id} ended ${-over} ms early`).toBe(true);
            if (over >= 250) expect(alive, `session ${id} outlives its time by ${over} ms`).toBe(false);
            if (!alive) deadlines.delete(id);
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});

test('a jump of a year costs no more than looking at each slot once for each day of it', () => {
  const table = new SessionTable(16, 1);
  const wheel = table.timers(0);
  const year = 31_536_000_000;
  const began = performance.now();
  for (let n = 1; n <= 5; n++) wheel.expire(n * year, 1000, () => undefined);
  expect(performance.now() - began).toBeLessThan(2500); // five times 250 million ticks took ten seconds and more
});

test('a clock that goes back ends nothing early, and keeps nothing longer than it would take again', () => {
  const table = new SessionTable(16, 1);
  const wheel = table.timers(0);
  wheel.expire(7_200_000, 10, () => undefined);
  table.create(1, 1, 0, 2, 17, 0, 7_200_000);
  table.session.timeoutMs = 30_000;
  wheel.schedule(table.session, 7_200_000);
  for (let now = 0; now < 7_230_000; now += 60_000) wheel.expire(now, 10, (s) => table.remove(s));
  expect(table.size).toBe(1);
  wheel.expire(7_230_125, 10, (s) => table.remove(s));
  expect(table.size).toBe(0);
});

test('after a standstill a timeout longer than the wheel is round holds nobody else up', () => {
  const table = new SessionTable(16, 1);
  const wheel = table.timers(0);
  const open = (id: number, now: number, timeoutMs: number): void => {
    table.create(id, 1, 0, 2, 17, 0, now);
    table.session.timeoutMs = timeoutMs;
    wheel.schedule(table.session, now);
  };
  const round = 32768 * 125;
  open(1, 0, 2 * round - 125); // a round ahead at most: there it is met, and its time is just a round away
  wheel.expire(round - 1000, 10, (s) => table.remove(s));
  open(2, round - 1000, 2500);
  wheel.expire(round + 4000, 10, (s) => table.remove(s));
  expect([table.find(1, 1, 0, 2, 17), table.find(2, 1, 0, 2, 17)]).toEqual([true, false]);
  wheel.expire(2 * round - 250, 10, (s) => table.remove(s));
  expect(table.size).toBe(1);
  wheel.expire(2 * round, 10, (s) => table.remove(s));
  expect(table.size).toBe(0);
});

test('a call ends no more sessions than its budget, and the next ones go on', () => {
  const table = new SessionTable(100, 1);
  const wheel = table.timers(0);
  for (let i = 0; i < 100; i++) {
    table.create(i, 1, 0, 2, 17, 0, 0);
    table.session.timeoutMs = 1000;
    wheel.schedule(table.session, 0);
  }
  wheel.expire(5000, 30, (s) => table.remove(s));
  expect(table.size).toBe(70);
  for (let i = 0; i < 3; i++) wheel.expire(5000, 30, (s) => table.remove(s));
  expect(table.size).toBe(0);
});

test('a table that is taken over still says which session was in hand, for whoever comes if that one dies, too', () => {
  const memory = new FlatMemory(1 << 20);
  const source = () => memory;
  const table = new SessionTable(16, 1, source);
  table.create(1, 2, 3, 4, 6, 0, 0);
  table.create(5, 6, 7, 8, 6, 0, 0);
  const second = new SessionTable(16, 2, source);
  expect(second.adopt(() => true)).toBe(0);
  expect([second.size, second.inHand]).toEqual([2, 1]);
  expect(second.find(7, 8, 5, 6, 6)).toBe(true);
});
