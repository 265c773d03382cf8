/** What NAT has made of an end of a packet, in words, with the line that gives it. */
import type { DynamicNat, InterfaceConfig, RouterConfig, StaticNat } from '../config/model.js';
import { staticNatLine } from '../config/running-config.js';
import { formatAddress } from '../ipv4-text.js';
import type { Origin } from '../../core/nat/translator.js';

/** One end of a packet. */
export interface End {
  readonly address: number;
  readonly port: number;
}

/** A translation of an end, as the engine made it. */
export interface Change {
  readonly from: End;
  readonly to: End;
  /** Undefined: none, it stays. */
  readonly origin: Origin | undefined;
}

export interface Words {
  text: string;
  because?: string;
  line?: number;
}

/**
 * @param protocol   IP protocol number
 * @param isInside   `from` is the inside local end; else it is the inside global one
 * @param ingress    where a hairpin came in: it has its address where no entry names it
 */
export function natWords(
  config: RouterConfig,
  { from, to, origin }: Change,
  protocol: number,
  isInside: boolean,
  ingress: InterfaceConfig,
): Words {
  if (origin === undefined) return { text: `${formatAddress(from.address)} has no translation and stays` };
  const list = config.nat.dynamic[origin.mapping];
  const [local, global] = isInside ? [from, to] : [to, from];
  const entry = list === undefined ? staticEntry(config, protocol, local, global) : undefined;
  const ports = list?.overload === true || entry?.ports !== undefined || (list === undefined && entry === undefined);
  const shown = ({ address, port }: End): string => `${formatAddress(address)}${ports && port > 0 ? `:${port}` : ''}`;
  const text = `${shown(from)} becomes ${shown(to)}${origin.found ? ', as translated now' : ''}`;
  if (list !== undefined) return { text, ...listWords(list) };
  if (entry === undefined) return { text, because: `the address of ${ingress.name}: replies come back here` };
  return { text, because: staticNatLine(entry), ...(entry.line ? { line: entry.line } : {}) };
}

/** `ip nat inside source list` as the running-config has it. */
export function listWords(d: DynamicNat): { because: string; line?: number } {
  const because = `ip nat inside source list ${d.list} ${targetOf(d)}${d.overload ? ' overload' : ''}`;
  return d.line === 0 ? { because } : { because, line: d.line };
}

export const targetOf = (d: DynamicNat): string =>
  d.pool === undefined ? `interface ${d.interfaceName ?? ''}` : `pool ${d.pool}`;

const NAMES: Readonly<Record<number, string>> = { 6: 'tcp', 17: 'udp' };

/** The line that makes the one of the other: an entry for the port goes before one for the host, that before a network. */
function staticEntry(config: RouterConfig, protocol: number, local: End, global: End): StaticNat | undefined {
  const addressOf = (name: string): number | undefined =>
    config.interfaces.find((i) => i.name === name)?.addresses[0]?.address;
  const fits = (s: StaticNat): boolean => {
    const outside = s.interfaceName === undefined ? s.insideGlobal : addressOf(s.interfaceName);
    const mask = s.mask ?? -1;
    if (outside === undefined || ((s.insideLocal ^ local.address) & mask) !== 0) return false;
    if (((outside ^ global.address) & mask) !== 0) return false;
    if (s.ports === undefined) return true;
    const { protocol: name, insideLocal, insideGlobal } = s.ports;
    return name === NAMES[protocol] && insideLocal === local.port && insideGlobal === global.port;
  };
  const rank = (s: StaticNat): number => (s.ports !== undefined ? 0 : s.mask === undefined ? 1 : 2);
  return config.nat.staticEntries.filter(fits).sort((a, b) => rank(a) - rank(b))[0];
}
