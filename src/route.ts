/**
 * Where a packet goes, as far as filtering needs to know: to the router itself, or out of which interface. The kernel
 * does the forwarding; this table only tells which outgoing access list and inspection rule apply. It is asked for
 * the first packet of a flow, so a short linear search is enough.
 */
import type { RouterConfig } from './ios/config/model.js';

/** The destination is the router: one of its addresses, a broadcast or a multicast. */
export const TO_ROUTER = -1;
/** No interface of ours: the kernel's own routes decide (or it drops). */
export const ELSEWHERE = -2;

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
  }

  /** Index of the interface towards `dst` (int32), TO_ROUTER or ELSEWHERE. */
  lookup(dst: number): number {
    if (this.#own.has(dst) || dst >>> 28 === 14) return TO_ROUTER; // 224.0.0.0/4
    for (const r of this.#routes) if ((dst & r.mask) === r.prefix) return r.egress;
    return ELSEWHERE;
  }
}
