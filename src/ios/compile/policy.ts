/**
 * From a configuration to what the data plane is told to do. Names are resolved, defaults are filled in, and nothing is
 * left of the file. Compiled again after a line was typed, what has not changed is the same object as before: a line
 * among ten thousand costs a comparison of the others and no more.
 */
import { type AclEntry, sameTest } from '../../core/acl/entry.js';
import type { PortMap } from '../../core/inspect/port-map.js';
import type {
  FragmentOptions,
  InspectGlobals,
  InterfacePolicy,
  LongList,
  NatPolicy,
  Policy,
  PoolPolicy,
  ProtocolPolicy,
  RoutingPolicy,
  StaticBinding,
} from '../../core/policy.js';
import { between, commonEnds } from '../../core/policy-changes.js';
import { DISCARDED, RoutingTable, UNREACHABLE } from '../../core/route/routing-table.js';
import { IPPROTO_TCP, IPPROTO_UDP } from '../../core/wire/ipv4.js';
import { ICMP_TIMEOUT, smtpDefaults, virtualReassemblyDefaults } from '../config/defaults.js';
import type { AclLine, InspectedProtocol, InterfaceConfig, PortMapLine, RouterConfig } from '../config/model.js';
import { featureOf } from '../features/index.js';
import { isMapped, type ResolvedRoute, resolveRoutes } from './routes.js';

/** 255.255.255.254: both addresses are hosts (RFC 3021). */
const POINT_TO_POINT = 0xfffffffe;

/** Compiles one configuration after the other of one router. */
export class PolicyCompiler {
  #last: Policy | undefined;
  #revision: number;

  /**
   * @param mapped names of the interfaces that a Linux interface is bound to; undefined: all that can be
   * @param inForce the policy of another compiler, which is in force: it goes on from there, or its revisions would
   *   mean something else
   */
  constructor(
    private readonly mapped?: ReadonlySet<string>,
    inForce?: Policy,
  ) {
    this.#last = inForce;
    this.#revision = inForce === undefined ? 0 : lastRevision(inForce);
  }

  /** @returns a value that shares what is unchanged with the one before; not to be changed */
  compile(config: RouterConfig): Policy {
    const { list, ...intercept } = config.intercept;
    delete intercept.line;
    const needed = config.interfaces.some(translatesOrInspects);
    this.#last = {
      interfaces: config.interfaces.map((itf) => interfacePolicy(itf, needed)),
      accessLists: this.#accessLists(config),
      inspectionRules: [...config.inspectionRules.values()].map(({ name, protocols }) => ({
        name,
        protocols: protocols.map((p) => protocolPolicy(p, config.inspect)),
      })),
      portMaps: config.portMaps.map(portMapPolicy),
      inspect: { ...config.inspect },
      intercept: { ...intercept, ...(list !== undefined && { list }) },
      nat: this.#nat(config),
      routing: this.#routing(config),
    };
    return this.#last;
  }

  #accessLists({ accessLists }: RouterConfig): Map<string, LongList<AclEntry>> {
    const lists = new Map<string, LongList<AclEntry>>();
    for (const { name, entries } of accessLists.values()) {
      if (entries.length === 0) continue;
      const before = this.#last?.accessLists.get(name);
      lists.set(name, this.#unlessSame(before, entries, sameEntry, withoutLine));
    }
    return lists;
  }

  #nat(config: RouterConfig): NatPolicy {
    const before = this.#last?.nat;
    const { timeouts } = config.nat;
    const nat = natPolicy(config);
    const bindings = this.#unlessSame(before?.bindings, nat.bindings);
    const same =
      before !== undefined &&
      bindings === before.bindings &&
      sameItems(before.networks, nat.networks) &&
      sameItems(before.mappings, nat.mappings) &&
      sameItems(before.pools, nat.pools) &&
      sameItems(before.own, nat.own);
    return { ...nat, bindings, timeouts: { ...timeouts }, revision: same ? before.revision : ++this.#revision };
  }

  #routing(config: RouterConfig): RoutingPolicy {
    const before = this.#last?.routing;
    const { own, unmapped, routes: list } = routingPolicy(config, this.mapped);
    const routes = this.#unlessSame(before?.routes, list.items);
    const same = routes === before?.routes && sameItems(before.own, own) && sameItems(before.unmapped, unmapped);
    return same ? before : { own, unmapped, routes };
  }

  /** `items` as a list: items of the one before as far as they are the same, and what `make` makes of the others. */
  #unlessSame<T extends object, S extends T>(
    before: LongList<T> | undefined,
    items: readonly S[],
    same: (a: T, b: S) => boolean = sameFields,
    make: (item: S) => T = (item) => item,
  ): LongList<T> {
    if (before === undefined) return this.#list(items.map(make));
    const { head, tail } = commonEnds(before.items, items, same);
    if (head === items.length && head === before.items.length) return before;
    const others = items.slice(head, items.length - tail).map(make);
    return this.#list(between(before.items, head, tail, others));
  }

  #list<T>(items: readonly T[]): LongList<T> {
    return { revision: ++this.#revision, items };
  }
}

