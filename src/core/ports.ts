/** The router's interfaces as the pipeline uses them. */
import type { CompiledAccessList } from './acl/access-list.js';
import type { InterfacePolicy } from './policy.js';

export const ETHERNET_MTU = 1500; // bytes

/** What a session's 16 bits can tell apart. Who types more names than that has the last ones count as one. */
const MOST_INTERFACES = 0xffff;

export interface Port {
  policy: InterfacePolicy;
  /** Of the link, bytes. */
  mtu: number;
  /** Stays that of the interface when others come and go; sessions remember it. From 1. */
  number: number;
  outside: boolean;
  inside: boolean;
  aclIn: CompiledAccessList | undefined;
  aclOut: CompiledAccessList | undefined;
  /** `ip tcp adjust-mss`, bytes; 0: not set. */
  adjustMss: number;
}

export class Ports {
  /** The smallest of what the links take, bytes. */
  leastMtu = ETHERNET_MTU;
  /** Some interface has `ip tcp adjust-mss`. */
  clampMss = false;
  #list: Port[] = [];
  /** Numbers of all interfaces there have been, by name. */
  readonly #numbers = new Map<string, number>();
  /** By name of the interface, bytes. */
  #mtus: ReadonlyMap<string, number> = new Map();

  /** Names of all interfaces there have been, in the order of their numbers. */
  get names(): string[] {
    return [...this.#numbers.keys()];
  }

  /** Gives interfaces the numbers that saved sessions know them by. Before the first `configure`. */
  restore(names: readonly string[]): void {
    for (const name of names) this.#numberOf(name);
  }

  /** @param lists an undefined one that is applied permits everything, as on IOS: it has no compiled form */
  configure(interfaces: readonly InterfacePolicy[], lists: ReadonlyMap<string, CompiledAccessList>): void {
    const list = (name: string | undefined): CompiledAccessList | undefined =>
      name === undefined ? undefined : lists.get(name);
    this.clampMss = interfaces.some((itf) => itf.adjustMss !== 0);
    this.#list = interfaces.map((itf) => ({
      policy: itf,
      mtu: this.#mtus.get(itf.name) ?? ETHERNET_MTU,
      number: this.#numberOf(itf.name),
      outside: itf.nat === 'outside',
      inside: itf.nat === 'inside',
      aclIn: list(itf.accessGroupIn),
      aclOut: list(itf.accessGroupOut),
      adjustMss: itf.adjustMss,
    }));
    this.#findLeast();
  }

  /** @param mtus by canonical interface name, bytes; 1500 where it is not told */
  setMtus(mtus: ReadonlyMap<string, number>): void {
    this.#mtus = mtus;
    for (const port of this.#list) port.mtu = mtus.get(port.policy.name) ?? ETHERNET_MTU;
    this.#findLeast();
  }

  /** By index in the configuration; undefined for what the routing table says below 0. */
  at(index: number): Port | undefined {
    // An index below 0 makes V8 look for a property of that name, which costs as much as a session.
    return index < 0 ? undefined : this.#list[index];
  }

  #findLeast(): void {
    this.leastMtu = Math.min(...this.#list.map((port) => port.mtu));
  }

  #numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = Math.min(this.#numbers.size + 1, MOST_INTERFACES);
    this.#numbers.set(name, number);
    return number;
  }
}
