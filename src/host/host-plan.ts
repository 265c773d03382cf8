/**
 * What `fw3640 run` wants of the Linux host, as data: pure planning from the configuration and the mapping of
 * interfaces. `host-setup.ts` carries it out and undoes it. Order is part of the plan: the rules come first and
 * forwarding last, and undoing goes backwards, so that no packet is ever forwarded uninspected.
 */
import { MAX_STATIC_NAT } from '../core/policy.js';
import { type Steering, steeringOf } from '../core/shard/steering.js';
import { compilePolicy } from '../ios/compile/policy.js';
import { formatAddress, prefixLength } from '../ios/ipv4-text.js';
import { PASSED_MARK } from './netfilter.js';
import type { InterfaceConfig, NatConfig, RouterConfig, StaticRoute } from '../ios/config/model.js';
import { type ResolvedRoute, resolveRoutes } from '../ios/compile/routes.js';

/** One thing that is changed on the host, recorded and undone on its own. */
export type HostChange =
  | {
      kind: 'rules';
      family: 'ipv4';
      devices: string[];
      natOutside: string[];
      queue: number;
      failOpen: boolean;
      /** Where there are several shards. */
      steering?: Steering;
    }
  | { kind: 'rules'; family: 'ipv6'; devices: string[] }
  /** A routing rule, in the words of `ip rule`: one of those of `lockRules`. */
  | { kind: 'lock'; rule: string }
  | { kind: 'sysctl'; key: string; value: string }
  | { kind: 'address'; device: string; address: string; length: number; alias: boolean }
  | { kind: 'link'; device: string; up: boolean }
  | { kind: 'route'; route: HostRoute };

/** Where a route leads: a neighbour on a device, or whoever answers ARP there. */
export interface Hop {
  via?: string;
  device?: string;
}

/** A route in the words of `ip route`. A device or, for Null0, the type unreachable. */
export interface HostRoute extends Hop {
  destination: string; // 10.0.0.0/8
  metric: number;
  /** Further hops of the same distance: the kernel shares its flows out among all of them, as IOS does destinations. */
  also?: Hop[];
}

/** Something the operator should read. */
export interface HostNote {
  level: 'info' | 'warn';
  text: string;
}

export interface HostPlan {
  changes: HostChange[];
  notes: HostNote[];
}

export interface HostOptions {
  /** Number of the NFQUEUE, 0..65535; further shards have those behind it. */
  queue: number;
  /** How many shards there are; one if it is not said. */
  shards?: number;
  /** Let packets pass uninspected while nobody reads the queue. */
  failOpen: boolean;
}

/** Linux's view before anything is changed: what the plan cannot know from the configuration. */
export interface HostFacts {
  /** Names under net/ipv4/conf but for `all` and `default`. */
  devices: string[];
  /** Value of a sysctl, path below /proc/sys; undefined if there is none. */
  sysctl(key: string): string | undefined;
  hasIpv6: boolean;
}

/** Inside global addresses that we answer ARP for, at most: every static entry, or a /20 of a pool. */
const MAX_ALIASES = MAX_STATIC_NAT;

/**
 * Of a route that leads nowhere for want of a Linux interface: any route of the box's own, of the management port for
 * example, goes before it.
 */
const LAST_METRIC = 0x7fff_ffff;

/** Takes the place of every distance that IOS does not install (255 is "unknown"). */
const UNREACHABLE_DISTANCE = 255;

/**
 * Checks the mapping of `--interface IOS=LINUX` against the configuration, without looking at the host.
 * @returns one sentence a fault; empty: the mapping may be used
 */