/** The highest revision of a list of it. */
export const lastRevision = ({ accessLists, nat, routing }: Policy): number =>
  [...accessLists.values(), nat, nat.bindings, routing.routes].reduce(
    (most, { revision }) => Math.max(most, revision),
    0,
  );

/** The policy of one configuration. @param mapped as for PolicyCompiler */
export const compilePolicy = (config: RouterConfig, mapped?: ReadonlySet<string>): Policy =>
  new PolicyCompiler(mapped).compile(config);

/** Where packets go under a configuration. @param mapped as for PolicyCompiler */
export function routingPolicy(config: RouterConfig, mapped?: ReadonlySet<string>): RoutingPolicy {
  const own: number[] = [];
  const unmapped: number[] = [];
  for (const itf of config.interfaces) {
    if (itf.shutdown) continue;
    const addresses = isMapped(itf.name, mapped) ? own : unmapped;
    for (const { address, mask } of itf.addresses) {
      addresses.push(address);
      if (mask >>> 0 < POINT_TO_POINT) addresses.push(address | ~mask); // directed broadcast
    }
  }
  const silent = config.interfaces.some((i) => /^Null/.test(i.name) && !i.unreachables);
  const index = new Map(config.interfaces.map((itf, i) => [itf.name, i]));
  const egress = ({ out }: ResolvedRoute): number =>
    out.kind === 'interface' ? index.get(out.name)! : out.kind === 'null' && silent ? DISCARDED : UNREACHABLE;
  const items = resolveRoutes(config, mapped).map((r) => ({ prefix: r.prefix, mask: r.mask, egress: egress(r) }));
  return { own, unmapped, routes: { revision: 0, items } };
}

/** How packets are routed under a configuration. @param mapped as for PolicyCompiler */
export const routingTable = (config: RouterConfig, mapped?: ReadonlySet<string>): RoutingTable =>
  new RoutingTable(routingPolicy(config, mapped));

const translatesOrInspects = (itf: InterfaceConfig): boolean =>
  (itf.nat ?? itf.inspectIn ?? itf.inspectOut) !== undefined;

/** @param needed one interface translates or inspects */
function interfacePolicy(itf: InterfaceConfig, needed: boolean): InterfacePolicy {
  const { name, addresses, nat, accessGroupIn, accessGroupOut, inspectIn, inspectOut } = itf;
  const address = addresses[0]?.address;
  const reassembly = reassemblyOf(itf, needed);
  return {
    name,
    adjustMss: itf.adjustMss ?? 0,
    unreachables: itf.unreachables,
    ...(address !== undefined && { address }),
    ...(nat !== undefined && { nat }),
    ...(accessGroupIn !== undefined && { accessGroupIn }),
    ...(accessGroupOut !== undefined && { accessGroupOut }),
    ...(inspectIn !== undefined && { inspectIn }),
    ...(inspectOut !== undefined && { inspectOut }),
    ...(reassembly !== undefined && { reassembly }),
  };
}

/**
 * `ip virtual-reassembly` of an interface. NAT switches it on by itself; we do the same for inspection, which 12.3
 * did not, since a stream whose segments come in fragments cannot be inspected.
 * @param needed where one interface translates or inspects, on all: packets of its sessions come in by any of them
 */
function reassemblyOf(itf: InterfaceConfig, needed: boolean): FragmentOptions | undefined {
  const options = itf.virtualReassembly ?? (needed ? virtualReassemblyDefaults() : undefined);
  return options && { ...options };
}

function portMapPolicy(map: PortMapLine): PortMap {
  const copy = { ...map };
  delete copy.description;
  delete copy.line;
  return copy;
}

