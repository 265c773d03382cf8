/** Which translation a new flow gets, with the line that gives it: for explain.ts. */
import type { DynamicNat, RouterConfig, StaticNat } from '../config/model.js';
import { staticNatLine } from '../config/running-config.js';
import { formatAddress } from '../ipv4-text.js';
import { entryMatches } from './probe.js';
import type { Probe } from './probe.js';

export interface Translated {
  kind: 'translated' | 'exhausted';
  address: number;
  port: number;
  text: string;
  because: string;
  line?: number;
}

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17 };

/** Outside to inside: static translations only; a flow from outside makes no dynamic one. */
export function translateDestination(config: RouterConfig, p: Probe): Translated | undefined {
  for (const s of byPortFirst(config)) {
    const global = globalOf(config, s);
    if (global === undefined) continue;
    if (s.ports !== undefined) {
      if (PROTOCOLS[s.ports.protocol] !== p.protocol || p.dst !== global || p.dstPort !== s.ports.insideGlobal)
        continue;
      return to(s, p.dst, p.dstPort, s.insideLocal, s.ports.insideLocal);
    }
    const mask = s.mask ?? -1;
    if ((p.dst & mask) === (global & mask))
      return to(s, p.dst, p.dstPort, (s.insideLocal & mask) | (p.dst & ~mask), p.dstPort);
  }
  return undefined;
}

/** Inside to outside: a static translation, else the first list that permits the packet. */
export function translateSource(config: RouterConfig, p: Probe): Translated | undefined {
  for (const s of byPortFirst(config)) {
    const global = globalOf(config, s);
    if (global === undefined) continue;
    if (s.ports !== undefined) {
      if (PROTOCOLS[s.ports.protocol] !== p.protocol || p.src !== s.insideLocal || p.srcPort !== s.ports.insideLocal)
        continue;
      return to(s, p.src, p.srcPort, global, s.ports.insideGlobal);
    }
    const mask = s.mask ?? -1;
    if ((p.src & mask) === (s.insideLocal & mask))
      return to(s, p.src, p.srcPort, (global & mask) | (p.src & ~mask), p.srcPort);
  }
  const dynamic = config.nat.dynamic.find((d) => lets(config, d, p));
  return dynamic === undefined ? undefined : viaList(config, dynamic, p);
}

/** Translations of one port stand before those of a host, and those before networks. */
const byPortFirst = ({ nat }: RouterConfig): StaticNat[] => {
  const rank = (s: StaticNat): number => (s.ports !== undefined ? 0 : s.mask === undefined ? 1 : 2);
  return [...nat.staticEntries].sort((a, b) => rank(a) - rank(b));
};

const addressOf = (config: RouterConfig, name: string): number | undefined =>
  config.interfaces.find((i) => i.name === name)?.addresses[0]?.address;

const globalOf = (config: RouterConfig, s: StaticNat): number | undefined =>
  s.interfaceName === undefined ? s.insideGlobal : addressOf(config, s.interfaceName);

function to(s: StaticNat, from: number, fromPort: number, address: number, port: number): Translated {
  const end = (a: number, n: number): string => (s.ports === undefined ? formatAddress(a) : `${formatAddress(a)}:${n}`);
  const text = `${end(from, fromPort)} becomes ${end(address, port)}`;
  return { kind: 'translated', address, port, text, because: staticNatLine(s), ...(s.line ? { line: s.line } : {}) };
}

function lets(config: RouterConfig, d: DynamicNat, p: Probe): boolean {
  const list = config.accessLists.get(d.list);
  // A list that does not exist permits everything, as nat/allocation.ts has it.
  return list === undefined || list.entries.find((e) => entryMatches(e, p))?.action === 'permit';
}

function viaList(config: RouterConfig, d: DynamicNat, p: Probe): Translated {
  const pool = d.pool === undefined ? undefined : config.nat.pools.get(d.pool);
  const own = d.interfaceName === undefined ? undefined : addressOf(config, d.interfaceName);
  const address = pool?.start ?? own;
  const target = d.pool === undefined ? `interface ${d.interfaceName ?? ''}` : `pool ${d.pool}`;
  const because = `ip nat inside source list ${d.list} ${target}${d.overload ? ' overload' : ''}`;
  const line = d.line === 0 ? {} : { line: d.line };
  const from = formatAddress(p.src);
  if (address === undefined)
    return {
      kind: 'exhausted',
      address: p.src,
      port: p.srcPort,
      text: `${from} would be translated, but ${target} has no address`,
      because,
      ...line,
    };
  const which =
    pool === undefined
      ? formatAddress(address)
      : `an address of ${formatAddress(pool.start)} to ${formatAddress(pool.end)}`;
  const text = `${from} becomes ${which}${d.overload ? ', the port may change' : ''}`;
  return { kind: 'translated', address, port: p.srcPort, text, because, ...line };
}