export function checkBindings(config: RouterConfig, bindings: ReadonlyMap<string, string>): string[] {
  const faults: string[] = [];
  const known = new Set(config.interfaces.map((i) => i.name));
  const taken = new Map<string, string>();
  for (const [ios, device] of bindings) {
    if (!known.has(ios)) faults.push(`the configuration has no interface ${ios}; it has ${[...known].join(', ')}`);
    if (!/^[^\s/+]{1,15}$/.test(device) || device === 'lo') faults.push(`'${device}' is no name of a Linux interface`);
    const other = taken.get(device);
    if (other !== undefined) faults.push(`${other} and ${ios} are both mapped to ${device}`);
    taken.set(device, ios);
  }
  if (bindings.size < 2) faults.push('a router needs two interfaces: give --interface IOS=LINUX twice');
  return faults;
}

/** What `run` would say of any mapping, where none is given. */
export const tooFewInterfaces = (config: RouterConfig): string[] =>
  config.interfaces.length < 2 ? ['a router needs two interfaces: the configuration has fewer'] : [];

/**
 * @param bindings canonical IOS interface name → Linux interface, as accepted by {@link checkBindings}
 * @param facts    the host as it is
 */
export function planHost(
  config: RouterConfig,
  bindings: ReadonlyMap<string, string>,
  options: HostOptions,
  facts: HostFacts,
): HostPlan {
  const notes: HostNote[] = [];
  const bound = config.interfaces.flatMap((ios) => {
    const device = bindings.get(ios.name);
    return device === undefined ? [] : [{ ios, device }];
  });
  const devices = bound.map((b) => b.device);
  const natOutside = bound.filter((b) => b.ios.nat === 'outside').map((b) => b.device);
  const { queue, failOpen, shards = 1 } = options;
  const steering = shards > 1 ? steeringOf(compilePolicy(config, new Set(bindings.keys())), shards) : undefined;
  const changes: HostChange[] = [
    { kind: 'rules', family: 'ipv4', devices, natOutside, queue, failOpen, ...(steering && { steering }) },
  ];
  if (facts.hasIpv6) changes.push({ kind: 'rules', family: 'ipv6', devices });
  if (!options.failOpen) for (const rule of lockRules(devices)) changes.push({ kind: 'lock', rule });
  for (const { ios, device } of bound) if (ios.shutdown) changes.push({ kind: 'link', device, up: false });
  changes.push(...sharedSysctls(devices, facts));
  for (const { ios, device } of bound) changes.push(...interfaceSysctls(ios, device));
  for (const { ios, device } of bound) changes.push(...addresses(ios, device));
  changes.push(...aliases(config.nat, bound, notes));
  for (const { ios, device } of bound) if (!ios.shutdown) changes.push({ kind: 'link', device, up: true });
  changes.push(...routes(config, bindings, notes));
  // Per interface rather than ip_forward: no other NIC of the box becomes a router's, and one written line of
  // ip_forward would reset all of them, which could not be undone exactly.
  for (const device of devices) changes.push(conf(device, 'forwarding', 1));
  for (const ios of config.interfaces) {
    if (!bindings.has(ios.name) && !ios.shutdown && ios.addresses.length > 0)
      notes.push({
        level: 'warn',
        text: `${ios.name} has an address but is mapped to no Linux interface: it stays down, what goes there is dropped`,
      });
  }
  return { changes, notes };
}

/** Priorities of our routing rules: behind the table of local addresses, which no rule may precede. */
export const LOCK_PRIORITIES = { passed: 3640, device: 3641, end: 3649 } as const;

/**
 * Routing rules: what came in by our devices and bears no mark of the queue is routed nowhere. Marked packets jump over
 * that, to the rules that were there before. Nothing of it is in iptables, so no flushing of iptables opens it.
 */
function lockRules(devices: readonly string[]): string[] {
  const { passed, device, end } = LOCK_PRIORITIES;
  return [
    `priority ${end} nop`,
    `priority ${passed} fwmark ${PASSED_MARK} goto ${end}`,
    ...devices.map((name) => `priority ${device} iif ${name} blackhole`),
  ];
}

const conf = (device: string, name: string, value: number): HostChange => ({
  kind: 'sysctl',
  key: `net/ipv4/conf/${device}/${name}`,
  value: String(value),
});

