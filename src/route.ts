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
  /** More than a few, by mask, the longest first: egress by prefix. */
  readonly #byMask: { mask: number; egress: Map<number, number> }[] = [];

  constructor(config: RouterConfig) {
    config.interfaces.forEach((itf, egress) => {
      if (itf.shutdown) return;
      for (const { address, mask } of itf.addresses) {
        this.#own.add(address);
        this.#own.add(address | ~mask); // directed broadcast
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
  }

  /** Index of the interface towards `dst` (int32), TO_ROUTER or ELSEWHERE. */
  lookup(dst: number): number {
    if (this.#own.has(dst) || dst >>> 28 === 14) return TO_ROUTER; // 224.0.0.0/4
    if (this.#routes.length > FEW) {
      for (const { mask, egress } of this.#byMask) {
        const found = egress.get(dst & mask);
        if (found !== undefined) return found;
      }
      return ELSEWHERE;
    }
    for (const r of this.#routes) if ((dst & r.mask) === r.prefix) return r.egress;
    return ELSEWHERE;
  }

  #file({ prefix, mask, egress }: Route): void {
    let last = this.#byMask.at(-1);
    if (last?.mask !== mask) this.#byMask.push((last = { mask, egress: new Map() }));
    if (!last.egress.has(prefix)) last.egress.set(prefix, egress); // the nearest comes first
  }
}
