/**
 * Connected and static routes as they are in force: which interface each leads out of and who is the next hop there.
 * A next hop that is on no connected network is looked up like a packet for it (recursive static routes). Pure: used
 * by the compiler, by `trace` and `show ip route`, and by the plan for the host, so that they cannot differ.
 */
import { indexNetworks } from '../../core/route/routing-table.js';
import type { RouterConfig, StaticRoute } from '../config/model.js';

/** Where a route leads. */
export type Out =
  | {
      kind: 'interface';
      name: string;
      /** Who is asked for by ARP there; undefined: the destination itself. */ gateway: number | undefined;
    }
  /** An interface of the configuration that is bound to none of Linux, or one that it does not have. */
  | { kind: 'unmapped'; name: string }
  | { kind: 'null' };

export interface ResolvedRoute {
  /** Int32, host bits clear. */
  prefix: number;
  mask: number;
  /** Administrative distance; 0: connected. */
  distance: number;
  out: Out;
  /** The line that says so; undefined: a connected network. */
  route: StaticRoute | undefined;
}

/** Distance of what is never installed (IOS: unknown). */
const NEVER = 255;
/** Next hops of next hops that are followed. IOS gives no number; a longer chain is a mistake. */
const MOST_HOPS = 16;

/** Kinds of interface that no Linux interface is bound to unless `--interface` says so. */
const VIRTUAL = /^(?:Loopback|Null|Tunnel|CTunnel|Virtual-|NVI|VoIP-Null)/;

/** @param mapped names of the interfaces that are bound to one of Linux; undefined: all that can be */
export const isMapped = (name: string, mapped: ReadonlySet<string> | undefined): boolean =>
  mapped === undefined ? !VIRTUAL.test(name) : mapped.has(name);

/**
 * All routes that are in force, the longest prefix first, of one prefix the one that counts first: what leads out goes
 * before what leads nowhere for want of a Linux interface, as a backup route does on IOS while an interface is down;
 * then the least distance; then file order.
 */
export function resolveRoutes(config: RouterConfig, mapped?: ReadonlySet<string>): ResolvedRoute[] {
  const connected: ResolvedRoute[] = [];
  for (const { name, shutdown, addresses } of config.interfaces) {
    if (shutdown) continue;
    const out = (): Out =>
      isMapped(name, mapped) ? { kind: 'interface', name, gateway: undefined } : { kind: 'unmapped', name };
    for (const { address, mask } of addresses)
      connected.push({ prefix: address & mask, mask, distance: 0, out: out(), route: undefined });
  }
  const resolver = new Resolver(config, connected, mapped);
  const statics = config.routes.flatMap((route): ResolvedRoute[] => {
    const out = route.distance >= NEVER ? undefined : resolver.out(route);
    const { prefix, mask, distance } = route;
    return out === undefined ? [] : [{ prefix: prefix & mask, mask, distance, out, route }];
  });
  const nowhere = (r: ResolvedRoute): number => (r.out.kind === 'unmapped' ? 1 : 0);
  return [...connected, ...statics].sort(
    (a, b) => (b.mask >>> 0) - (a.mask >>> 0) || nowhere(a) - nowhere(b) || a.distance - b.distance,
  );
}

class Resolver {
  readonly #up: ReadonlyMap<string, boolean>;
  /** What is known of routes; undefined: not installed, or being worked out, so that a circle leads nowhere. */
  readonly #outs = new Map<StaticRoute, Out | undefined>();
  /** Static routes between the one that was worked out last, or a known one, and the interface. */
  #hops = 0;
  readonly #length = new Map<StaticRoute, number>();
  /** The chain in hand has more next hops than are followed. */
  #cut = false;
  /** Static routes for the lookup of a next hop, made when one is not on a connected network. */
  #statics: { mask: number; best: Map<number, StaticRoute> }[] | undefined;

  constructor(
    private readonly config: RouterConfig,
    private readonly connected: readonly ResolvedRoute[],
    private readonly mapped: ReadonlySet<string> | undefined,
  ) {
    this.#up = new Map(config.interfaces.map((i) => [i.name, !i.shutdown]));
  }

  /** Where a route leads; undefined where it is not installed: its interface is shut down, its next hop is unknown. */
  out(route: StaticRoute, depth = 0): Out | undefined {
    if (this.#outs.has(route)) {
      this.#hops = this.#length.get(route) ?? 0;
      return this.#outs.get(route);
    }
    if (depth > MOST_HOPS) {
      this.#cut = true;
      return undefined;
    }
    if (depth === 0) this.#cut = false;
    this.#outs.set(route, undefined);
    this.#hops = 0;
    const out = this.#workOut(route, depth);
    if (out !== undefined) this.#length.set(route, this.#hops);
    // Of a chain that was too long only its beginning is known to lead nowhere: from there on it may be short enough.
    if (this.#cut && depth > 0) this.#outs.delete(route);
    else this.#outs.set(route, out);
    return out;
  }

  #workOut(route: StaticRoute, depth: number): Out | undefined {
    const { interfaceName: name, nextHop } = route;
    if (name !== undefined) {
      if (/^Null/.test(name)) return { kind: 'null' };
      if (this.#up.get(name) === false) return undefined;
      if (!this.#up.has(name) || !isMapped(name, this.mapped)) return { kind: 'unmapped', name };
      return { kind: 'interface', name, gateway: nextHop };
    }
    if (nextHop === undefined) return undefined;
    const out = this.#towards(nextHop, route, depth);
    // On a link, and behind an interface without a next hop of its own, the next hop itself is asked for.
    return out?.kind === 'interface' ? { ...out, gateway: out.gateway ?? nextHop } : out;
  }

  /** The way to a next hop, by the longest prefix. Inferred: the default route will do where there is no other. */
  #towards(hop: number, but: StaticRoute, depth: number): Out | undefined {
    let link: ResolvedRoute | undefined;
    for (const c of this.connected)
      if ((hop & c.mask) === c.prefix && (link === undefined || c.mask >>> 0 > link.mask >>> 0)) link = c;
    this.#statics ??= indexNetworks(
      [...this.config.routes].sort((a, b) => (b.mask >>> 0) - (a.mask >>> 0) || a.distance - b.distance),
    );
    for (const { mask, best } of this.#statics) {
      if (link !== undefined && link.mask >>> 0 >= mask >>> 0) break;
      const found = best.get(hop & mask);
      // No route leads to its own next hop.
      if (found === undefined || (found.prefix === but.prefix && found.mask === but.mask)) continue;
      const out = this.out(found, depth + 1);
      if (out !== undefined && ++this.#hops > MOST_HOPS) return undefined; // wherever in the file they stand
      if (out !== undefined) return out;
    }
    this.#hops = 0;
    return link?.out;
  }
}
