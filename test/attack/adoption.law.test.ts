/**
 * A data plane that dies and is replaced is not noticed: all there is of a session is in memory that outlives it. (What
 * is held is lost with it. So segments come in order here; dialogue.law.test.ts has the rest.)
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RouterState } from '../../src/core/state/router-state.js';
import { MAIL_SERVERS } from './mail-application.js';
import { bring, make, type Move, MOVES, WAYS } from './moves.js';
import { RULES, World } from './world.js';

/** More of them by hand. */
const scale = Number(process.env.FW3640_ATTACK_SCALE ?? 1);

const inOrder = MOVES.sayAny.map((m) => ({ ...m, at: 0, fate: 'arrives' as const }));
const { turn, read, catchUp, acknowledge, retransmit, wait } = MOVES;

function play(diesAlways: boolean, setting: Setting, moves: readonly Move[]) {
  const w = new World(setting.rule, MAIL_SERVERS[setting.server]!, false, setting.intercept);
  w.diesAlways = diesAlways;
  if (setting.stamps) w.timestamp = 1000;
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

interface Setting {
  rule: (typeof RULES)[number];
  server: number;
  to: (typeof WAYS)[number];
  stamps: boolean;
  intercept: boolean;
}

test('where the data plane dies before each packet, all goes on as if it did not', () => {
  const setting = fc.record({
    rule: fc.constantFrom(...RULES),
    server: fc.constantFrom(...MAIL_SERVERS.keys()),
    to: fc.constantFrom(...WAYS),
    stamps: fc.boolean(),
    intercept: fc.boolean(),
  });
  const moves = fc.array(fc.oneof(inOrder, turn, read, catchUp, acknowledge, retransmit, wait), { maxLength: 8 });
  fc.assert(
    fc.property(setting, moves, (s, m) => {
      const dying = play(true, s, m);
      const { takenOver } = dying;
      expect(dying).toEqual({ ...play(false, s, m), takenOver });
      expect([takenOver.lost, takenOver.reset]).toEqual([0, 0]);
    }),
    { numRuns: 40 * scale },
  );
});
