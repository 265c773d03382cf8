/**
 * A policy in pieces, as the data plane tells it to a control plane that takes over: between two of them packets go by.
 * Revisions are told too, so that the next policy can be compiled as a change of this one.
 */
import type { AclEntry } from './acl/entry.js';
import type { LongList, Policy, RoutePolicy, StaticBinding } from './policy.js';

/** Items of a piece: a fraction of a millisecond. */
const ITEMS_A_PIECE = 256;

export type PolicyPiece =
  /** All but the items of its long lists. It comes first. */
  | { of: 'policy'; policy: Policy }
  | { of: 'access-list'; name: string; items: readonly AclEntry[] }
  | { of: 'bindings'; items: readonly StaticBinding[] }
  | { of: 'routes'; items: readonly RoutePolicy[] };

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

function listOf(policy: Policy, piece: Exclude<PolicyPiece, { of: 'policy' }>): unknown[] | undefined {
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

function* parts<T>(items: readonly T[]): Generator<readonly T[], void> {
  for (let i = 0; i < items.length; i += ITEMS_A_PIECE) yield items.slice(i, i + ITEMS_A_PIECE);
}
