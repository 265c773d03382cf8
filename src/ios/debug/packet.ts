/** The lines of `debug ip packet`. */
import type { PacketHeader, PacketPath } from '../../core/observe/debug-event.js';
import { DROP, isDrop, PASS, type Verdict } from '../../core/verdict.js';
import { isFragment } from '../../core/wire/decode.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../../core/wire/ipv4.js';
import { DROP_REASONS } from '../drop-reasons.js';
import { formatAddress } from '../ipv4-text.js';

const place = (address: number, name: string): string => `${formatAddress(address)} (${name})`;

/** The head of an IP line: both addresses with the interface behind each, and the length of the datagram. */
export function datagramText(p: PacketHeader, { ingress, egress }: PacketPath): string {
  const to = egress === undefined ? formatAddress(p.dst) : place(p.dst, egress);
  return `IP: s=${place(p.src, ingress)}, d=${to}, len ${p.end - p.at}`;
}

/**
 * `debug ip packet`: what became of a packet, and with `detail` what its transport header says. Lines as 12.x prints
 * them, but for the gateway (`g=`). `datagram`: of `datagramText`.
 */
export function packetLines(p: PacketHeader, datagram: string, fate: string, detail: boolean): string[] {
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
function transportText(p: PacketHeader): string | undefined {
  if (p.payload === p.l4) return undefined;
  switch (p.protocol) {
    case IPPROTO_TCP: {
      const numbers = `seq=${p.seq >>> 0}, ack=${p.ack >>> 0}, win=${p.window}`;
      return [`TCP src=${p.srcPort}, dst=${p.dstPort}, ${numbers}`, ...flagNames(p.flags)].join(' ');
    }
    case IPPROTO_UDP:
      return `UDP src=${p.srcPort}, dst=${p.dstPort}`;
    case IPPROTO_ICMP:
      return `ICMP type=${p.icmpType}, code=${p.icmpCode}`;
    default:
      return undefined;
  }
}

/** `ACK SYN` is documented: from the highest bit to the lowest. Inferred: the others follow it. */
const FLAG_NAMES = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG'];

export const flagNames = (flags: number): string[] =>
  FLAG_NAMES.filter((_, bit) => (flags & (1 << bit)) !== 0).reverse();

/** What became of a packet. */
export const fateOf = (v: Verdict): string =>
  v === DROP.acl ? 'access denied' : isDrop(v) ? DROP_REASONS[v]! : v === PASS ? 'forward' : 'held';
