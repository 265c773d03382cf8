/**
 * The NAT configuration as the translator uses it: static entries with the addresses of their interfaces filled in,
 * and for each `ip nat inside source list` where its inside global addresses come from.
 */
import type { CompiledAccessList } from '../acl/access-list.js';
import type { RouterConfig } from '../../ios/config/model.js';
import { IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import { NumberSet } from './number-set.js';

/** One static entry for a host (protocol 0) or a port of it. */
export interface StaticBinding {
  protocol: number;
  local: number;
  localPort: number;
  global: number;
  globalPort: number;
}

/** `static network`: hosts of one network, number by number. */
export interface StaticNetwork {
  local: number;
  global: number;
  mask: number;
}

/** One `ip nat inside source list`. */
export interface Mapping {
  /** What it is known by when the configuration changes. */
  key: string;
  /** Pool or interface, for messages. */
  name: string;
  /** Name of its access list. */
  list: string;
  overload: boolean;
  pool: AddressPool;
}

/** Inside global addresses from `first` on (int32, host order), and which of them a host has for itself. */
export class AddressPool {
  readonly taken: NumberSet;

  constructor(
    readonly first: number,
    readonly size: number,
  ) {
    this.taken = new NumberSet(size);
  }

  has(address: number): boolean {
    return this.indexOf(address) < this.size;
  }
  /** Its number in the pool; beyond `size` for any other address. */
  indexOf(address: number): number {
    return (address - this.first) >>> 0;
  }
}

/** All that translation needs of a configuration. */
export interface AddressRules {
  bindings: StaticBinding[];
  networks: StaticNetwork[];
  mappings: Mapping[];
  /** Addresses of the router's own interfaces: what is not translated there is for the router. */
  own: ReadonlySet<number>;
  /**
   * The router's access lists as they are now. One that a mapping names and that does not exist, inferred: permits
   * everything, as an undefined `access-group` does.
   */
  lists: ReadonlyMap<string, CompiledAccessList>;
}

/** @param lists compiled access lists by name, which may change later */
export function compileRules(config: RouterConfig, lists: ReadonlyMap<string, CompiledAccessList>): AddressRules {
  const { staticEntries, dynamic, pools } = config.nat;
  const addressOf = (name: string | undefined): number | undefined =>
    config.interfaces.find((i) => i.name === name)?.addresses[0]?.address;
  const rules: AddressRules = {
    bindings: [],
    networks: [],
    mappings: [],
    own: new Set(config.interfaces.flatMap((i) => i.addresses.map((a) => a.address))),
    lists,
  };
  for (const e of staticEntries) {
    // An interface without an address has nothing to translate to.
    const global = e.interfaceName === undefined ? e.insideGlobal : addressOf(e.interfaceName);
    if (global === undefined) continue;
    if (e.mask !== undefined) {
      rules.networks.push({ local: e.insideLocal & e.mask, global: global & e.mask, mask: e.mask });
      continue;
    }
    const { ports } = e;
    rules.bindings.push({
      protocol: ports === undefined ? 0 : ports.protocol === 'tcp' ? IPPROTO_TCP : IPPROTO_UDP,
      local: e.insideLocal,
      localPort: ports?.insideLocal ?? 0,
      global,
      globalPort: ports?.insideGlobal ?? 0,
    });
  }
  // Lists that name the same pool share its addresses.
  const shared = new Map<string, AddressPool>();
  for (const d of dynamic) {
    const name = d.pool ?? d.interfaceName ?? '';
    let pool = shared.get(name);
    if (pool === undefined) {
      const range = d.pool === undefined ? undefined : pools.get(d.pool);
      const own = d.pool === undefined ? addressOf(d.interfaceName) : undefined;
      const size = range === undefined ? 1 : (range.end >>> 0) - (range.start >>> 0) + 1;
      const first = range?.start ?? own;
      pool = new AddressPool(first ?? 0, first === undefined ? 0 : size);
      shared.set(name, pool);
    }
    rules.mappings.push({
      key: JSON.stringify([d.list, d.pool, d.interfaceName, d.overload]),
      name,
      list: d.list,
      overload: d.overload,
      pool,
    });
  }
  return rules;
}

/** True where both configurations give the same rules, whatever their access lists say. */
export function sameRules(a: RouterConfig, b: RouterConfig): boolean {
  return (
    sameItems(a.nat.staticEntries, b.nat.staticEntries) &&
    sameItems(a.nat.dynamic, b.nat.dynamic) &&
    sameItems([...a.nat.pools.values()], [...b.nat.pools.values()]) &&
    sameItems(addressesOf(a), addressesOf(b))
  );
}

/** Names and addresses of the interfaces, in order. */
const addressesOf = (config: RouterConfig): (string | number)[] =>
  config.interfaces.flatMap((i) => [i.name, ...i.addresses.map((a) => a.address)]);

const sameItems = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i]);
