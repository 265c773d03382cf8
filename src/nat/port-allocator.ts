/**
 * Ports of inside global addresses, for PAT (`overload`). IOS keeps the port of the inside host where it is free, and
 * otherwise takes the first free one of the same class, so that a privileged port stays one.
 */
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import { NumberSet } from './number-set.js';

const PORTS = 65536;
/** First ports of the classes (Cisco NAT FAQ: 1-511, 512-1023, 1024-65535). */
const SECOND_CLASS = 512;
const THIRD_CLASS = 1024;

/** True for a protocol whose ports, or ICMP identifiers, PAT can change. */
export const hasPorts = (protocol: number): boolean =>
  protocol === IPPROTO_TCP || protocol === IPPROTO_UDP || protocol === IPPROTO_ICMP;

export class PortAllocator {
  /** By address, then protocol. 8 KB each, made when the first port of an address is taken. */
  readonly #taken = new Map<number, Map<number, NumberSet>>();

  /**
   * Takes a port of `global`.
   * @param wanted port of the inside host
   * @returns the port, or -1 when the class of `wanted` is full
   */
  take(protocol: number, global: number, wanted: number): number {
    const taken = this.#ports(protocol, global);
    const port = portFor(taken, protocol, wanted);
    if (port >= 0) taken.take(port);
    return port;
  }

  /** Takes just this port, whoever had it. */
  claim(protocol: number, global: number, port: number): void {
    this.#ports(protocol, global).take(port);
  }

  free(protocol: number, global: number, port: number): void {
    this.#taken.get(global)?.get(protocol)?.free(port);
  }

  clear(): void {
    this.#taken.clear();
  }

  #ports(protocol: number, global: number): NumberSet {
    let ofAddress = this.#taken.get(global);
    if (ofAddress === undefined) this.#taken.set(global, (ofAddress = new Map<number, NumberSet>()));
    let ports = ofAddress.get(protocol);
    if (ports === undefined) ofAddress.set(protocol, (ports = new NumberSet(PORTS)));
    return ports;
  }
}

function portFor(taken: NumberSet, protocol: number, wanted: number): number {
  // 0 is an identifier like any other, but no port.
  const lowest = protocol === IPPROTO_ICMP ? 0 : 1;
  if (wanted >= lowest && !taken.has(wanted)) return wanted;
  if (wanted < SECOND_CLASS) return taken.lowestFree(lowest, SECOND_CLASS - 1);
  if (wanted < THIRD_CLASS) return taken.lowestFree(SECOND_CLASS, THIRD_CLASS - 1);
  return taken.lowestFree(THIRD_CLASS, PORTS - 1);
}
