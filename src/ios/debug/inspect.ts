/**
 * The lines of `debug ip inspect`, but for those of SMTP. `sis` is a session, `pak` a packet, by the number that the
 * router would print as an address.
 *
 * Recalled from the samples of Cisco's debug command reference: tcp, object-creation, object-deletion, events, timers,
 * and tcp with detailed; less surely ftp. Inferred: http, udp, icmp, and what is marked. All is printed as if process
 * switched: a 3640 has an asterisk (`CBAC*`) where its fast path did the work.
 */
import type { DebugEnds, DebugEndpoint, PacketHeader, TcpEnd, TcpNumbers } from '../../core/observe/debug-event.js';
import { HOLD, PASS, type Verdict } from '../../core/verdict.js';
import { IPPROTO_ICMP, IPPROTO_TCP } from '../../core/wire/ipv4.js';
import { ACK } from '../../core/wire/tcp.js';
import { DROP_REASONS } from '../drop-reasons.js';
import { formatAddress } from '../ipv4-text.js';
import { flagNames } from './packet.js';

/** A connection that is expected and has not come (IOS: pre-generated). Addresses int32. */
export interface PreGenerated {
  id: number;
  src: number;
  dst: number;
  dstPort: number;
}

/** Where the timer lies in the block of a session, and in that of one that is expected. */
const TIMER = 0x98;
const PRE_GENERATED_TIMER = 0x64;

const hex = (n: number): string => (n >>> 0).toString(16).toUpperCase();
const end = (address: number, port: number): string => `(${formatAddress(address)}:${port})`;
/** Source and destination. ICMP has type and code where others have ports. */
const ends = (p: PacketHeader): string => {
  const [from, to] = p.protocol === IPPROTO_ICMP ? [p.icmpType, p.icmpCode] : [p.srcPort, p.dstPort];
  return `${end(p.src, from)} ${end(p.dst, to)}`;
};

const FLAG_LETTERS = ['F', 'S', 'R', 'P', '', 'U'];

/** `P ack 4223720160 seq 4200176262(22)`: flags, numbers, bytes of data. */
function segmentText(p: PacketHeader): string {
  const flags = FLAG_LETTERS.filter((_, bit) => (p.flags & (1 << bit)) !== 0).join('') || '.';
  const ack = p.flags & ACK ? ` ack ${p.ack >>> 0}` : '';
  return `${flags}${ack} seq ${p.seq >>> 0}(${p.end - p.payload})`;
}

/** `tcp`: a segment of a session. The initiator stands on the left; the arrow points where the segment goes. */
export function tcpLine(sis: number, p: PacketHeader, fromInitiator: boolean): string {
  const [from, to] = [end(p.src, p.srcPort), end(p.dst, p.dstPort)];
  const way = fromInitiator ? `${from} => ${to}` : `${to} <= ${from}`;
  return `CBAC sis ${hex(sis)} pak ${hex(p.token)} TCP ${segmentText(p)} ${way}`;
}

/** `udp` and `icmp`. */
export function datagramLine(sis: number, p: PacketHeader): string {
  const head = `CBAC sis ${hex(sis)} pak ${hex(p.token)}`;
  const from = formatAddress(p.src);
  const to = formatAddress(p.dst);
  if (p.protocol === IPPROTO_ICMP) return `${head} ICMP type ${p.icmpType} (${from}) => (${to})`;
  return `${head} UDP (${from}:${p.srcPort}) => (${to}:${p.dstPort}) length ${p.end - p.payload}`;
}

/** `tcp`: what the inspector of the application made of a segment with data. */
export const streamResultLine = (sis: number, service: string, v: Verdict): string =>
  `CBAC sis ${hex(sis)} ${service} L7 inspect result: ${resultWord(v)} packet`;

// Inferred: HOLD. The sample has PASS, and PROCESS-SWITCH where fast switching gives up.
const resultWord = (v: Verdict): string => (v === PASS ? 'PASS' : v === HOLD ? 'HOLD' : 'DROP');

/**
 * `detailed`, with the protocol's own switch: the search for a packet's session.
 * @param protocol `tcp`, `udp` or `icmp`
 * @param datagram addresses, interfaces and length, of `datagramText`
 * @param found    id and `SIS_…` state of the session; undefined: there is none
 */
export function lookupLines(
  p: PacketHeader,
  protocol: string,
  datagram: string,
  found?: { sis: number; state: string },
): string[] {
  const pak = `CBAC Pak ${hex(p.token)}`;
  const lines = [`${pak} Find session for ${ends(p)} ${protocol}`];
  if (p.protocol === IPPROTO_TCP) lines.push(segmentText(p));
  lines.push(`${pak} Addr:port pairs to match: ${ends(p)}`);
  if (found !== undefined) lines.push(`CBAC sis ${hex(found.sis)} ${found.state}`);
  lines.push(`${pak} ${datagram}, proto=${p.protocol}`);
  return lines;
}

/** `detailed` with `tcp`: a segment as it meets the state of its session. */
export function segmentStateLine(sis: number, p: PacketHeader, state: string): string {
  // The sample's `ACK 4223720160 PSH`.
  const flags = flagNames(p.flags).map((name) => (name === 'ACK' ? `ACK ${p.ack >>> 0}` : name));
  const numbers = `seq ${p.seq >>> 0}(${p.end - p.payload})`;
  return `CBAC sis ${hex(sis)} pak ${hex(p.token)} ${state} TCP ${[numbers, 'Flags:', ...flags].join(' ')}`;
}

