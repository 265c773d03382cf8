/**
 * The promise as a law: whatever an attacker does, and whatever he has dropped behind us, no server executes a verb that
 * the rule does not pass. The themes are the ways that were found once; the last one is all of them together.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isForbidden, legalWords } from '../inspect/smtp/forbidden.js';
import { MAIL_SERVERS } from './mail-application.js';
import { bring, make, type Move, MOVES, type Way, WAYS } from './moves.js';
import { ALLOWED, type Rule, RULES, World } from './world.js';

const { say, sayChunks, sayAny, evil, turn, catchUp, read, reset, reopen } = MOVES;
const { die, forge, fragments, map, acknowledge, retransmit, wait } = MOVES;

interface Theme {
  name: string;
  moves: readonly fc.Arbitrary<Move>[];
  runs: number;
  rules?: readonly Rule[];
  to?: readonly Way[];
  multipath?: fc.Arbitrary<boolean>;
}

const THEMES: readonly Theme[] = [
  { name: 'fragments', moves: [fragments, fragments, say, catchUp], runs: 200 },
  { name: 'multipath TCP', moves: [map, map, say, catchUp], runs: 100, multipath: fc.boolean() },
  {
    name: 'four-tuples opened anew',
    moves: [reset, reset, reopen, reopen, evil, say],
    runs: 600,
    to: ['data', 'auth'],
  },
  {
    name: 'replies kept back',
    moves: [turn, turn, turn, turn, evil, read],
    runs: 1500,
    rules: ['esmtp'],
    to: ['ehlo', 'rcpt'],
  },
  { name: 'chunks', moves: [sayChunks, sayChunks, evil, catchUp], runs: 500, rules: ['esmtp allow BDAT,STARTTLS'] },
  { name: 'the wrong side', moves: [MOVES.await, forge, forge, evil, say], runs: 800, to: ['hello', 'ehlo', 'mail'] },
  {
    name: 'the data plane dies',
    moves: [die, die, die, sayAny, evil, turn, catchUp, read, reset, reopen, retransmit, acknowledge],
    runs: 800,
  },
  {
    name: 'all of it',
    moves: [
      sayAny,
      say,
      evil,
      turn,
      catchUp,
      read,
      reset,
      reopen,
      forge,
      fragments,
      map,
      acknowledge,
      retransmit,
      wait,
      die,
    ],
    runs: 1500,
    multipath: fc.boolean(),
  },
];

/** More of them by hand. */
const scale = Number(process.env.FW3640_ATTACK_SCALE ?? 1);

for (const { name, moves, runs, rules = RULES, to = WAYS, multipath = fc.constant(false) } of THEMES) {
  const setting = fc.record({
    rule: fc.constantFrom(...rules),
    server: fc.constantFrom(...MAIL_SERVERS.keys()),
    to: fc.constantFrom(...to),
    multipath,
    stamps: fc.boolean(),
    intercept: fc.boolean(),
  });
  test(`no server executes a forbidden verb: ${name}`, () => {
    const dialogue = fc.array(fc.oneof(...moves), { minLength: 1, maxLength: 10 });
    fc.assert(
      fc.property(setting, dialogue, ({ rule, server, to, multipath, stamps, intercept }, attack) => {
        const w = new World(rule, MAIL_SERVERS[server]!, multipath, intercept);
        if (stamps) w.timestamp = 1000;
        w.open(multipath ? [30, 4, 1, 1] : []);
        bring(w, to);
        for (const move of attack) make(w, move);
        const words = legalWords(rule === 'smtp' ? 'smtp' : 'esmtp', rule.includes('allow') ? ALLOWED : []);
        expect(w.host.executed.filter((line) => isForbidden(line, words))).toEqual([]);
      }),
      { numRuns: runs * scale },
    );
  });
}

test.each([false, true])(
  'the dialogues of these laws come as far as they are brought (intercepted: %s)',
  (intercept) => {
    for (const rule of RULES) {
      for (const habits of MAIL_SERVERS) {
        const w = new World(rule, habits, false, intercept);
        w.open();
        bring(w, 'data');
        expect([w.host.executed, w.host.connection?.application.mode]).toEqual([expect.anything(), 'data']);
      }
    }
  },
);
