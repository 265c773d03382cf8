import fc from 'fast-check';
import { expect, test } from 'vitest';
import { indexed } from '../../../src/ios/config/indexed-list.js';

interface Item {
  a: number;
  b: number;
}

const item = fc.record({ a: fc.nat(3), b: fc.nat(3) });
const step = fc.oneof(
  fc.record({ do: fc.constant('insert' as const), item, at: fc.nat(20) }),
  fc.record({ do: fc.constant('remove' as const), at: fc.nat(20) }),
  fc.record({ do: fc.constant('replace' as const), item, at: fc.nat(20) }),
  fc.record({ do: fc.constant('from elsewhere' as const), item }),
);

test('after any changes, what a walk along the list finds is found by its keys, and nothing else', () => {
  const byEither = indexed((i: Item) => [`a${i.a}`, `b${i.b}`]);
  const alike = (i: Item, like: Item): boolean => i.a === like.a || i.b === like.b;
  fc.assert(
    fc.property(fc.array(item, { maxLength: 6 }), fc.array(step, { maxLength: 12 }), item, (start, steps, wanted) => {
      const list = [...start];
      const twin = [...start];
      for (const s of steps) {
        if (s.do === 'from elsewhere') {
          list.push(s.item);
          twin.push(s.item);
          continue;
        }
        const at = s.at % (list.length + 1);
        const there = list[at];
        if (s.do === 'insert') {
          byEither(list).insert(s.item, at);
          twin.splice(at, 0, s.item);
        } else if (there !== undefined && s.do === 'remove') {
          byEither(list).remove(there);
          twin.splice(at, 1);
        } else if (there !== undefined && s.do === 'replace') {
          byEither(list).replace(there, s.item);
          twin[at] = s.item;
        }
      }
      expect(list).toEqual(twin);
      expect(byEither(list).find(wanted, alike) !== undefined).toBe(twin.some((i) => alike(i, wanted)));
      const same = (i: Item): boolean => i.a === wanted.a && i.b === wanted.b;
      expect(byEither(list).find(wanted, same)).toEqual(twin.find(same));
    }),
  );
});
