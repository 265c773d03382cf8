import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SynCookies } from '../../src/core/session/syn-cookie.js';

const KEY = Int32Array.of(1, 2, 3, 4);
const SLOT_MS = 64_000;

const port = fc.nat(65535);
const tuple = fc.tuple(fc.integer(), port, fc.integer(), port, fc.integer());
/** Milliseconds: hours, so that the counter of slots goes round. */
const time = fc.nat(20_000_000);

describe('a SYN cookie', () => {
  const cookies = new SynCookies(KEY);

  test('tells the MSS, rounded down to a common one, for its own tuple and ISN in its slot and the next', () => {
    fc.assert(
      fc.property(tuple, fc.nat(9000), time, fc.nat(2 * SLOT_MS), (t, mss, at, later) => {
        const cookie = cookies.make(...t, mss, at);
        const good = Math.floor((at + later) / SLOT_MS) - Math.floor(at / SLOT_MS) < 2;
        const told = cookies.check(...t, cookie, at + later);
        if (!good) expect(told).toBe(0);
        else expect(told === 216 || (told <= mss && told > mss - 700) || (mss > 1460 && told === 1460)).toBe(true);
      }),
    );
  });

  test.each([
    [0, 216],
    [216, 216],
    [535, 216],
    [536, 536],
    [1199, 536],
    [1380, 1360],
    [1460, 1460],
    [8960, 1460],
  ])('MSS %d becomes %d', (mss, told) => {
    const t = [0x0a000001, 40000, 0x0a000002, 25, 12345] as const;
    expect(cookies.check(...t, cookies.make(...t, mss, 5000), 5000)).toBe(told);
  });

  test('fits no other tuple, no other ISN, no other key, and no longer after two slots', () => {
    let fitting = 0;
    const other = new SynCookies(Int32Array.of(1, 2, 3, 5));
    fc.assert(
      fc.property(tuple, tuple, time, fc.integer({ min: 2, max: 31 }), (t, u, at, slots) => {
        const cookie = cookies.make(...t, 1460, at);
        for (let i = 0; i < 5; i++) {
          const changed = t.map((x, j) => (j === i ? u[j]! : x)) as unknown as typeof t;
          if (changed[i] !== t[i] && cookies.check(...changed, cookie, at) !== 0) fitting++;
        }
        for (const by of [1, -1, 7, -7]) if (cookies.check(...t, cookie + by, at) !== 0) fitting++;
        if (other.check(...t, cookie, at) !== 0) fitting++;
        if (cookies.check(...t, cookie, at + slots * SLOT_MS) !== 0) fitting++;
      }),
      { numRuns: 2000 },
    );
    // 16 of 2^32 numbers fit a tuple: two slots, eight values of the MSS. They are nowhere near each other.
    expect(fitting).toBe(0);
  });
});
