/**
 * Questions about whole access lists, answered without holding each entry against all others. Entries whose wildcards
 * are the same form a group: in it, one that concerns an address is found under the bits of the address that the group
 * compares. A list of thousands has few groups.
 */
import { mix } from '../core/memory/hash.js';
import type { AclEntry, AclPort } from '../core/acl/entry.js';
import { covers, entryAdmitsPort, singlePort } from './acl-cover.js';

interface Filed {
  entry: AclEntry;
  /** Its place in the list. */
  at: number;
}

/** Entries that compare the same bits of addresses, and a single port or none. */
interface Group {
  source: number;
  destination: number;
  sourcePort: boolean;
  destinationPort: boolean;
  byValue: Map<number, Filed[]>;
}

/**
 * For each entry the first one before it that matches all its packets, so that it is never reached; undefined where
 * there is none, as far as is certain.
 */
export function firstCovers<T extends AclEntry>(entries: readonly T[]): (T | undefined)[] {
  const groups = new Map<string, Group>();
  return entries.map((entry, at) => {
    const ports = [singlePort(entry.srcPort), singlePort(entry.dstPort)] as const;
    let cover: Filed | undefined;
    for (const g of groups.values()) {
      if ((entry.src.wildcard & ~g.source) !== 0 || (entry.dst.wildcard & ~g.destination) !== 0) continue;
      const filed = g.byValue.get(valueIn(g, entry, ...ports))?.find((f) => covers(f.entry, entry));
      if (filed !== undefined && (cover === undefined || filed.at < cover.at)) cover = filed;
    }
    file(groups, { entry, at }, ...ports);
    return cover?.entry as T | undefined;
  });
}

function file(groups: Map<string, Group>, filed: Filed, sport: number | undefined, dport: number | undefined): void {
  const { src, dst } = filed.entry;
  const key = `${src.wildcard} ${dst.wildcard} ${sport !== undefined} ${dport !== undefined}`;
  let group = groups.get(key);
  if (group === undefined) {
    group = {
      source: src.wildcard,
      destination: dst.wildcard,
      sourcePort: sport !== undefined,
      destinationPort: dport !== undefined,
      byValue: new Map(),
    };
    groups.set(key, group);
  }
  push(group.byValue, valueIn(group, filed.entry, sport, dport), filed);
}

/** What an entry has where the group compares. */
function valueIn(g: Group, e: AclEntry, sport: number | undefined, dport: number | undefined): number {
  const addresses = mix(e.src.address & ~g.source, e.dst.address & ~g.destination);
  return mix(addresses, mix(g.sourcePort ? (sport ?? -1) : -2, g.destinationPort ? (dport ?? -1) : -2));
}

/** The destination ports that entries permit for one address or network. */
interface OpenPorts {
  all: boolean;
  single: Set<number>;
  others: AclPort[];
}

/** Where the permitting entries of a list lead, if nothing before them denies it. */
export class OpenDestinations {
  /** By wildcard, then by the bits of the address that are compared. */
  readonly #permits = new Map<number, Map<number, OpenPorts>>();

  constructor(entries: readonly AclEntry[]) {
    for (const { action, dst, dstPort } of entries) {
      if (action !== 'permit') continue;
      const group = this.#permits.get(dst.wildcard) ?? new Map<number, OpenPorts>();
      this.#permits.set(dst.wildcard, group);
      const address = dst.address & ~dst.wildcard;
      const ports = group.get(address) ?? { all: false, single: new Set(), others: [] };
      group.set(address, ports);
      const single = singlePort(dstPort);
      if (dstPort === undefined) ports.all = true;
      else if (single !== undefined) ports.single.add(single);
      else ports.others.push(dstPort);
    }
  }

  /** True where an entry may permit a packet to this address (and TCP or UDP port, where one is given). */
  has(address: number, port?: number): boolean {
    for (const [wildcard, group] of this.#permits) {
      const open = group.get(address & ~wildcard);
      if (open === undefined) continue;
      if (port === undefined || open.all || open.single.has(port)) return true;
      if (open.others.some((test) => entryAdmitsPort(test, port))) return true;
    }
    return false;
  }
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
