/** The NAT policy as the translator uses it: with pools that know who has which address, and the access lists. */
import type { CompiledAccessList } from '../acl/access-list.js';
import type { MappingPolicy, NatPolicy, StaticBinding, StaticNetwork } from '../policy.js';
import { NumberSet } from './number-set.js';

/** One `ip nat inside source list`. */
export interface Mapping extends Omit<MappingPolicy, 'pool'> {
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

/** All that translation needs to know. */
export interface AddressRules {
  bindings: readonly StaticBinding[];
  networks: readonly StaticNetwork[];
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
export function addressRules(policy: NatPolicy, lists: ReadonlyMap<string, CompiledAccessList>): AddressRules {
  const pools = policy.pools.map(({ first, size }) => new AddressPool(first, size));
  return {
    bindings: policy.bindings.items,
    networks: policy.networks,
    mappings: policy.mappings.map((m) => ({ ...m, pool: pools[m.pool]! })),
    own: new Set(policy.own),
    lists,
  };
}
