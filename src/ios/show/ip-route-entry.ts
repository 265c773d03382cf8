/** `show ip route A.B.C.D [MASK]` and `show ip route summary`. */
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import { classfulMask, formatAddress, prefixLength } from '../ipv4-text.js';
import { type Route, routeList, routingTable } from './ip-route.js';

/** What a route, and a way of it, take of a 3640's memory, bytes; and what a network with subnets takes (12.4). */
const OVERHEAD = 72;
const MEMORY = 136;
const INTERNAL = 1156;

const isSubnet = (r: Route): boolean => prefixLength(r.mask) > prefixLength(classfulMask(r.prefix));

/** The classful network of a route, where it is a subnet. */
const majorOf = (r: Route): number => r.prefix & classfulMask(r.prefix);

/**
 * The route that an address would be sent by. The default route is no answer, as on the router: what only it covers
 * is not in the table.
 * @param mask the prefix asked for has this mask exactly; undefined: the longest one that covers the address
 */
export function showIpRouteEntry(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  mapped: ReadonlySet<string> | undefined,
  address: number,
  mask?: number,
): string {
  const routes = routingTable(config, live, mapped);
  const covers = (r: Route): boolean =>
    (address & r.mask) === r.prefix && (mask === undefined || (mask === r.mask && (address & mask) === r.prefix));
  const asksDefault = address === 0 && (mask ?? 0) === 0;
  const [found] = routes
    .filter((r) => covers(r) && (r.mask !== 0 || asksDefault))
    .sort((a, b) => prefixLength(b.mask) - prefixLength(a.mask));
  if (found !== undefined) return entry(found);
  const classful = classfulMask(address);
  const subnets = routes.filter((r) => isSubnet(r) && majorOf(r) === (address & classful));
  if (subnets.length === 0) return '% Network not in table\n';
  const asksNetwork = (address & ~classful) === 0 && (mask === undefined || mask === classful);
  return asksNetwork ? network(address, subnets, routes) : '% Subnet not in table\n';
}

function entry(r: Route): string {
  const known = r.code === 'C' ? 'connected' : 'static';
  const direct = r.hops.every((h) => h.nextHop === undefined);
  const how = r.code === 'C' ? ' (connected, via interface)' : direct ? ' (connected)' : '';
  const standard = r.mask === 0 ? ', candidate default path' : '';
  const supernet = prefixLength(r.mask) < prefixLength(classfulMask(r.prefix)) ? ', supernet' : '';
  const ways = r.hops.map(({ nextHop, interfaceName }, i) => {
    const via = interfaceName === undefined ? '' : `, via ${interfaceName}`;
    const to = nextHop === undefined ? `directly connected${via}` : `${formatAddress(nextHop)}${via}`;
    return `  ${i === 0 ? '*' : ' '} ${to}\n      Route metric is 0, traffic share count is 1\n`;
  });
  return (
    `Routing entry for ${formatAddress(r.prefix)}/${prefixLength(r.mask)}${supernet}\n` +
    `  Known via "${known}", distance ${r.distance}, metric 0${how}${standard}\n` +
    `  Routing Descriptor Blocks:\n${ways.join('')}\n`
  );
}

/** A network of which the router has subnets only. Inferred: the layout, from 12.x as it is remembered. */
function network(address: number, subnets: readonly Route[], routes: readonly Route[]): string {
  const masks = new Set(subnets.map((r) => r.mask)).size;
  const length = masks === 1 ? prefixLength(subnets[0]!.mask) : prefixLength(classfulMask(address));
  const attached = subnets.filter((r) => r.code === 'C').length;
  const list = routeList(routes, (r) => subnets.includes(r));
  return (
    `Routing entry for ${formatAddress(address)}/${length}, ${subnets.length} known subnets\n` +
    (attached === 0 ? '' : `  Attached (${attached} connections)\n`) +
    (masks === 1 ? '' : `  Variably subnetted with ${masks} masks\n`) +
    `\n${list.slice(list.indexOf('\n') + 1)}`
  );
}

/** `show ip route summary`: how many networks and subnets each source has brought. */
export function showIpRouteSummary(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  mapped?: ReadonlySet<string>,
): string {
  const routes = routingTable(config, live, mapped);
  const sum = { networks: 0, subnets: 0, overhead: 0, memory: 0 };
  const row = (
    source: string,
    networks: number,
    subnets: number | '',
    overhead: number | '',
    memory: number,
  ): string => {
    sum.networks += networks;
    sum.subnets += subnets === '' ? 0 : subnets;
    sum.overhead += overhead === '' ? 0 : overhead;
    sum.memory += memory;
    return columns(source, networks, subnets, overhead, memory);
  };
  const ofCode = (source: string, code: Route['code']): string => {
    const own = routes.filter((r) => r.code === code);
    const subnets = own.filter(isSubnet).length;
    return row(source, own.length - subnets, subnets, own.length * OVERHEAD, own.length * MEMORY);
  };
  const majors = new Set(routes.filter(isSubnet).map(majorOf)).size;
  return (
    'IP routing table name is Default-IP-Routing-Table(0)\n' +
    'IP routing table maximum-paths is 16\n' +
    columns('Route Source', 'Networks', 'Subnets', 'Overhead', 'Memory (bytes)') +
    ofCode('connected', 'C') +
    ofCode('static', 'S') +
    row('internal', majors, '', '', majors * INTERNAL) +
    columns('Total', sum.networks, sum.subnets, sum.overhead, sum.memory)
  );
}

const columns = (source: string, ...figures: readonly (number | string)[]): string =>
  `${source.padEnd(16)}${figures.map((f) => String(f).padEnd(12)).join('')}`.trimEnd() + '\n';
