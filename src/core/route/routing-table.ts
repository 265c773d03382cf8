/**
 * Where a packet goes, as far as filtering needs to know: to the router itself, out of which interface, or nowhere. The
 * kernel does the forwarding; this table tells which outgoing access list and inspection rule apply, and whether NAT
 * does: that is asked for each packet of an inside host with a translation of its own.
 */
import type { RoutePolicy as Route, RoutingPolicy } from '../policy.js';

/** The destination is the router: one of its addresses, a broadcast or a multicast. */
export const TO_ROUTER = -1;
/** Not asked for; of a source: behind the default route, or behind none. */
export const ELSEWHERE = -2;
/**
 * No way there: no route, Null0, or an interface of the configuration that no Linux interface is bound to. Whatever the
 * kernel's own routes say, nothing is forwarded.
 */
export const UNREACHABLE = -3;
/** As UNREACHABLE, and nobody is told: Null0 with `no ip unreachables`. */
export const DISCARDED = -4;

/** 255.255.255.255 */
const LIMITED_BROADCAST = -1;

/** As many routes are gone through as quickly as looked up. */
const FEW = 16;

export class RoutingTable {
  readonly #own: ReadonlySet<number>;
  /** Addresses of interfaces that Linux does not have: nothing is delivered there, and nobody else has them. */
  readonly #ownUnmapped: ReadonlySet<number>;
  /** The longest prefix first, of one prefix the one that counts first. */
  readonly #routes: readonly Route[];
  /** More than a few, by mask, the longest first: the nearest by prefix. */
  readonly #byMask: readonly { mask: number; best: Map<number, Route> }[];
  /** Second ways to a prefix, of equal or greater distance. */
  readonly #others: Route[] = [];

  constructor({ own, unmapped, routes }: RoutingPolicy) {
    this.#own = new Set([LIMITED_BROADCAST, ...own]);
    this.#ownUnmapped = new Set(unmapped);
    this.#routes = routes.items;
    const byMask = indexNetworks(this.#routes);
    this.#byMask = this.#routes.length > FEW ? byMask : [];
    const bests = new Map(byMask.map(({ mask, best }) => [mask, best]));
    for (const route of this.#routes)
      if (route.egress !== bests.get(route.mask)!.get(route.prefix)!.egress) this.#others.push(route);
  }

  /** Index of the interface towards `dst` (int32), TO_ROUTER, UNREACHABLE or DISCARDED. */
  lookup(dst: number): number {
    if (this.#own.has(dst) || dst >>> 28 === 14) return TO_ROUTER; // 224.0.0.0/4
    return this.#find(dst)?.egress ?? UNREACHABLE;
  }

  /**
   * Where a source belongs: as `lookup`, but for the default route, which says nothing about who is behind it
   * (ELSEWHERE).
   */
  lookupSource(src: number): number {
    if (this.#own.has(src) || this.#ownUnmapped.has(src) || src >>> 28 === 14) return TO_ROUTER;
    const route = this.#find(src);
    return route === undefined || route.mask === 0 ? ELSEWHERE : route.egress;
  }

  /**
   * True where interface `egress` leads to `address`: by its best route, or by another one to the same prefix, which
   * the kernel shares flows out to, or falls back on.
   */
  leadsTo(address: number, egress: number): boolean {
    const best = this.#find(address);
    if (best === undefined) return false;
    if (best.egress === egress) return true;
    return this.#others.some((r) => r.egress === egress && r.mask === best.mask && r.prefix === best.prefix);
  }

  #find(dst: number): Route | undefined {
    if (this.#routes.length > FEW) {
      for (const { mask, best } of this.#byMask) {
        const found = best.get(dst & mask);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    for (const r of this.#routes) if ((dst & r.mask) === r.prefix) return r;
    return undefined;
  }
}

/** By mask, the longest first: the first of each prefix. */
export function indexNetworks<T extends { prefix: number; mask: number }>(
  routes: readonly T[],
): { mask: number; best: Map<number, T> }[] {
  const byMask: { mask: number; best: Map<number, T> }[] = [];
  for (const r of routes) {
    let last = byMask.at(-1);
    if (last?.mask !== r.mask) byMask.push((last = { mask: r.mask, best: new Map() }));
    if (!last.best.has(r.prefix)) last.best.set(r.prefix, r);
  }
  return byMask;
}
