/**
 * A compiled `access-list`: each entry is a row of integers, tried from the top; the first match decides and is
 * counted, and an implicit `deny ip any any` ends the list. Sees the packet as it is on the wire, before NAT.
 */
import type { AclEntry, AclPort } from './entry.js';
import { u8 } from '../wire/bytes.js';
import { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP } from '../wire/ipv4.js';
import type { Packet } from '../wire/packet.js';
import { ACK, RST } from '../wire/tcp.js';

/** Index returned by `match` for the implicit deny. */
export const IMPLICIT_DENY = -1;

// Columns of a row.
const PERMIT = 0;
const PROTOCOL = 1; // -1: ip
const SRC = 2;
const SRC_CARE = 3; // a 1 bit is compared
const DST = 4;
const DST_CARE = 5;
const SRC_LOW = 6; // ports: inside LOW..HIGH, or outside for neq
const SRC_HIGH = 7;
const SRC_NOT = 8;
const DST_LOW = 9;
const DST_HIGH = 10;
const DST_NOT = 11;
const ICMP_TYPE = 12; // -1: any
const ICMP_CODE = 13;
const FLAGS = 14;
const TOS_CARE = 15; // of the TOS byte
const TOS = 16;
const COLUMNS = 17;

// Bits of FLAGS.
const ESTABLISHED = 1;
const FRAGMENTS = 2;
/** The entry looks at more than addresses and protocol. */
const LAYER4 = 4;

export class CompiledAccessList {
  readonly matches: Float64Array;
  readonly #rows: Int32Array;

  constructor(
    readonly name: string,
    readonly entries: readonly AclEntry[],
  ) {
    this.matches = new Float64Array(entries.length);
    this.#rows = new Int32Array(entries.length * COLUMNS);
    entries.forEach((e, i) => this.#rows.set(compile(e), i * COLUMNS));
  }

  /**
   * The index of the first entry that matches `p`, its match counted, or IMPLICIT_DENY.
   * Non-initial fragments: IOS lets an entry with layer 4 terms match them on layer 3 alone if it permits, and skips
   * it if it denies; `fragments` entries match nothing else.
   */
  match(p: Packet): number {
    const index = this.#find(p);
    if (index !== IMPLICIT_DENY) this.matches[index]!++;
    return index;
  }

  /** Whether the list permits `p`. Not counted: `debug ip packet` only looks. */
  permitsPacket(p: Packet): boolean {
    return this.permits(this.#find(p));
  }

  #find(p: Packet): number {
    const rows = this.#rows;
    for (let i = 0, r = 0; r < rows.length; i++, r += COLUMNS) if (rowMatches(rows, r, p)) return i;
    return IMPLICIT_DENY;
  }

  permits(index: number): boolean {
    return index !== IMPLICIT_DENY && this.#rows[index * COLUMNS + PERMIT] === 1;
  }

  /** Whether a standard list permits a host (`java-list`). Not counted: no packet is judged. */
  permitsSource(address: number): boolean {
    const rows = this.#rows;
    for (let r = 0; r < rows.length; r += COLUMNS) {
      if (((address ^ rows[r + SRC]!) & rows[r + SRC_CARE]!) === 0) return rows[r + PERMIT] === 1;
    }
    return false;
  }

  /** Takes over the match counts of entries that were in this list before it was changed. */
  takeMatches(old: CompiledAccessList): void {
    // Not where in the file an entry stands.
    const key = (e: AclEntry): string => JSON.stringify({ ...e, line: 0 });
    const counts = new Map(old.entries.map((e, i) => [key(e), old.matches[i]!]));
    this.entries.forEach((e, i) => (this.matches[i] = counts.get(key(e)) ?? 0));
  }

  clearMatches(): void {
    this.matches.fill(0);
  }
}

function rowMatches(rows: Int32Array, r: number, p: Packet): boolean {
  const protocol = rows[r + PROTOCOL]!;
  if (protocol !== -1 && protocol !== p.protocol) return false;
  if (((p.src ^ rows[r + SRC]!) & rows[r + SRC_CARE]!) !== 0) return false;
  if (((p.dst ^ rows[r + DST]!) & rows[r + DST_CARE]!) !== 0) return false;
  const tosCare = rows[r + TOS_CARE]!;
  if (tosCare !== 0 && (u8(p.bytes, p.at + 1) & tosCare) !== rows[r + TOS]!) return false;
  const flags = rows[r + FLAGS]!;
  if (p.fragmentOffset > 0) return (flags & LAYER4) === 0 || rows[r + PERMIT] === 1;
  if ((flags & FRAGMENTS) !== 0) return false;
  if ((flags & LAYER4) === 0) return true;
  if (p.protocol === IPPROTO_ICMP) {
    const type = rows[r + ICMP_TYPE]!;
    const code = rows[r + ICMP_CODE]!;
    return (type === -1 || type === p.srcPort >>> 8) && (code === -1 || code === (p.srcPort & 255));
  }
  if ((flags & ESTABLISHED) !== 0 && (p.flags & (ACK | RST)) === 0) return false;
  return portMatches(rows, r + SRC_LOW, p.srcPort) && portMatches(rows, r + DST_LOW, p.dstPort);
}

/** `at`: the column of LOW, followed by HIGH and NOT. */
function portMatches(rows: Int32Array, at: number, port: number): boolean {
  const inside = port >= rows[at]! && port <= rows[at + 1]!;
  return inside !== (rows[at + 2] === 1);
}

function compile(e: AclEntry): number[] {
  const [srcLow, srcHigh, srcNot] = portRange(e.srcPort);
  const [dstLow, dstHigh, dstNot] = portRange(e.dstPort);
  const hasPorts = (e.srcPort ?? e.dstPort) !== undefined;
  const layer4 = hasPorts || e.icmp !== undefined || e.established;
  if (hasPorts && e.protocol !== IPPROTO_TCP && e.protocol !== IPPROTO_UDP) {
    throw new Error('an access list entry with ports must name tcp or udp');
  }
  const { care, value } = tosBits(e);
  const row = new Array<number>(COLUMNS).fill(0);
  row[PERMIT] = e.action === 'permit' ? 1 : 0;
  row[PROTOCOL] = e.protocol ?? -1;
  row[SRC] = e.src.address;
  row[SRC_CARE] = ~e.src.wildcard;
  row[DST] = e.dst.address;
  row[DST_CARE] = ~e.dst.wildcard;
  row[SRC_LOW] = srcLow;
  row[SRC_HIGH] = srcHigh;
  row[SRC_NOT] = srcNot;
  row[DST_LOW] = dstLow;
  row[DST_HIGH] = dstHigh;
  row[DST_NOT] = dstNot;
  row[ICMP_TYPE] = e.icmp?.type ?? -1;
  row[ICMP_CODE] = e.icmp?.code ?? -1;
  row[FLAGS] = (e.established ? ESTABLISHED : 0) | (e.fragments ? FRAGMENTS : 0) | (layer4 ? LAYER4 : 0);
  row[TOS_CARE] = care;
  row[TOS] = value;
  return row;
}

/** Precedence: the top three bits of the TOS byte; tos: the next four; dscp: the top six (RFC 791, 1349, 2474). */
function tosBits(e: AclEntry): { care: number; value: number } {
  let care = 0;
  let value = 0;
  const add = (bits: number, shift: number, v: number | undefined): void => {
    if (v === undefined) return;
    care |= bits << shift;
    value |= v << shift;
  };
  add(7, 5, e.precedence);
  add(15, 1, e.tos);
  add(63, 2, e.dscp);
  return { care, value };
}

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
