/**
 * What has changed from one policy to the next, as it is sent to the data plane: of a list of ten thousand entries only
 * those that are new. Lists that are the same keep their items at the other end, so that it, too, sees at once what it
 * need not do again.
 */
import type { AclEntry } from './acl/entry.js';
import type { LongList, Policy, RoutePolicy, StaticBinding } from './policy.js';

/** `items` take the place of those between the first `head` and the last `tail` of the list of revision `base`. */
export interface ListChange<T> {
  base: number;
  revision: number;
  head: number;
  tail: number;
  items: readonly T[];
}

/** A policy, with changes in the place of its long lists. */
export type PolicyChanges = Omit<Policy, 'accessLists' | 'nat' | 'routing'> & {
  accessLists: Map<string, ListChange<AclEntry>>;
  nat: Omit<Policy['nat'], 'bindings'> & { bindings: ListChange<StaticBinding> };
  routing: Omit<Policy['routing'], 'routes'> & { routes: ListChange<RoutePolicy> };
};

/** Revision of a list that is not there yet: no list has it. */
const NONE = -1;

/**
 * @param before what the other end has; undefined: nothing
 * @param after  compiled from the configuration after it, so that it shares the items that are the same
 */
export function changesOf(before: Policy | undefined, after: Policy): PolicyChanges {
  return {
    ...after,
    accessLists: new Map([...after.accessLists].map(([k, list]) => [k, listChange(before?.accessLists.get(k), list)])),
    nat: { ...after.nat, bindings: listChange(before?.nat.bindings, after.nat.bindings) },
    routing: { ...after.routing, routes: listChange(before?.routing.routes, after.routing.routes) },
  };
}

/**
 * The policy that `changes` lead to.
 * @throws RangeError if they are not about `before`: a message was lost
 */
export function applyChanges(before: Policy | undefined, changes: PolicyChanges): Policy {
  const { routing } = changes;
  const routes = changeList(before?.routing.routes, routing.routes);
  // The very same object where nothing has changed: then the table stays.
  const sameRouting =
    before !== undefined &&
    routes === before.routing.routes &&
    sameNumbers(before.routing.own, routing.own) &&
    sameNumbers(before.routing.unmapped, routing.unmapped);
  return {
    ...changes,
    accessLists: new Map([...changes.accessLists].map(([k, c]) => [k, changeList(before?.accessLists.get(k), c)])),
    nat: { ...changes.nat, bindings: changeList(before?.nat.bindings, changes.nat.bindings) },
    routing: sameRouting ? before.routing : { ...routing, routes },
  };
}

function listChange<T>(before: LongList<T> | undefined, after: LongList<T>): ListChange<T> {
  const { revision, items } = after;
  if (before === undefined) return { base: NONE, revision, head: 0, tail: 0, items };
  const { head, tail } = commonEnds(before.items, items, Object.is);
  return { base: before.revision, revision, head, tail, items: items.slice(head, items.length - tail) };
}

function changeList<T>(before: LongList<T> | undefined, change: ListChange<T>): LongList<T> {
  const { base, revision, head, tail, items } = change;
  if (base !== (before?.revision ?? NONE)) throw new RangeError(`changes of revision ${base} do not fit`);
  if (before === undefined) return { revision, items };
  if (revision === base) return before;
  return { revision, items: between(before.items, head, tail, items) };
}

/** How many items two lists have in common at their beginning, and behind that at their end. */
export function commonEnds<A, B>(
  a: readonly A[],
  b: readonly B[],
  same: (x: A, y: B) => boolean,
): { head: number; tail: number } {
  const most = Math.min(a.length, b.length);
  let head = 0;
  while (head < most && same(a[head]!, b[head]!)) head++;
  let tail = 0;
  while (tail < most - head && same(a[a.length - 1 - tail]!, b[b.length - 1 - tail]!)) tail++;
  return { head, tail };
}

/** `items` in the place of those between the first `head` and the last `tail` of `list`. */
export const between = <T>(list: readonly T[], head: number, tail: number, items: readonly T[]): T[] => [
  ...list.slice(0, head),
  ...items,
  ...list.slice(list.length - tail),
];

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);
