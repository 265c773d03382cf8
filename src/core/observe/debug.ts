/**
 * `debug`: which output is wanted, one object, read in the hot path before anything is built; and the lines of
 * `debug ip packet` and `debug ip nat`. Those of `debug ip inspect` are in debug-inspect.ts.
 */
import { formatAddress } from '../../ios/ipv4-text.js';
import { isFragment } from '../wire/decode.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';

export type DebugFlag =
  | 'smtp'
  | 'ftp'
  | 'http'
  | 'tcp'
  | 'udp'
  | 'icmp'
  | 'events'
  | 'objectCreation'
  | 'objectDeletion'
  | 'timers'
  | 'detailed'
  | 'nat'
  | 'packet';

export interface DebugFlags extends Record<DebugFlag, boolean> {
  packetScope: PacketScope;
}

/** What `debug ip packet` is restricted to, and whether it tells more. */
export interface PacketScope {
  /** Only what this access list permits; undefined: all. */
  readonly list: string | undefined;
  readonly detail: boolean;
}

export const ALL_PACKETS: PacketScope = { list: undefined, detail: false };

export const noDebug = (): DebugFlags => ({
  smtp: false,
  ftp: false,
  http: false,
  tcp: false,
  udp: false,
  icmp: false,
  events: false,
  objectCreation: false,
  objectDeletion: false,
  timers: false,
  detailed: false,
  nat: false,
  packet: false,
  packetScope: ALL_PACKETS,
});

const place = (address: number, name: string): string => `${formatAddress(address)} (${name})`;

/** The head of an IP line: both addresses with the interface behind each, and the length of the datagram. */
export function datagramText(p: Packet, ingress: string, egress: string | undefined): string {
  const to = egress === undefined ? formatAddress(p.dst) : place(p.dst, egress);
  return `IP: s=${place(p.src, ingress)}, d=${to}, len ${p.end - p.at}`;
}

/**
 * `debug ip packet`: what became of a packet, and with `detail` what its transport header says. Lines as 12.x prints
 * them, but for the gateway (`g=`). `datagram`: of `datagramText`.
 */
export function packetLines(p: Packet, datagram: string, fate: string, detail: boolean): string[] {
  const line = `${datagram}, ${fate}`;
  if (!detail) return [line];
  const lines = [KNOWN.includes(p.protocol) ? line : `${line}, proto=${p.protocol}`];
  // Recalled, not confirmed: what 12.x says of fragments.
  if (isFragment(p)) lines.push(`    IP Fragment, Ident = ${p.identification}, fragment offset = ${p.fragmentOffset}`);
  const transport = transportText(p);
  if (transport !== undefined) lines.push(`    ${transport}`);
  return lines;
}

const KNOWN: readonly number[] = [IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP];

/** Undefined where no transport header was decoded: another protocol, a later fragment, a header that is too short. */
function transportText(p: Packet): string | undefined {
  if (p.payload === p.l4) return undefined;
  switch (p.protocol) {
    case IPPROTO_TCP: {
      const numbers = `seq=${p.seq >>> 0}, ack=${p.ack >>> 0}, win=${p.window}`;
      return [`TCP src=${p.srcPort}, dst=${p.dstPort}, ${numbers}`, ...flagNames(p.flags)].join(' ');
    }
    case IPPROTO_UDP:
      return `UDP src=${p.srcPort}, dst=${p.dstPort}`;
    case IPPROTO_ICMP:
      return `ICMP type=${p.srcPort >>> 8}, code=${p.srcPort & 255}`;
    default:
      return undefined;
  }
}

/** `ACK SYN` is documented: from the highest bit to the lowest. Inferred: the others follow it. */
const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

export const flagNames = (flags: number): string[] =>
  FLAG_NAMES.filter((_, bit) => (flags & (1 << bit)) !== 0).reverse();

/** `debug ip nat`: a translated packet with its identification. */
export function natLine(p: Packet, src: number, dst: number): string {
  const arrow = (before: number, now: number): string =>
    before === now ? formatAddress(now) : `${formatAddress(before)}->${formatAddress(now)}`;
  return `NAT: s=${arrow(src, p.src)}, d=${arrow(dst, p.dst)} [${p.identification}]`;
}
