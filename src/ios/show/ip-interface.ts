/** `show ip interface [brief] [NAME]` (reference §10). Lines about features that a 3640 has and we have not say so. */
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';
import type { InterfaceConfig, RouterConfig } from '../config/model.js';
import { formatAddress, prefixLength } from '../ipv4-text.js';
import { type LinkState, linkState } from './link-state.js';

/** `show ip interface brief`. */
export function showIpInterfaceBrief(config: RouterConfig, live: readonly InterfaceSnapshot[], only?: string): string {
  let text = 'Interface                  IP-Address      OK? Method Status                Protocol\n';
  for (const i of config.interfaces) {
    if (only !== undefined && i.name !== only) continue;
    const state = linkState(i, live);
    const primary = i.addresses[0];
    const address = primary === undefined ? 'unassigned' : formatAddress(primary.address);
    text += `${i.name.padEnd(26)} ${address.padEnd(15)} YES NVRAM  ${state.link.padEnd(21)} ${state.protocol}\n`;
  }
  return text;
}

/** `show ip interface`: all, or one. */
export function showIpInterface(config: RouterConfig, live: readonly InterfaceSnapshot[], only?: string): string {
  return config.interfaces
    .filter((i) => only === undefined || i.name === only)
    .map((i) => `${describe(i, linkState(i, live), live).join('\n')}\n`)
    .join('');
}

function describe(i: InterfaceConfig, state: LinkState, live: readonly InterfaceSnapshot[]): string[] {
  const [primary, ...secondary] = i.addresses;
  const head = `${i.name} is ${state.link}, line protocol is ${state.protocol}`;
  if (primary === undefined) return [head, '  Internet protocol processing disabled'];
  const list = (name: string | undefined): string => name ?? 'not set';
  const enabled = (on: boolean): string => (on ? 'enabled' : 'disabled');
  const always = (on: boolean): string => (on ? 'always' : 'never');
  const mtu = live.find((l) => l.name === i.name)?.mtu ?? 1500;
  const cidr = (a: { address: number; mask: number }): string => `${formatAddress(a.address)}/${prefixLength(a.mask)}`;
  return [
    head,
    `  Internet address is ${cidr(primary)}`,
    '  Broadcast address is 255.255.255.255',
    '  Address determined by non-volatile memory',
    `  MTU is ${mtu} bytes`,
    '  Helper address is not set',
    '  Directed broadcast forwarding is disabled',
    ...secondary.map((a) => `  Secondary address ${cidr(a)}`),
    `  Outgoing access list is ${list(i.accessGroupOut)}`,
    `  Inbound  access list is ${list(i.accessGroupIn)}`,
    `  Proxy ARP is ${enabled(i.proxyArp)}`,
    '  Local Proxy ARP is disabled',
    '  Security level is default',
    '  Split horizon is enabled',
    `  ICMP redirects are ${always(i.redirects)} sent`,
    `  ICMP unreachables are ${always(i.unreachables)} sent`,
    '  ICMP mask replies are never sent',
    '  IP fast switching is disabled',
    '  IP fast switching on the same interface is disabled',
    '  IP Flow switching is disabled',
    '  IP CEF switching is disabled',
    '  IP multicast fast switching is disabled',
    '  IP multicast distributed fast switching is disabled',
    '  IP route-cache flags are None',
    '  Router Discovery is disabled',
    '  IP output packet accounting is disabled',
    '  IP access violation accounting is disabled',
    '  TCP/IP header compression is disabled',
    '  RTP/IP header compression is disabled',
    '  Policy routing is disabled',
    `  Network address translation is ${i.nat === undefined ? 'disabled' : `enabled, interface in domain ${i.nat}`}`,
    '  WCCP Redirect outbound is disabled',
    '  WCCP Redirect inbound is disabled',
    '  WCCP Redirect exclude is disabled',
    '  BGP Policy Mapping is disabled',
    ...(i.inspectOut === undefined ? [] : [`  Outgoing inspection rule is ${i.inspectOut}`]),
    ...(i.inspectIn === undefined ? [] : [`  Inbound inspection rule is ${i.inspectIn}`]),
  ];
}
