/** Where a probe of the router goes, and how it leaves: which interface and source address, or that there is no way. */
import type { Probe } from '../../core/probe/probe.js';
import { routingTable } from '../compile/policy.js';
import type { InterfaceSnapshot } from '../../core/state/snapshot.js';
import type { InterfaceConfig, RouterConfig } from '../config/model.js';
import type { ConsoleRouter } from '../exec/router.js';
import { linkState } from '../show/link-state.js';
import { findHost, type Waits } from './host.js';

type Way = Pick<Probe, 'via' | 'source' | 'mtu'>;

/** What `source` names: an address, or an interface by its canonical name. */
export type Source = { address: number } | { interfaceName: string };

/** Least that an IPv4 link takes (RFC 791). */
const LEAST_MTU = 68;
const ETHERNET_MTU = 1500;

const isUp = (i: InterfaceConfig, live: readonly InterfaceSnapshot[]): boolean => linkState(i, live).protocol === 'up';

export interface Found {
  destination: number;
  /** The address that `source` names; undefined: the router chooses. */
  source: number | undefined;
  way: Way;
}

/**
 * Finds the host that a probe is for, and the way there. What IOS says meanwhile, or why it refuses, is printed.
 * @param found called once, perhaps at once; undefined: there is no such host or source
 */
export function findWay(
  router: ConsoleRouter,
  options: { target: string; source: Source | undefined },
  print: (text: string) => void,
  waits: Waits,
  found: (to: Found | undefined) => void,
): void {
  findHost(router, options.target, print, waits, (destination) => {
    if (destination === undefined) {
      found(undefined);
      return;
    }
    const config = router.config();
    const live = router.system.interfaces();
    const source = options.source === undefined ? undefined : sourceAddress(config, live, options.source);
    if (typeof source === 'object') {
      print(source.refusal);
      found(undefined);
      return;
    }
    found({ destination, source, way: wayTo(config, live, router.snapshot.mapped, destination, source) });
  });
}

/** @returns the address that probes are sent from, or why IOS refuses it */
function sourceAddress(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  source: Source,
): number | { refusal: string } {
  const up = config.interfaces.filter((i) => isUp(i, live));
  if ('address' in source) {
    const own = up.some((i) => i.addresses.some((a) => a.address === source.address));
    return own ? source.address : { refusal: '% Invalid source address- IP address not on any of our up interfaces\n' };
  }
  const address = up.find((i) => i.name === source.interfaceName)?.addresses[0]?.address;
  return address ?? { refusal: '% Invalid source interface - IP not enabled or interface is down\n' };
}

/**
 * @param live the interfaces as they are now
 * @param source of `sourceAddress`; undefined: the address of the interface that the probe leaves by
 */
function wayTo(
  config: RouterConfig,
  live: readonly InterfaceSnapshot[],
  mapped: ReadonlySet<string> | undefined,
  destination: number,
  source: number | undefined,
): Way {
  const owner = config.interfaces.find((i) => i.addresses.some((a) => a.address === destination));
  if (owner !== undefined) {
    const via = isUp(owner, live) ? 'loopback' : 'nowhere';
    return { via, source: source ?? destination, mtu: ETHERNET_MTU };
  }
  // Neither a broadcast nor a multicast is sent: no single host would answer it.
  const egress = config.interfaces[routingTable(config, mapped).lookup(destination)];
  const from = source ?? egress?.addresses[0]?.address;
  if (egress === undefined || from === undefined) return { via: 'nowhere', source: 0, mtu: ETHERNET_MTU };
  const mtu = live.find((l) => l.name === egress.name)?.mtu ?? ETHERNET_MTU;
  return { via: 'wire', source: from, mtu: Math.max(mtu, LEAST_MTU) };
}
