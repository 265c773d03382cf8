/** Dialogues whose segments come in order: what is held is in no memory that outlives a data plane. */
import fc from 'fast-check';
import { MAIL_SERVERS } from './mail-application.js';
import { MOVES, WAYS } from './moves.js';
import { RULES, World } from './world.js';

export const SETTINGS = fc.record({
  rule: fc.constantFrom(...RULES),
  server: fc.constantFrom(...MAIL_SERVERS.keys()),
  to: fc.constantFrom(...WAYS),
  stamps: fc.boolean(),
  intercept: fc.boolean(),
});
export type Setting = typeof SETTINGS extends fc.Arbitrary<infer T> ? T : never;

export const IN_ORDER = MOVES.sayAny.map((m) => ({ ...m, at: 0, fate: 'arrives' as const }));
const { turn, read, catchUp, acknowledge, retransmit, wait } = MOVES;
export const ORDERED_MOVES = fc.array(fc.oneof(IN_ORDER, turn, read, catchUp, acknowledge, retransmit, wait), {
  maxLength: 8,
});

/** A world in which nothing has been sent. @param more lines of configuration */
export function worldOf({ rule, server, intercept, stamps }: Setting, more = ''): World {
  const w = new World(rule, MAIL_SERVERS[server]!, false, intercept, more);
  if (stamps) w.timestamp = 1000;
  return w;
}
