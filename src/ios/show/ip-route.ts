/** `show ip route [static|connected]`: connected and static routes, grouped under their classful network as IOS 12.x does. */
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';
import { isMapped, resolveRoutes } from '../compile/routes.js';
import type { RouterConfig, StaticRoute } from '../config/model.js';
import { classfulMask, formatAddress, prefixLength } from '../ipv4-text.js';
import { linkState } from './link-state.js';

const CODES = `Codes: C - connected, S - static, R - RIP, M - mobile, B - BGP
       D - EIGRP, EX - EIGRP external, O - OSPF, IA - OSPF inter area
       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2
       E1 - OSPF external type 1, E2 - OSPF external type 2
       i - IS-IS, su - IS-IS summary, L1 - IS-IS level-1, L2 - IS-IS level-2
       ia - IS-IS inter area, * - candidate default, U - per-user static route
       o - ODR, P - periodic downloaded static route
`;

export interface Route {
  code: 'C' | 'S';
  prefix: number;
  mask: number;
  /** What stands behind the prefix, one for each next hop. */
  via: string[];
  /** Next hop of the default route. */
  gateway: string;
  distance: number;
  /** The ways of `via`: a next hop, an interface, or both. */
  hops: { nextHop: number | undefined; interfaceName: string | undefined }[];
}

export function showIpRoute(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  mapped?: ReadonlySet<string>,
): string {
  const routes = routingTable(config, live, mapped);
  const standard = routes.find((r) => r.mask === 0);
  const gateway =
    standard === undefined
      ? 'Gateway of last resort is not set'
      : `Gateway of last resort is ${standard.gateway} to network 0.0.0.0`;
  return `${CODES}\n${gateway}\n\n${routeList(routes, () => true)}`;
}

/** `show ip route static`, `show ip route connected`: the routes of one code, under their networks, and no more. */
export function showIpRouteOf(
  code: Route['code'],
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  mapped?: ReadonlySet<string>,
): string {
  return routeList(routingTable(config, live, mapped), (r) => r.code === code);
}

/** The routes wanted, under the lines of their networks, which count all routes. The default route comes last. */
export function routeList(routes: readonly Route[], wanted: (r: Route) => boolean): string {
  const standard = routes.find((r) => r.mask === 0);
  const networks = routes.filter((r) => r.mask !== 0);
  const lines = [
    ...groups(networks, wanted),
    ...(standard === undefined || !wanted(standard) ? [] : routeLines(standard, 'S*   ', '/0')),
  ];
  return lines.map((l) => `${l}\n`).join('');
}

/**
 * The routes that are in use: those through interfaces that are up, of each prefix the nearest. What leads to an
 * interface that no Linux interface is bound to is dropped, and so it is said.
 */
export function routingTable(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  mapped?: ReadonlySet<string>,
): Route[] {
  const down = new Set(
    config.interfaces
      .filter((i) => isMapped(i.name, mapped) && linkState(i, live).protocol === 'down')
      .map((i) => i.name),
  );
  const up = { ...config, interfaces: config.interfaces.map((i) => (down.has(i.name) ? { ...i, shutdown: true } : i)) };
  const found = new Map<string, { distance: number; place: number; route: Route }>();
  const resolved = resolveRoutes(up, mapped);
  for (const { prefix, mask, distance, out, route: line } of resolved) {
    const code = line === undefined ? 'C' : 'S';
    const via = out.kind === 'interface' ? viaText(out.name, distance, line) : 'is directly connected, Null0';
    const hop = {
      nextHop: line?.nextHop,
      interfaceName: line?.nextHop === undefined ? (out.kind === 'interface' ? out.name : 'Null0') : line.interfaceName,
    };
    const key = `${prefix}/${mask}`;
    const known = found.get(key);
    if (known === undefined)
      found.set(key, {
        distance,
        place: line === undefined ? found.size - resolved.length : config.routes.indexOf(line),
        route: { code, prefix, mask, via: [via], gateway: formatAddress(line?.nextHop ?? 0), distance, hops: [hop] },
      });
    else if (known.distance === distance && known.route.code === code && !known.route.via.includes(via)) {
      known.route.via.push(via);
      known.route.hops.push(hop);
    }
  }
  // Connected networks and then lines, each in the order of the configuration.
  return [...found.values()].sort((a, b) => a.place - b.place).map((n) => n.route);
}

function viaText(name: string, distance: number, line: StaticRoute | undefined): string {
  if (line?.nextHop === undefined) return `is directly connected, ${name}`;
  return `[${distance}/0] via ${formatAddress(line.nextHop)}${line.interfaceName === undefined ? '' : `, ${line.interfaceName}`}`;
}

/** Subnets under the line of their classful network; networks and supernets by themselves. */
function groups(routes: readonly Route[], wanted: (r: Route) => boolean): string[] {
  const lines: string[] = [];
  const byNetwork = new Map<number, Route[]>();
  for (const r of routes) {
    const network = r.prefix & classfulMask(r.prefix);
    byNetwork.set(network, [...(byNetwork.get(network) ?? []), r]);
  }
  for (const [network, members] of byNetwork) {
    const classful = classfulMask(network);
    const subnets = members.filter((r) => prefixLength(r.mask) > prefixLength(classful));
    for (const r of members.filter(wanted))
      if (!subnets.includes(r)) lines.push(...routeLines(r, `${r.code}    `, `/${prefixLength(r.mask)}`));
    if (!subnets.some(wanted)) continue;
    const masks = new Set(subnets.map((r) => r.mask));
    const at = formatAddress(network);
    if (masks.size === 1) {
      lines.push(`     ${at}/${prefixLength(subnets[0]!.mask)} is subnetted, ${subnets.length} subnets`);
      for (const r of subnets.filter(wanted)) lines.push(...routeLines(r, `${r.code}       `, ''));
    } else {
      lines.push(
        `     ${at}/${prefixLength(classful)} is variably subnetted, ${subnets.length} subnets, ${masks.size} masks`,
      );
      for (const r of subnets.filter(wanted))
        lines.push(...routeLines(r, `${r.code}       `, `/${prefixLength(r.mask)}`));
    }
  }
  return lines;
}

/** A further next hop stands alone under the first. */
function routeLines(r: Route, head: string, length: string): string[] {
  const start = `${head}${formatAddress(r.prefix)}${length} `;
  return r.via.map((via, i) => (i === 0 ? start + via : ' '.repeat(start.length) + via));
}
