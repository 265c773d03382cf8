/**
 * What `ip nat inside source` makes of the ends of a packet, with the line that gives it: for explain.ts. In the order
 * of nat/ends.ts: the flow, its port, its host, its network; then the first list that permits it.
 */
import type { TranslationSnapshot } from '../../core/state/snapshot.js';
import type { DynamicNat, InterfaceConfig, RouterConfig, StaticNat } from '../config/model.js';
import { staticNatLine } from '../config/running-config.js';
import { formatAddress } from '../ipv4-text.js';
import { entryMatches } from './probe.js';
import type { TracedPacket } from './probe.js';

export interface Translated {
  kind: 'translated' | 'exhausted';
  address: number;
  /** Undefined: the router chooses it. */
  port: number | undefined;
  text: string;
  because?: string;
  line?: number;
}

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const NAMES: Readonly<Record<number, string>> = { [TCP]: 'tcp', [UDP]: 'udp', [ICMP]: 'icmp' };

/** An end that is looked for: of a packet, or of a translation. */
interface End {
  address: number;
  port: number;
}

export class NatView {
  readonly #config: RouterConfig;
  readonly #flows: TranslationSnapshot[];
  /** Inside hosts that have an address of a pool. */
  readonly #hosts: TranslationSnapshot[];

  /** @param known what the running router has translated; empty: only the configuration is asked */
  constructor(config: RouterConfig, known: readonly TranslationSnapshot[]) {
    this.#config = config;
    this.#flows = known.filter((t) => t.outside !== undefined);
    this.#hosts = known.filter((t) => t.outside === undefined && t.insideGlobalPort === undefined && !t.static);
  }

  /** True for an address of the router's own interfaces. */
  isOwn(address: number): boolean {
    return this.#config.interfaces.some((i) => i.addresses.some((a) => a.address === address));
  }