/**
 * rp_filter and send_redirects hold where either `all` or the interface sets them, so `all` has to be 0. The
 * interfaces that are not ours keep what they had: they get the value of `all` on their own first.
 */
function sharedSysctls(devices: string[], facts: HostFacts): HostChange[] {
  const changes: HostChange[] = [];
  for (const name of ['rp_filter', 'send_redirects']) {
    const all = Number(facts.sysctl(`net/ipv4/conf/all/${name}`) ?? 0);
    if (all === 0) continue;
    for (const other of facts.devices) {
      if (devices.includes(other)) continue;
      const own = Number(facts.sysctl(`net/ipv4/conf/${other}/${name}`) ?? 0);
      if (own < all) changes.push(conf(other, name, all));
    }
    changes.push(conf('all', name, 0));
  }
  return changes;
}

function interfaceSysctls(ios: InterfaceConfig, device: string): HostChange[] {
  return [
    // The source of a packet is judged by the access lists. The routing table of a router with NAT would misjudge it.
    conf(device, 'rp_filter', 0),
    // A translated packet carries an inside global address as its source, which is our own alias: no martian.
    conf(device, 'accept_local', 1),
    // A source route leads around the access lists; `ip source-route` is not offered.
    conf(device, 'accept_source_route', 0),
    // The kernel would quote the translated packet, and 12.3 with routing on does not listen to redirects.
    conf(device, 'send_redirects', 0),
    conf(device, 'accept_redirects', 0),
    // ARP requests carry the interface's primary address, not the inside global address of the packet that waits.
    conf(device, 'arp_announce', 2),
    conf(device, 'proxy_arp', ios.proxyArp ? 1 : 0),
  ];
}

function addresses(ios: InterfaceConfig, device: string): HostChange[] {
  return ios.addresses.map(({ address, mask }) => ({
    kind: 'address',
    device,
    address: formatAddress(address),
    length: prefixLength(mask),
    alias: false,
  }));
}

interface Bound {
  ios: InterfaceConfig;
  device: string;
}

/** The mapped interface on whose network this address lies, shut down or not. */
function onLink(bound: readonly Bound[], address: number): Bound | undefined {
  return bound.find(({ ios }) => ios.addresses.some((a) => (a.address & a.mask) === (address & a.mask)));
}

/**
 * IOS answers ARP for inside global addresses that lie on a connected network ("IP aliases"); `no-alias` stops it.
 * Here they are addresses of the interface, /32 and after the real ones, which the kernel answers ARP for.
 */
function aliases(nat: NatConfig, bound: readonly Bound[], notes: HostNote[]): HostChange[] {
  const own = new Set(bound.flatMap(({ ios }) => ios.addresses.map((a) => a.address)));
  const changes: HostChange[] = [];
  for (const address of insideGlobals(nat)) {
    const at = onLink(bound, address);
    if (at === undefined || own.has(address) || !isHost(at.ios, address)) continue;
    if (changes.length === MAX_ALIASES) {
      notes.push({ level: 'warn', text: `ARP is answered for the first ${MAX_ALIASES} inside global addresses only` });
      break;
    }
    own.add(address);
    changes.push({ kind: 'address', device: at.device, address: formatAddress(address), length: 32, alias: true });
  }
  return changes;
}

/** No network or broadcast address of the interface: those of `static network` are no hosts either. */
const isHost = (ios: InterfaceConfig, address: number): boolean =>
  ios.addresses.every(({ address: own, mask }) => address !== (own & mask) && address !== (own | ~mask));

function* insideGlobals(nat: NatConfig): Generator<number> {
  for (const entry of nat.staticEntries) {
    if (entry.noAlias === true || entry.interfaceName !== undefined) continue;
    if (entry.mask === undefined) yield entry.insideGlobal;
    else yield* range(entry.insideGlobal, entry.insideGlobal | ~entry.mask);
  }
  for (const { pool } of nat.dynamic) {
    const addresses = pool === undefined ? undefined : nat.pools.get(pool);
    if (addresses !== undefined) yield* range(addresses.start, addresses.end);
  }
}

