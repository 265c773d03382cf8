/**
 * A policy, and changes of one, in pieces: between two of them packets go by. The data plane tells its policy to a
 * control plane that takes over; with the revisions, so that the next one can be compiled as a change of this. The
 * control plane sends what is new in long lists ahead of the changes that it belongs to.
 */
import type { AclEntry } from './acl/entry.js';
import type { ListChange, PolicyChanges } from './policy-changes.js';
import type { LongList, Policy, RoutePolicy, StaticBinding } from './policy.js';

/** Items of a piece: a fraction of a millisecond. */
const ITEMS_A_PIECE = 256;

/** Some items of a long list. */
export type ItemsPiece =
  | { of: 'access-list'; name: string; items: readonly AclEntry[] }
  | { of: 'bindings'; items: readonly StaticBinding[] }
  | { of: 'routes'; items: readonly RoutePolicy[] };

export type PolicyPiece =
  /** All but the items of its long lists. It comes first. */
  { of: 'policy'; policy: Policy } | ItemsPiece;

export function* policyPieces(policy: Policy): Generator<PolicyPiece, void> {
  yield { of: 'policy', policy: withoutItems(policy) };
  for (const [name, { items }] of policy.accessLists)
    for (const some of parts(items)) yield { of: 'access-list', name, items: some };
  for (const items of parts(policy.nat.bindings.items)) yield { of: 'bindings', items };
  for (const items of parts(policy.routing.routes.items)) yield { of: 'routes', items };
}

/** Puts a policy together. */
export class CollectedPolicy {
  /** Undefined until its first piece has come. */
  policy: Policy | undefined;

  /** Takes a piece; they come in order. */
  add(piece: PolicyPiece): void {
    if (piece.of === 'policy') this.policy = withoutItems(piece.policy);
    else if (this.policy !== undefined) listOf(this.policy, piece)?.push(...piece.items);
  }
}

/**
 * Changes without the items of lists that have many new ones, and those items: they are to arrive first.
 * @param most items that a piece may have, and that stay with the changes
 */
export function changesInPieces(
  changes: PolicyChanges,
  most = ITEMS_A_PIECE,
): { pieces: readonly ItemsPiece[]; rest: PolicyChanges } {
  const pieces: ItemsPiece[] = [];
  const cut = <T>(change: ListChange<T>, piece: (items: readonly T[]) => ItemsPiece): ListChange<T> => {
    if (change.items.length <= most) return change;
    for (const items of parts(change.items, most)) pieces.push(piece(items));
    return { ...change, items: [] };
  };
  const { accessLists, nat, routing } = changes;
  const rest = {
    ...changes,
    accessLists: new Map(
      [...accessLists].map(([name, change]) => [name, cut(change, (items) => ({ of: 'access-list', name, items }))]),
    ),
    nat: { ...nat, bindings: cut(nat.bindings, (items) => ({ of: 'bindings', items })) },
    routing: { ...routing, routes: cut(routing.routes, (items) => ({ of: 'routes', items })) },
  };
  return { pieces, rest };
}

/** Puts changes together. */
export class CollectedChanges {
  #accessLists = new Map<string, AclEntry[]>();
  #bindings: StaticBinding[] = [];
  #routes: RoutePolicy[] = [];

  /** Takes items; those of a list come in order. */
  add(piece: ItemsPiece): void {
    if (piece.of === 'bindings') this.#bindings.push(...piece.items);
    else if (piece.of === 'routes') this.#routes.push(...piece.items);
    else {
      const items = this.#accessLists.get(piece.name) ?? [];
      this.#accessLists.set(piece.name, items);
      items.push(...piece.items);
    }
  }

  /** The changes with what came ahead of them, which is forgotten. */
  complete(rest: PolicyChanges): PolicyChanges {
    const whole = <T>(change: ListChange<T>, items: readonly T[] = []): ListChange<T> =>
      items.length === 0 ? change : { ...change, items };
    const changes = {
      ...rest,
      accessLists: new Map(
        [...rest.accessLists].map(([name, change]) => [name, whole(change, this.#accessLists.get(name))]),
      ),
      nat: { ...rest.nat, bindings: whole(rest.nat.bindings, this.#bindings) },
      routing: { ...rest.routing, routes: whole(rest.routing.routes, this.#routes) },
    };
    this.forget();
    return changes;
  }

  /** Forgets what has come: nobody will send the rest. */
  forget(): void {
    this.#accessLists = new Map();
    this.#bindings = [];
    this.#routes = [];
  }
}

function listOf(policy: Policy, piece: ItemsPiece): unknown[] | undefined {
  const list =
    piece.of === 'access-list'
      ? policy.accessLists.get(piece.name)
      : piece.of === 'bindings'
        ? policy.nat.bindings
        : policy.routing.routes;
  return list?.items as unknown[] | undefined;
}

const empty = <T>({ revision }: LongList<T>): LongList<T> => ({ revision, items: [] });

const withoutItems = (policy: Policy): Policy => ({
  ...policy,
  accessLists: new Map([...policy.accessLists].map(([name, list]) => [name, empty(list)])),
  nat: { ...policy.nat, bindings: empty(policy.nat.bindings) },
  routing: { ...policy.routing, routes: empty(policy.routing.routes) },
});

function* parts<T>(items: readonly T[], most = ITEMS_A_PIECE): Generator<readonly T[], void> {
  for (let i = 0; i < items.length; i += most) yield items.slice(i, i + most);
}