/** `detailed` with `tcp`: the state that a segment leaves behind. */
export function newStateLine(sis: number, p: PacketHeader, n: TcpNumbers): string {
  const numbers = (e: TcpEnd, side: string): string =>
    `${side}_rcvnxt ${e.rcvNxt >>> 0} ${side}_sndnxt ${e.sndNxt >>> 0} ${side}_rcvwnd ${e.rcvWnd >>> 0}`;
  return (
    `CBAC sis ${hex(sis)} pak ${hex(p.token)} --> ${n.state} ` +
    `iisn ${n.initiator.isn >>> 0} ${numbers(n.initiator, 'i')} risn ${n.responder.isn >>> 0} ${numbers(n.responder, 'r')}`
  );
}

/** `detailed`, with the protocol's own switch: what the session makes of a packet, and why where it drops it (12.4). */
export function packetResultLine(sis: number, p: PacketHeader, service: string, v: Verdict): string {
  const why = v === PASS ? '' : ` ErrStr = ${DROP_REASONS[v]!}`;
  const bytes = p.end - p.payload;
  return `CBAC sis ${hex(sis)} L4 inspect result: ${resultWord(v)} packet ${hex(p.token)} ${ends(p)} bytes ${bytes}${why} ${service}`;
}

/** `object-creation` and `object-deletion`: a session. */
export const objectLine = (sis: number, created: boolean): string =>
  `CBAC OBJ_${created ? 'CREATE: create' : 'DELETE: delete'} sis ${hex(sis)}`;

/** The same of a connection that is expected. */
export const preGeneratedObjectLine = (id: number, created: boolean): string =>
  `CBAC OBJ_${created ? 'CREATE: create' : 'DELETE: delete'} pre-gen sis ${hex(id)}`;

/** `events`: a connection is expected from any port of `src`. */
export function preGeneratedLines({ id, src, dst, dstPort }: PreGenerated): string[] {
  const [from, to] = [formatAddress(src), formatAddress(dst)];
  return [
    `CBAC Src ${from} Port [1:65535]`,
    `CBAC Dst ${to} Port [${dstPort}:${dstPort}]`,
    `CBAC Pre-gen sis ${hex(id)} created: ${from}[1:65535] ${to}[${dstPort}:${dstPort}]`,
  ];
}

/**
 * `events`: both ends of a new session, as hosts inside know them, and as NAT shows them to the other side. Inferred:
 * which is which; the addresses of the sample do not tell.
 */
export function endpointsLine(sis: number, own: DebugEnds, seen: DebugEnds): string {
  const both = (e: DebugEnds, alt: string): string =>
    `initiator_${alt}addr ${end(e.initiator, e.initiatorPort)} responder_${alt}addr ${end(e.responder, e.responderPort)}`;
  return `CBAC sis ${hex(sis)} ${both(own, '')} ${both(seen, 'alt_')}`;
}

/** `timers`: a new session gets its timer. */
export const timerInitLine = (sis: number): string => `CBAC Timer Init Leaf: sis ${hex(sis)}`;
/** `timers`: it runs for `ms`. */
export const timerStartLine = (sis: number, ms: number): string =>
  `CBAC Timer Start: sis ${hex(sis)} Timer: ${hex(sis + TIMER)} Time: ${ms} milisecs`;
/** `timers`: it ends with the session. */
export const timerStopLine = (sis: number): string => `CBAC Timer Stop: sis ${hex(sis)} Timer: ${hex(sis + TIMER)}`;

/** `timers`: a connection is expected for `ms`. */
export const preGeneratedTimerStartLines = (id: number, ms: number): string[] => [
  `CBAC Timer Init Leaf: Pre-gen sis ${hex(id)}`,
  `CBAC Timer Start: Pre-gen sis ${hex(id)} Timer: ${hex(id + PRE_GENERATED_TIMER)} Time: ${ms} milisecs`,
];
export const preGeneratedTimerStopLine = (id: number): string =>
  `CBAC Timer Stop: Pre-gen sis ${hex(id)} Timer: ${hex(id + PRE_GENERATED_TIMER)}`;

/** `ftp`: a command of the client or a reply of the server, line end included. */
export const ftpDialogueLine = (sis: number, fromClient: boolean, line: string): string =>
  `CBAC FTP sis ${hex(sis)} FTP-${fromClient ? 'Client' : 'Server'}: ${printable(line)}`;

/**
 * `ftp`: a data connection is announced.
 * @param command e.g. `PORT command`
 * @param seen    with `detailed`: address and port as the other side reads them. Inferred.
 */
export function ftpEndpointLine(sis: number, command: string, own: DebugEndpoint, seen?: DebugEndpoint): string {
  const text = (e: DebugEndpoint): string => `${formatAddress(e.address)}:${e.port}`;
  return `CBAC FTP sis ${hex(sis)} Handle ${command} ${text(own)}${seen === undefined ? '' : ` announced as ${text(seen)}`}`;
}

/** `http`: a request line, or what is done about applets. */
export const httpLine = (sis: number, text: string): string => `CBAC HTTP sis ${hex(sis)} ${printable(text)}`;

/** What a host has sent must not drive a terminal: `~` for all that is not printable ASCII, the line end included. */
const printable = (text: string): string => text.replace(/[^ -~]/g, '~');
