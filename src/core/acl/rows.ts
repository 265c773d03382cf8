/** Access-list entries as rows of integers, and the test of a packet against one row. */
import type { AclEntry, AclPort } from './entry.js';
import { u8 } from '../wire/bytes.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { ACK, RST } from '../wire/tcp.js';

// Columns of a row.
const PERMIT = 0;
export const PROTOCOL = 1; // -1: ip
export const SRC = 2;
export const SRC_CARE = 3; // a 1 bit is compared
export const DST = 4;
export const DST_CARE = 5;
export const SRC_LOW = 6; // ports: inside LOW..HIGH, or outside for neq
export const DST_LOW = 9;
const HIGH = 1; // behind LOW
const NOT = 2;
const ICMP_TYPE = 12; // -1: any
const ICMP_CODE = 13;
const FLAGS = 14;
const TOS_CARE = 15; // of the TOS byte
const TOS = 16;
export const COLUMNS = 17;

// Bits of FLAGS.
const ESTABLISHED = 1;
const FRAGMENTS = 2;
/** The entry looks at more than addresses and protocol. */
const LAYER4 = 4;

/** @returns a row of COLUMNS integers for each entry, in order */
export function compileRows(entries: readonly AclEntry[]): Int32Array {
  const rows = new Int32Array(entries.length * COLUMNS);
  entries.forEach((e, i) => compile(e, rows, i * COLUMNS));
  return rows;
}

export const rowPermits = (rows: Int32Array, r: number): boolean => rows[r + PERMIT] === 1;

/**
 * True where the row at `r` matches the packet. Non-initial fragments: IOS lets an entry with layer 4 terms match them
 * on layer 3 alone if it permits, and skips it if it denies; `fragments` entries match nothing else.
 */
export function rowMatches(rows: Int32Array, r: number, p: Packet): boolean {
  const protocol = rows[r + PROTOCOL]!;
  if (protocol !== -1 && protocol !== p.protocol) return false;
  if (((p.src ^ rows[r + SRC]!) & rows[r + SRC_CARE]!) !== 0) return false;
  if (((p.dst ^ rows[r + DST]!) & rows[r + DST_CARE]!) !== 0) return false;
  const tosCare = rows[r + TOS_CARE]!;
  if (tosCare !== 0 && (u8(p.bytes, p.at + 1) & tosCare) !== rows[r + TOS]!) return false;
  const flags = rows[r + FLAGS]!;
  if (p.fragmentOffset > 0) return mayMatchFragments(rows, r);
  if ((flags & FRAGMENTS) !== 0) return false;
  if ((flags & LAYER4) === 0) return true;
  if (p.protocol === IPPROTO_ICMP) {
    const type = rows[r + ICMP_TYPE]!;
    const code = rows[r + ICMP_CODE]!;
    return (type === -1 || type === p.icmpType) && (code === -1 || code === p.icmpCode);
  }
  if ((flags & ESTABLISHED) !== 0 && (p.flags & (ACK | RST)) === 0) return false;
  return portMatches(rows, r + SRC_LOW, p.srcPort) && portMatches(rows, r + DST_LOW, p.dstPort);
}

/** True where the row may match a non-initial fragment, false where it never does. */
export const mayMatchFragments = (rows: Int32Array, r: number): boolean =>
  (rows[r + FLAGS]! & LAYER4) === 0 || rowPermits(rows, r);

/** True where the port test at `low` (SRC_LOW or DST_LOW of a row) takes a single port, the one in that column. */
export const isSinglePort = (rows: Int32Array, low: number): boolean =>
  rows[low] === rows[low + HIGH] && rows[low + NOT] === 0;

function portMatches(rows: Int32Array, low: number, port: number): boolean {
  const inside = port >= rows[low]! && port <= rows[low + HIGH]!;
  return inside !== (rows[low + NOT] === 1);
}

function compile(e: AclEntry, rows: Int32Array, r: number): void {
  const hasPorts = (e.srcPort ?? e.dstPort) !== undefined;
  const layer4 = hasPorts || e.icmp !== undefined || e.established;
  if (hasPorts && e.protocol !== IPPROTO_TCP && e.protocol !== IPPROTO_UDP) {
    throw new Error('an access list entry with ports must name tcp or udp');
  }
  rows[r + PERMIT] = e.action === 'permit' ? 1 : 0;
  rows[r + PROTOCOL] = e.protocol ?? -1;
  rows[r + SRC] = e.src.address;
  rows[r + SRC_CARE] = ~e.src.wildcard;
  rows[r + DST] = e.dst.address;
  rows[r + DST_CARE] = ~e.dst.wildcard;
  rows.set(portRange(e.srcPort), r + SRC_LOW);
  rows.set(portRange(e.dstPort), r + DST_LOW);
  rows[r + ICMP_TYPE] = e.icmp?.type ?? -1;
  rows[r + ICMP_CODE] = e.icmp?.code ?? -1;
  rows[r + FLAGS] = (e.established ? ESTABLISHED : 0) | (e.fragments ? FRAGMENTS : 0) | (layer4 ? LAYER4 : 0);
  // Precedence: the top three bits of the TOS byte; tos: the next four; dscp: the top six (RFC 791, 1349, 2474).
  compareTos(rows, r, 7, 5, e.precedence);
  compareTos(rows, r, 15, 1, e.tos);
  compareTos(rows, r, 63, 2, e.dscp);
}

function compareTos(rows: Int32Array, r: number, bits: number, shift: number, value: number | undefined): void {
  if (value === undefined) return;
  rows[r + TOS_CARE]! |= bits << shift;
  rows[r + TOS]! |= value << shift;
}

/** LOW, HIGH and NOT. */
function portRange(port: AclPort | undefined): [low: number, high: number, not: number] {
  if (port === undefined) return [0, 0xffff, 0];
  switch (port.op) {
    case 'eq':
      return [port.from, port.from, 0];
    case 'neq':
      return [port.from, port.from, 1];
    case 'lt':
      return [0, port.from - 1, 0];
    case 'gt':
      return [port.from + 1, 0xffff, 0];
    case 'range':
      return [Math.min(port.from, port.to), Math.max(port.from, port.to), 0];
  }
}