  /** True for an address that stands for inside hosts: what has no translation there goes nowhere. */
  isGlobal(address: number): boolean {
    const { staticEntries, dynamic, pools } = this.#config.nat;
    if (staticEntries.length + dynamic.length === 0) return false;
    if (this.isOwn(address)) return true;
    const inPool = dynamic.some((d) => {
      const pool = d.pool === undefined ? undefined : pools.get(d.pool);
      return pool !== undefined && pool.start >>> 0 <= address >>> 0 && address >>> 0 <= pool.end >>> 0;
    });
    return inPool || staticEntries.some((s) => covers(this.#globalOf(s), s.mask, address));
  }

  /**
   * Outside to inside: whom the packet is for; undefined: nothing is translated there.
   * @param fromInside the other end knows the sender by its inside global end, where it has one already
   */
  destination(p: TracedPacket, fromInside: boolean): Translated | undefined {
    const from = fromInside ? this.#knownSource(p) : undefined;
    const sender = { address: from?.address ?? p.src, port: from?.port ?? p.srcPort };
    const flow = this.#flow(p.protocol, (t) => at(t.insideGlobal, t.insideGlobalPort, end(p.dst, p.dstPort)), sender);
    if (flow !== undefined) return this.#asNow(p, flow, flow.insideLocal, flow.insideLocalPort);
    for (const s of this.#portsFirst()) {
      const global = this.#globalOf(s);
      if (global === undefined) continue;
      if (s.ports !== undefined) {
        if (s.ports.protocol !== NAMES[p.protocol] || p.dst !== global || p.dstPort !== s.ports.insideGlobal) continue;
        return fixed(s, end(p.dst, p.dstPort), end(s.insideLocal, s.ports.insideLocal));
      }
      if (covers(global, s.mask, p.dst))
        return fixed(s, end(p.dst, p.dstPort), end(renumber(s.insideLocal, s.mask, p.dst), p.dstPort));
    }
    const host = this.#hosts.find((t) => t.insideGlobal === p.dst);
    return host === undefined ? undefined : this.#asNow(p, host, host.insideLocal, p.dstPort);
  }

  /**
   * Inside to outside.
   * @param p its destination as the inside host addresses it
   * @param hairpin where it came in, if it goes to another inside host: its replies must come back through the router
   * @returns undefined: it goes out as it is
   */
  source(p: TracedPacket, hairpin: InterfaceConfig | undefined): Translated | undefined {
    const known = this.#knownSource(p);
    if (known !== undefined) return known;
    const dynamic = this.#config.nat.dynamic.find((d) => this.#permits(d, p));
    if (dynamic !== undefined) return this.#viaList(dynamic, p);
    const own = hairpin?.addresses[0]?.address;
    if (hairpin === undefined || own === undefined) return undefined;
    const because = `the address of ${hairpin.name}: replies come back here`;
    return {
      kind: 'translated',
      address: own,
      port: undefined,
      text: `${becomes(p.src, own)}, the port may change`,
      because,
    };
  }

  /** The inside global end that the source has already, by a flow, or by an entry for its port, its host, its network. */
  #knownSource(p: TracedPacket): Translated | undefined {
    const local = end(p.src, p.srcPort);
    const flow = this.#flow(p.protocol, (t) => at(t.insideLocal, t.insideLocalPort, local), end(p.dst, p.dstPort));
    if (flow !== undefined) return this.#asNow(p, flow, flow.insideGlobal, flow.insideGlobalPort);
    const [ports, hosts] = [this.#portsFirst().filter((s) => s.ports), this.#portsFirst().filter((s) => !s.ports)];
    for (const s of ports) {
      const global = this.#globalOf(s);
      if (global === undefined || s.ports!.protocol !== NAMES[p.protocol]) continue;
      if (p.src === s.insideLocal && p.srcPort === s.ports!.insideLocal)
        return fixed(s, local, end(global, s.ports!.insideGlobal));
    }
    // PAT keeps the port that it gave to another flow of this one.
    const bound = this.#flows.find(
      (t) => this.#overloads(t) && t.protocol === NAMES[p.protocol] && at(t.insideLocal, t.insideLocalPort, local),
    );
    if (bound !== undefined && p.protocol !== ICMP)
      return this.#asNow(p, bound, bound.insideGlobal, bound.insideGlobalPort);
    const host = this.#hosts.find((t) => t.insideLocal === p.src);
    for (const s of hosts) {
      const global = this.#globalOf(s);
      if (s.mask !== undefined && host !== undefined) break;
      if (global !== undefined && covers(s.insideLocal, s.mask, p.src))
        return fixed(s, local, end(renumber(global, s.mask, p.src), p.srcPort));
    }
    return host === undefined ? undefined : this.#asNow(p, host, host.insideGlobal, p.srcPort);
  }

  /** The flow of one of its ends with `outside`. A probe has no ICMP identifier: its query is a new one. */
  #flow(
    protocol: number,
    isInside: (t: TranslationSnapshot) => boolean,
    outside: End,
  ): TranslationSnapshot | undefined {
    if (protocol === ICMP) return undefined;
    return this.#flows.find(
      (t) => t.protocol === NAMES[protocol] && isInside(t) && at(t.outside!, t.outsidePort, outside),
    );
  }

  #overloads(t: TranslationSnapshot): boolean {
    return t.mapping !== undefined && this.#config.nat.dynamic[t.mapping]?.overload === true;
  }

  /** As the running router translates it now. */
  #asNow(p: TracedPacket, t: TranslationSnapshot, address: number, port: number | undefined): Translated {
    const from = address === t.insideLocal ? t.insideGlobal : t.insideLocal;
    const rule = t.mapping === undefined ? undefined : this.#config.nat.dynamic[t.mapping];
    return {
      kind: 'translated',
      address,
      port: port ?? p.dstPort,
      text: `${becomes(from, address)}, as translated now`,
      ...(rule === undefined ? {} : fromList(rule)),
    };
  }

  /** Entries of one port stand before those of a host, and those before networks. */
  #portsFirst(): StaticNat[] {
    const rank = (s: StaticNat): number => (s.ports !== undefined ? 0 : s.mask === undefined ? 1 : 2);
    return [...this.#config.nat.staticEntries].sort((a, b) => rank(a) - rank(b));
  }

  #addressOf(name: string | undefined): number | undefined {
    return this.#config.interfaces.find((i) => i.name === name)?.addresses[0]?.address;
  }

  #globalOf(s: StaticNat): number | undefined {
    return s.interfaceName === undefined ? s.insideGlobal : this.#addressOf(s.interfaceName);
  }

  #permits(d: DynamicNat, p: TracedPacket): boolean {
    const list = this.#config.accessLists.get(d.list);
    // A list that does not exist, or is empty, permits everything, as nat/allocation.ts has it.
    if (list === undefined || list.entries.length === 0) return true;
    return list.entries.find((e) => entryMatches(e, p))?.action === 'permit';
  }

  #viaList(d: DynamicNat, p: TracedPacket): Translated {
    const pool = d.pool === undefined ? undefined : this.#config.nat.pools.get(d.pool);
    const own = d.pool === undefined ? this.#addressOf(d.interfaceName) : undefined;
    const [first, last] = pool === undefined ? [own, own] : [pool.start, pool.end];
    const taken = new Set(this.#hosts.map((t) => t.insideGlobal));
    // Who gets an address for himself gets none of which somebody has a port.
    if (!d.overload) for (const t of this.#flows) if (t.mapping !== undefined) taken.add(t.insideGlobal);
    for (const s of this.#config.nat.staticEntries)
      if (s.mask === undefined && !(d.overload && s.ports !== undefined)) taken.add(this.#globalOf(s) ?? 0);
    let address = first;
    while (address !== undefined && taken.has(address)) address = address === last ? undefined : (address + 1) | 0;
    const target = d.pool === undefined ? `interface ${d.interfaceName ?? ''}` : `pool ${d.pool}`;
    if (address === undefined) {
      const text = `${formatAddress(p.src)} would be translated, but ${target} has no address left`;
      return { kind: 'exhausted', address: p.src, port: p.srcPort, text, ...fromList(d) };
    }
    const which = pool === undefined ? '' : ', the first free one of the pool';
    const port = d.overload ? ', the port may change' : '';
    const text = `${becomes(p.src, address)}${which}${port}`;
    return { kind: 'translated', address, port: d.overload ? undefined : p.srcPort, text, ...fromList(d) };
  }
}

const end = (address: number, port: number): End => ({ address, port });
const at = (address: number, port: number | undefined, e: End): boolean => address === e.address && port === e.port;
const covers = (network: number | undefined, mask: number | undefined, address: number): boolean =>
  network !== undefined && ((network ^ address) & (mask ?? -1)) === 0;
/** The host of that number in another network. */
const renumber = (network: number, mask: number | undefined, host: number): number =>
  (network & (mask ?? -1)) | (host & ~(mask ?? -1));
const becomes = (from: number, to: number): string => `${formatAddress(from)} becomes ${formatAddress(to)}`;

function fixed(s: StaticNat, from: End, to: End): Translated {
  const shown = (e: End): string =>
    s.ports === undefined ? formatAddress(e.address) : `${formatAddress(e.address)}:${e.port}`;
  const text = `${shown(from)} becomes ${shown(to)}`;
  return { kind: 'translated', ...to, text, because: staticNatLine(s), ...(s.line ? { line: s.line } : {}) };
}

function fromList(d: DynamicNat): { because: string; line?: number } {
  const target = d.pool === undefined ? `interface ${d.interfaceName ?? ''}` : `pool ${d.pool}`;
  const because = `ip nat inside source list ${d.list} ${target}${d.overload ? ' overload' : ''}`;
  return d.line === 0 ? { because } : { because, line: d.line };
}
