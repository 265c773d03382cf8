/** `show ip route`: connected and static routes, grouped under their classful network as IOS 12.x does. */
import type { InterfaceSnapshot } from '../../snapshot.js';
import type { RouterConfig } from '../config/model.js';
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

interface Route {
  code: 'C' | 'S';
  prefix: number;
  mask: number;
  /** What stands behind the prefix, one for each next hop. */
  via: string[];
  /** Next hop of the default route. */
  gateway: string;
}

export function showIpRoute(config: RouterConfig, live: readonly InterfaceSnapshot[]): string {
  const routes = table(config, live);
  const standard = routes.find((r) => r.mask === 0);
  const gateway =
    standard === undefined
      ? 'Gateway of last resort is not set'
      : `Gateway of last resort is ${standard.gateway} to network 0.0.0.0`;
  const lines = [
    ...groups(routes.filter((r) => r.mask !== 0)),
    ...(standard === undefined ? [] : routeLines(standard, 'S*   ', '/0')),
  ];
  return `${CODES}\n${gateway}\n\n${lines.map((l) => `${l}\n`).join('')}`;
}

/** The routes that are in use: those through interfaces that are up, of each prefix the nearest. */
function table(config: RouterConfig, live: readonly InterfaceSnapshot[]): Route[] {
  const up = config.interfaces.filter((i) => linkState(i, live).protocol === 'up');
  const routes: Route[] = [];
  for (const i of up)
    for (const { address, mask } of i.addresses)
      routes.push({ code: 'C', prefix: address & mask, mask, via: [`is directly connected, ${i.name}`], gateway: '' });
  const connected = (hop: number): boolean => routes.some((r) => r.code === 'C' && (hop & r.mask) === r.prefix);
  const nearest = new Map<string, { distance: number; route: Route }>();
  for (const s of config.routes) {
    const through =
      s.interfaceName === undefined || /^Null/.test(s.interfaceName) || up.some((i) => i.name === s.interfaceName);
    if (!through || (s.interfaceName === undefined && !connected(s.nextHop!))) continue;
    const key = `${s.prefix}/${s.mask}`;
    const known = nearest.get(key);
    const via =
      s.nextHop === undefined
        ? `is directly connected, ${s.interfaceName ?? ''}`
        : `[${s.distance}/0] via ${formatAddress(s.nextHop)}${s.interfaceName === undefined ? '' : `, ${s.interfaceName}`}`;
    if (known !== undefined && known.distance === s.distance) known.route.via.push(via);
    else if (known === undefined || s.distance < known.distance) {
      const gateway = formatAddress(s.nextHop ?? 0);
      const route: Route = { code: 'S', prefix: s.prefix, mask: s.mask, via: [via], gateway };
      nearest.set(key, { distance: s.distance, route });
    }
  }
  const local = (r: Route): boolean => routes.some((c) => c.code === 'C' && c.prefix === r.prefix && c.mask === r.mask);
  return [...routes, ...[...nearest.values()].map((n) => n.route).filter((r) => !local(r))];
}

/** Subnets under the line of their classful network; networks and supernets by themselves. */
function groups(routes: readonly Route[]): string[] {
  const lines: string[] = [];
  const byNetwork = new Map<number, Route[]>();
  for (const r of routes) {
    const network = r.prefix & classfulMask(r.prefix);
    byNetwork.set(network, [...(byNetwork.get(network) ?? []), r]);
  }
  for (const [network, members] of byNetwork) {
    const classful = classfulMask(network);
    const subnets = members.filter((r) => prefixLength(r.mask) > prefixLength(classful));
    for (const r of members)
      if (!subnets.includes(r)) lines.push(...routeLines(r, `${r.code}    `, `/${prefixLength(r.mask)}`));
    if (subnets.length === 0) continue;
    const masks = new Set(subnets.map((r) => r.mask));
    const at = formatAddress(network);
    if (masks.size === 1) {
      lines.push(`     ${at}/${prefixLength(subnets[0]!.mask)} is subnetted, ${subnets.length} subnets`);
      for (const r of subnets) lines.push(...routeLines(r, `${r.code}       `, ''));
    } else {
      lines.push(
        `     ${at}/${prefixLength(classful)} is variably subnetted, ${subnets.length} subnets, ${masks.size} masks`,
      );
      for (const r of subnets) lines.push(...routeLines(r, `${r.code}       `, `/${prefixLength(r.mask)}`));
    }
  }
  return lines;
}

/** A further next hop stands alone under the first. */
function routeLines(r: Route, head: string, length: string): string[] {
  const start = `${head}${formatAddress(r.prefix)}${length} `;
  return r.via.map((via, i) => (i === 0 ? start + via : ' '.repeat(start.length) + via));
}
