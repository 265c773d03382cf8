/**
 * Where a packet goes, as far as filtering needs to know: to the router itself, out of which interface, or nowhere. The
 * kernel does the forwarding; this table tells which outgoing access list and inspection rule apply, and whether NAT
 * does: that is asked for each packet of an inside host with a translation of its own.
 */
import { indexNetworks, isMapped, type ResolvedRoute, resolveRoutes } from './route-resolution.js';
import type { RouterConfig } from '../../ios/config/model.js';

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

/** 255.255.255.254: both addresses are hosts (RFC 3021). */
const POINT_TO_POINT = 0xfffffffe;

/** As many routes are gone through as quickly as looked up. */
const FEW = 16;

interface Route {
  prefix: number;
  mask: number;
  /** Interface index, UNREACHABLE or DISCARDED. */
  egress: number;
}

export class RoutingTable {
  readonly #own = new Set<number>([-1]); // 255.255.255.255
  /** Addresses of interfaces that Linux does not have: nothing is delivered there, and nobody else has them. */
  readonly #ownUnmapped = new Set<number>();
  /** The longest prefix first, of one prefix the one that counts first. */
  readonly #routes: readonly Route[];
  /** More than a few, by mask, the longest first: the nearest by prefix. */
  readonly #byMask: readonly { mask: number; best: Map<number, Route> }[];
  /** Second ways to a prefix, of equal or greater distance. */
  readonly #others: Route[] = [];

  /** @param mapped names of the interfaces that are bound to one of Linux; undefined: all that can be */
  constructor(config: RouterConfig, mapped?: ReadonlySet<string>) {
    for (const itf of config.interfaces) {
      if (itf.shutdown) continue;
      const own = isMapped(itf.name, mapped) ? this.#own : this.#ownUnmapped;
      for (const { address, mask } of itf.addresses) {
        own.add(address);
        if (mask >>> 0 < POINT_TO_POINT) own.add(address | ~mask); // directed broadcast
      }
    }
    const silent = config.interfaces.some((i) => /^Null/.test(i.name) && !i.unreachables);
    const index = new Map(config.interfaces.map((itf, i) => [itf.name, i]));
    const egress = ({ out }: ResolvedRoute): number =>
      out.kind === 'interface' ? index.get(out.name)! : out.kind === 'null' && silent ? DISCARDED : UNREACHABLE;
    this.#routes = resolveRoutes(config, mapped).map((r) => ({ prefix: r.prefix, mask: r.mask, egress: egress(r) }));
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
