/**
 * Ports of inside global addresses, for PAT (`overload`). IOS keeps the port of the inside host where it is free, and
 * otherwise takes the first free one of the same class, so that a privileged port stays one.
 */
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import { NumberSet } from './number-set.js';

/** First port of each class, and one past the last (Cisco NAT FAQ: 1-511, 512-1023, 1024-65535). */
const CLASSES = [0, 512, 1024, 65536] as const;

/** True for a protocol whose ports, or ICMP identifiers, PAT can change. */
export const hasPorts = (protocol: number): boolean =>
  protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_ICMP;

const classOf = (port: number): 0 | 1 | 2 => (port < CLASSES[1] ? 0 : port < CLASSES[2] ? 1 : 2);

export class PortAllocator {
  /** By address, then protocol: a set for each class. 8 KB, made when the first port of an address is taken. */
  readonly #taken = new Map<number, Map<number, readonly NumberSet[]>>();
  /** By address: how many of its ports are taken, of all protocols. */
  readonly #counts = new Map<number, number>();

  /** Some port of `global` is somebody's: no host can have the address for itself. */
  inUse(global: number): boolean {
    return this.#counts.has(global);
  }

  /**
   * Takes a port of `global`.
   * @param wanted port of the inside host
   * @returns the port, or -1 when the class of `wanted` is full
   */
  take(protocol: number, global: number, wanted: number): number {
    const c = classOf(wanted);
    const taken = this.#classes(protocol, global)[c]!;
    const n = taken.has(wanted - CLASSES[c]) ? taken.lowestFree() : wanted - CLASSES[c];
    if (n < 0) return -1;
    taken.take(n);
    this.#count(global, 1);
    return CLASSES[c] + n;
  }

  /** Takes just this port, whoever had it. */
  claim(protocol: number, global: number, port: number): void {
    const c = classOf(port);
    const taken = this.#classes(protocol, global)[c]!;
    if (taken.has(port - CLASSES[c])) return;
    taken.take(port - CLASSES[c]);
    this.#count(global, 1);
  }

  free(protocol: number, global: number, port: number): void {
    const c = classOf(port);
    const taken = this.#taken.get(global)?.get(protocol)?.[c];
    if (taken?.has(port - CLASSES[c]) !== true) return;
    taken.free(port - CLASSES[c]);
    this.#count(global, -1);
  }

  clear(): void {
    this.#taken.clear();
    this.#counts.clear();
  }

  #count(global: number, change: 1 | -1): void {
    const count = (this.#counts.get(global) ?? 0) + change;
    if (count === 0) this.#counts.delete(global);
    else this.#counts.set(global, count);
  }

  #classes(protocol: number, global: number): readonly NumberSet[] {
    let ofAddress = this.#taken.get(global);
    if (ofAddress === undefined) this.#taken.set(global, (ofAddress = new Map<number, readonly NumberSet[]>()));
    let classes = ofAddress.get(protocol);
    if (classes === undefined) {
      classes = [0, 1, 2].map((c) => new NumberSet(CLASSES[c + 1]! - CLASSES[c]!));
      // 0 is an identifier like any other, but no port.
      if (protocol !== IPPROTO_ICMP) classes[0]!.take(0);
      ofAddress.set(protocol, classes);
    }
    return classes;
  }
}
