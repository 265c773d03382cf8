/**
 * Where a packet goes, as far as filtering needs to know: to the router itself, or out of which interface. The kernel
 * does the forwarding; this table only tells which outgoing access list and inspection rule apply, and whether NAT
 * does: that is asked for each packet of an inside host with a translation of its own.
 */
import type { RouterConfig } from './ios/config/model.js';

/** The destination is the router: one of its addresses, a broadcast or a multicast. */
export const TO_ROUTER = -1;
/** No interface of ours: the kernel's own routes decide (or it drops). */
export const ELSEWHERE = -2;

/** 255.255.255.254: both addresses are hosts (RFC 3021). */
const POINT_TO_POINT = 0xfffffffe;

/** As many routes are gone through as quickly as looked up. */
const FEW = 16;

interface Route {
  prefix: number;
  mask: number;
  /** Interface index. */
  egress: number;
  /** Administrative distance; 0: connected. */
  distance: number;
}

export class RoutingTable {
  readonly #own = new Set<number>([-1]); // 255.255.255.255
  readonly #routes: Route[] = [];
  /** More than a few, by mask, the longest first: the nearest by prefix. */
  readonly #byMask: { mask: number; routes: Map<number, Route> }[] = [];
  /** Second ways to a prefix, of equal or greater distance. */
  readonly #others: Route[] = [];

  constructor(config: RouterConfig) {
    config.interfaces.forEach((itf, egress) => {
      if (itf.shutdown) return;
      for (const { address, mask } of itf.addresses) {
        this.#own.add(address);
        if (mask >>> 0 < POINT_TO_POINT) this.#own.add(address | ~mask); // directed broadcast
        this.#routes.push({ prefix: address & mask, mask, egress, distance: 0 });
      }
    });
    const connected = [...this.#routes];
    for (const r of config.routes) {
      const via = r.nextHop;
      const egress =
        r.interfaceName === undefined
          ? connected.find((c) => via !== undefined && (via & c.mask) === c.prefix)?.egress
          : config.interfaces.findIndex((i) => i.name === r.interfaceName && !i.shutdown);
      if (egress === undefined || egress < 0) continue;
      this.#routes.push({ prefix: r.prefix & r.mask, mask: r.mask, egress, distance: r.distance });
    }
    // The longest prefix first, of one prefix the nearest.
    this.#routes.sort((a, b) => (b.mask >>> 0) - (a.mask >>> 0) || a.distance - b.distance);
    if (this.#routes.length > FEW) for (const route of this.#routes) this.#file(route);
    let first: Route | undefined;
    for (const route of this.#routes) {
      if (first?.prefix !== route.prefix || first.mask !== route.mask) first = route;
      else if (route.egress !== first.egress) this.#others.push(route);
    }
  }

  /** Index of the interface towards `dst` (int32), TO_ROUTER or ELSEWHERE. */
  lookup(dst: number): number {
    if (this.#own.has(dst) || dst >>> 28 === 14) return TO_ROUTER; // 224.0.0.0/4
    return this.#find(dst)?.egress ?? ELSEWHERE;
  }

  /**
   * Where a source belongs: as `lookup`, but for the default route, which says nothing about who is behind it
   * (ELSEWHERE).
   */
  lookupSource(src: number): number {
    if (this.#own.has(src) || src >>> 28 === 14) return TO_ROUTER;
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
      for (const { mask, routes } of this.#byMask) {
        const found = routes.get(dst & mask);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    for (const r of this.#routes) if ((dst & r.mask) === r.prefix) return r;
    return undefined;
  }

  #file(route: Route): void {
    let last = this.#byMask.at(-1);
    if (last?.mask !== route.mask) this.#byMask.push((last = { mask: route.mask, routes: new Map() }));
    if (!last.routes.has(route.prefix)) last.routes.set(route.prefix, route); // the nearest comes first
  }
}
