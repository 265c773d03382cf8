/** What becomes of the sessions that another process has left: those go on that nothing is doubtful about. */
import { type RuleSet, SERVICES } from '../inspect/rules.js';
import { FLAG, SESSION_WORDS, type Session, SIS } from '../session/session.js';
import type { Names } from '../state/saved-names.js';
import type { TrackerContext } from './context.js';
import type { DataConnections } from './data-connections.js';
import type { Lifetimes } from './lifetimes.js';
import type { StreamTable } from './stream-table.js';

/** What has become of the sessions that another process had: go on, were reset, could not be read. */
export interface Adopted {
  adopted: number;
  reset: number;
  lost: number;
}

/** The parts of the tracker that take something over. */
export interface Heirs {
  readonly context: TrackerContext;
  readonly streams: StreamTable;
  readonly lifetimes: Lifetimes;
  readonly data: DataConnections;
}

/**
 * Takes over the sessions that another process has left in this memory, under the rules now in force. One that a packet
 * was changing as the process died goes on as it was before that packet. One whose stream cannot go on, or whose rule is
 * gone, is reset at both ends.
 */
export function adopt({ context, streams, lifetimes, data }: Heirs, pools: Names['pools'], now: number): Adopted {
  const { table, rules } = context;
  const undone = context.undo.bringBack();
  const { inHand } = table;
  const lost = table.adopt((s) => isSound(s, rules));
  const poolOf = new Map(pools.map((p) => [p.number, p]));
  const doomed: number[] = [];
  const halfOpen: number[] = [];
  const opening: number[] = [];
  const ended: number[] = [];
  const incomplete: number[] = [];
  let adopted = 0;
  table.forEach((s) => {
    const rule = rules.entries[s.rule]!;
    if (s.has(FLAG.halfOpen)) halfOpen.push(s.slot);
    if (s.has(FLAG.incomplete)) incomplete.push(s.slot);
    s.unset(FLAG.expendable | FLAG.ended);
    if (s.state === SIS.opening) opening.push(s.slot);
    else if (s.isClosed) {
      s.set(FLAG.ended);
      ended.push(s.slot);
    }
    data.adoptRelation(s);
    // Nobody inspects the bytes of others: what is doubtful of them is a number of a window.
    const isDoubtful = s.slot === inHand && !undone && s.has(FLAG.streamed | FLAG.intercepted);
    let sound = !isDoubtful && rule.inForce;
    if (s.has(FLAG.streamed) && !streams.adopt(s, rule, poolOf)) {
      s.unset(FLAG.streamed);
      sound = false;
    }
    lifetimes.adopt(s, now);
    if (sound) adopted++;
    else doomed.push(s.slot);
  });
  streams.adopted();
  const one = table.cursor();
  const at = (slot: number): Session => {
    one.at = slot * SESSION_WORDS;
    return one;
  };
  const oldestFirst = (slots: number[], since: 'created' | 'since'): number[] => {
    const ages = new Map(slots.map((slot) => [slot, (now - at(slot)[since]) | 0]));
    return slots.sort((a, b) => ages.get(b)! - ages.get(a)!);
  };
  for (const slot of oldestFirst(halfOpen, 'created')) lifetimes.adoptHalfOpen(at(slot));
  for (const slot of oldestFirst(incomplete, 'created')) lifetimes.intercept.incomplete.add(at(slot));
  for (const slot of oldestFirst(opening, 'created')) lifetimes.expendable.add(at(slot));
  for (const slot of oldestFirst(ended, 'since')) lifetimes.expendable.add(at(slot));
  data.adopt(now);
  for (const slot of doomed) lifetimes.reset(at(slot), 'adoption');
  return { adopted, reset: doomed.length, lost };
}

/** What a record that another process has left must have, so that nothing goes astray with it. */
function isSound(s: Session, rules: RuleSet): boolean {
  const known = s.service < SERVICES.length && s.rule < rules.entries.length;
  return known && s.state <= SIS.closing && s.timeoutMs > 0;
}