function* range(first: number, last: number): Generator<number> {
  for (let a = first >>> 0; a <= last >>> 0; a++) yield a | 0;
}

/**
 * The static routes, and one that leads nowhere for each network behind an interface that is not mapped: the engine
 * drops what goes there, and the kernel must not send it by another route of its own if it ever sees it.
 */
function routes(config: RouterConfig, bindings: ReadonlyMap<string, string>, notes: HostNote[]): HostChange[] {
  const warn = (text: string): void => void notes.push({ level: 'warn', text });
  const planned = new Map<string, HostRoute>();
  const resolved = resolveRoutes(config, new Set(bindings.keys()));
  const installed = new Set(resolved.map((r) => r.route));
  for (const route of config.routes) if (!installed.has(route)) warn(`${routeLine(route)}: ${whyNot(config, route)}`);
  for (const r of resolved) {
    if (r.route === undefined && r.out.kind !== 'unmapped') continue; // the kernel makes it with the address
    if (r.route !== undefined && r.out.kind === 'unmapped')
      warn(`${routeLine(r.route)}: ${r.out.name} is mapped to no Linux interface: what goes there is dropped`);
    const refused = join(planned, hostRoute(r, bindings));
    if (refused !== undefined) warn(refused);
  }
  return [...planned.values()].map((route) => ({ kind: 'route', route }));
}

function hostRoute({ prefix, mask, distance, out }: ResolvedRoute, bindings: ReadonlyMap<string, string>): HostRoute {
  const destination = `${formatAddress(prefix)}/${prefixLength(mask)}`;
  if (out.kind === 'null') return { destination, metric: distance };
  if (out.kind === 'unmapped') return { destination, metric: LAST_METRIC };
  const device = bindings.get(out.name)!;
  const via = out.gateway === undefined ? {} : { via: formatAddress(out.gateway) };
  return { destination, ...via, device, metric: distance };
}

function routeLine(r: StaticRoute): string {
  const to = [r.interfaceName, r.nextHop === undefined ? undefined : formatAddress(r.nextHop)];
  return ['ip route', formatAddress(r.prefix), formatAddress(r.mask), ...to].filter((w) => w !== undefined).join(' ');
}

/** Why a route is not in force, as IOS would not install it either. */
function whyNot(config: RouterConfig, { distance, interfaceName, nextHop }: StaticRoute): string {
  if (distance >= UNREACHABLE_DISTANCE) return `distance ${distance} is never installed`;
  const onLink = (i: InterfaceConfig): boolean =>
    nextHop !== undefined && i.addresses.some((a) => ((nextHop ^ a.address) & a.mask) === 0);
  const down = config.interfaces.find((i) => i.shutdown && (i.name === interfaceName || onLink(i)));
  if (down !== undefined) return `${down.name} is shut down, the route is left out`;
  return 'there is no way to the next hop, the route is left out';
}

/**
 * Adds a route. One of the same destination and distance gets a further hop: Linux has one route for both.
 * @returns undefined, or a sentence why not
 */
function join(planned: Map<string, HostRoute>, route: HostRoute): string | undefined {
  const { destination, metric, via, device } = route;
  const key = `${destination} ${metric}`;
  const known = planned.get(key);
  if (known === undefined) {
    planned.set(key, route);
    return undefined;
  }
  if (known.device === undefined && device === undefined) return undefined;
  if (known.device === undefined || device === undefined)
    return `${destination} has a next hop and Null0 at distance ${metric}: the later line is left out`;
  const hops = [known, ...(known.also ?? [])];
  if (!hops.some((h) => h.via === via && h.device === device))
    known.also = [...(known.also ?? []), { ...(via === undefined ? {} : { via }), device }];
  return undefined;
}