function protocolPolicy(p: InspectedProtocol, globals: InspectGlobals): ProtocolPolicy {
  const { protocol, javaList } = p;
  const feature = featureOf(protocol);
  const smtp = protocol === 'smtp' || protocol === 'esmtp' ? (p.smtp ?? smtpDefaults()) : undefined;
  return {
    protocol,
    alert: p.alert ?? !globals.alertOff,
    auditTrail: p.auditTrail ?? globals.auditTrail,
    idleMs: (p.timeout ?? defaultTimeout(p, globals)) * 1000,
    ...(smtp !== undefined && { smtp }),
    ...(javaList !== undefined && { javaList }),
    ...(feature !== undefined && { options: { ...feature.defaults, ...p.options } }),
  };
}

/** Seconds a session of this protocol may be idle where its line names no timeout. */
function defaultTimeout(p: InspectedProtocol, globals: InspectGlobals): number {
  return p.protocol === 'icmp' ? ICMP_TIMEOUT : p.protocol === 'udp' ? globals.udpIdle : globals.tcpIdle;
}

/** Static entries with the addresses of their interfaces filled in, and where dynamic ones take addresses from. */
function natPolicy({ nat, interfaces }: RouterConfig): Omit<NatPolicy, 'revision' | 'bindings' | 'timeouts'> & {
  bindings: StaticBinding[];
} {
  const byName = new Map(interfaces.map((i) => [i.name, i.addresses[0]?.address]));
  const addressOf = (name: string | undefined): number | undefined =>
    name === undefined ? undefined : byName.get(name);
  const bindings: StaticBinding[] = [];
  const networks: NatPolicy['networks'] = [];
  for (const e of nat.staticEntries) {
    // An interface without an address has nothing to translate to.
    const global = e.interfaceName === undefined ? e.insideGlobal : addressOf(e.interfaceName);
    if (global === undefined) continue;
    if (e.mask !== undefined) {
      networks.push({ local: e.insideLocal & e.mask, global: global & e.mask, mask: e.mask });
      continue;
    }
    const { ports } = e;
    bindings.push({
      protocol: ports === undefined ? 0 : ports.protocol === 'tcp' ? IPPROTO_TCP : IPPROTO_UDP,
      local: e.insideLocal,
      localPort: ports?.insideLocal ?? 0,
      global,
      globalPort: ports?.insideGlobal ?? 0,
    });
  }
  const pools: PoolPolicy[] = [];
  // Lists that name the same pool share its addresses.
  const numbers = new Map<string, number>();
  const poolOf = (name: string, first: number | undefined, size: number): number => {
    const known = numbers.get(name);
    if (known !== undefined) return known;
    numbers.set(name, pools.length);
    return pools.push({ first: first ?? 0, size: first === undefined ? 0 : size }) - 1;
  };
  const mappings = nat.dynamic.map((d) => {
    const name = d.pool ?? d.interfaceName ?? '';
    const range = d.pool === undefined ? undefined : nat.pools.get(d.pool);
    const size = range === undefined ? 1 : (range.end >>> 0) - (range.start >>> 0) + 1;
    const first = range?.start ?? (d.pool === undefined ? addressOf(d.interfaceName) : undefined);
    return {
      key: JSON.stringify([d.list, d.pool, d.interfaceName, d.overload]),
      name,
      list: d.list,
      overload: d.overload,
      pool: poolOf(name, first, size),
    };
  });
  return {
    bindings,
    networks,
    mappings,
    pools,
    own: interfaces.flatMap((i) => i.addresses.map((a) => a.address)),
  };
}

/** Equal but for where they stand: a file that is read again changes nothing by itself. */
const sameEntry = (a: AclEntry, b: AclLine): boolean =>
  a === b || (a.sequence === b.sequence && a.log === b.log && sameTest(a, b));

function withoutLine(entry: AclLine): AclEntry {
  if (entry.line === undefined) return entry;
  const copy = { ...entry };
  delete copy.line;
  return copy;
}

/** Of flat objects of one type. */
function sameFields<T extends object>(a: T, b: T): boolean {
  for (const key in a) if (a[key] !== b[key]) return false;
  return true;
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  const same = (x: T, y: T): boolean =>
    x === y || (typeof x === 'object' && x !== null && sameFields(x, y as typeof x & object));
  return a.length === b.length && a.every((item, i) => same(item, b[i]!));
}
