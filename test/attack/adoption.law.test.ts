/**
 * A data plane that dies and is replaced is not noticed: all there is of a session is in memory that outlives it. (What
 * is held is lost with it. So segments come in order here; dialogue.law.test.ts has the rest.)
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RouterState } from '../../src/core/state/router-state.js';
import { MAIL_SERVERS } from './mail-application.js';
import { bring, make, type Move, MOVES } from './moves.js';
import { IN_ORDER, ORDERED_MOVES, type Setting, SETTINGS, worldOf } from './ordered.js';
import { World } from './world.js';

/** More of them by hand. */
const scale = Number(process.env.FW3640_ATTACK_SCALE ?? 1);

const { turn, read, catchUp } = MOVES;

function play(diesAlways: boolean, setting: Setting, moves: readonly Move[]) {
  const w = worldOf(setting, 'ip inspect transcript 5');
  w.diesAlways = diesAlways;
  w.open();
  bring(w, setting.to);
  for (const move of moves) make(w, move);
  const state = new RouterState(w.engine, () => w.now);
  return {
    executed: w.host.executed,
    text: w.text,
    events: w.events.filter((e) => e.type !== 'taken-over'),
    sessions: state.sessions(),
    inspection: state.inspection(),
    counters: state.counters().filter((r) => r.family !== 'taken-over'),
    translations: state.translations().filter((t) => !t.static),
    takenOver: w.engine.takenOver,
  };
}

test('where the data plane dies before each packet, all goes on as if it did not', () => {
  fc.assert(
    fc.property(SETTINGS, ORDERED_MOVES, (s, m) => {
      const dying = play(true, s, m);
      const { takenOver } = dying;
      expect(dying).toEqual({ ...play(false, s, m), takenOver });
      expect([takenOver.lost, takenOver.reset]).toEqual([0, 0]);
    }),
    { numRuns: 40 * scale },
  );
});

test('state with flipped bits or wiped parts is taken over as far as it can be, and nothing fails then', () => {
  const harm = fc.record({
    table: fc.constantFrom('sessions', 'streams', 'translations', 'expected', 'names', 'counts', 'arena 0'),
    at: fc.nat(1 << 12),
    bits: fc.constantFrom(1, 2, 0x80, 0xff, 0x100),
  });
  const moves = fc.array(fc.oneof(IN_ORDER, turn, read, catchUp), { maxLength: 4 });
  fc.assert(
    fc.property(SETTINGS, moves, fc.array(harm, { minLength: 1, maxLength: 12 }), moves, (s, before, harms, after) => {
      const w = new World(s.rule, MAIL_SERVERS[s.server]!, false, s.intercept);
      w.open();
      bring(w, s.to);
      for (const move of before) make(w, move);
      for (const { table, at, bits } of harms) {
        const buffer = w.memories.get(table);
        if (buffer === undefined) continue;
        const bytes = new Uint8Array(buffer);
        // The records that there are lie at the beginning.
        if (bits === 0x100) bytes.fill(0, at % 4096, (at % 4096) + 512);
        else bytes[at % 1024]! ^= bits;
      }
      w.die();
      for (const move of after) make(w, move);
      w.wait(100_000);
      new RouterState(w.engine, () => w.now).sessions();
    }),
    { numRuns: 60 * scale },
  );
});
