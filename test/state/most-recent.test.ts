import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MostRecent } from '../../src/core/state/most-recent.js';
import { RouterState } from '../../src/core/state/router-state.js';
import { tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

test('what is kept is what a sort of all would have put first', () => {
  const ages = fc.uniqueArray(fc.integer({ min: 0, max: 1_000_000 }), { maxLength: 200 });
  fc.assert(
    fc.property(ages, fc.integer({ min: 1, max: 20 }), (all, most) => {
      const recent = new MostRecent(most);
      all.forEach((age, slot) => recent.offer(slot, age));
      const sorted = all.map((age, slot) => ({ age, slot })).sort((a, b) => a.age - b.age);
      expect(recent.slots()).toEqual(sorted.slice(0, most).map(({ slot }) => slot));
    }),
  );
});

test('of six hundred sessions the view has the five hundred that were heard of last, those first', () => {
  const router = new Router3640(
    'ip inspect max-incomplete high 5000\nip inspect one-minute high 5000\nip inspect tcp max-incomplete host 5000 block-time 0',
  );
  for (let i = 0; i < 600; i++) {
    router.now += 10;
    router.fromInside(tcpPacket({ src: '10.10.10.5', srcPort: 2000 + i, dst: '172.22.1.10', dstPort: 80, flags: 'S' }));
  }
  const recent = new RouterState(router.engine, () => router.now).recent();
  expect(recent.map((s) => s.initiatorPort)).toEqual(Array.from({ length: 500 }, (_, i) => 2599 - i));
  expect(recent[0]!.heardAgo).toBe(0);
});
