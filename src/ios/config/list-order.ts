/** The order in which a router lists its access lists, whatever the order they were configured in. */
import type { AccessList } from './model.js';

export const isNumbered = (list: AccessList): boolean => /^\d+$/.test(list.name);

/**
 * Standard lists before extended ones; of each kind the numbered ones by their number, and then the named ones.
 * Inferred: names by the alphabet, capitals first.
 */
export function inListOrder(lists: Iterable<AccessList>): AccessList[] {
  const rank = (l: AccessList): number => (l.kind === 'standard' ? 0 : 2) + (isNumbered(l) ? 0 : 1);
  return [...lists].sort(
    (a, b) => rank(a) - rank(b) || (isNumbered(a) ? Number(a.name) - Number(b.name) : byName(a, b)),
  );
}

const byName = (a: AccessList, b: AccessList): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
