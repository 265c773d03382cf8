/**
 * TCP options of segments whose bytes are inspected: what both ends and the inspection understand goes on, the rest is
 * overwritten with NOPs, in place, so that no length changes. What one end has not offered, or the other not taken, is
 * overwritten later, too. A list that cannot be read is left to the caller to drop: another reader may read it otherwise.
 */
import { i32, u8 } from './bytes.js';
import { completeToPartial } from './checksum.js';
import type { Packet } from './packet.js';
import { findOption, SYN, TCP_MIN_HEADER } from './tcp.js';

/** Options that two ends agree on in their SYNs, as bits. */
export const TCP_OPTION = { windowScale: 1, sack: 2, timestamps: 4 } as const;
export const ALL_TCP_OPTIONS = 7;

interface KnownOption {
  name: string;
  /** Bytes, kind and length octets included; 0: 2 and a multiple of 8. Another length: NOPs, since receivers differ. */
  length: number;
  segment: 'SYN' | 'other' | 'any';
  /** Bit of TCP_OPTION that allows it; 0: needs no agreement. */
  agreed: number;
  reason: string;
}

/** What passes, by kind (IANA, TCP parameters). Every other kind is overwritten; REMOVED says why, for those in use. */
export const PASSED: Readonly<Record<number, KnownOption>> = {
  2: { name: 'MSS', length: 4, segment: 'SYN', agreed: 0, reason: 'RFC 9293: how much fits into a segment' },
  3: { name: 'Window Scale', length: 3, segment: 'SYN', agreed: 1, reason: 'RFC 7323: the window check follows it' },
  4: { name: 'SACK Permitted', length: 2, segment: 'SYN', agreed: 2, reason: 'RFC 2018: says what arrived, no bytes' },
  5: { name: 'SACK', length: 0, segment: 'other', agreed: 2, reason: 'RFC 2018' },
  8: { name: 'Timestamps', length: 10, segment: 'any', agreed: 4, reason: 'RFC 7323: round trips, PAWS' },
};

/** Why not these. Also all that is experimental (253, 254), obsolete (6, 7, 9 to 18, 20 to 27) or unknown. */
export const REMOVED: Readonly<Record<number, { name: string; reason: string }>> = {
  19: {
    name: 'MD5 signature (RFC 2385)',
    reason:
      'a server without the key drops a segment that carries it, and we would count it as sent. One with the key drops it without, and the connection does not begin: NAT and inspection cannot keep a signature',
  },
  28: { name: 'User Timeout (RFC 5482)', reason: 'a hint that nobody needs, and that we do not follow' },
  29: { name: 'TCP-AO (RFC 5925)', reason: 'as 19' },
  30: {
    name: 'Multipath TCP (RFC 8684)',
    reason: 'its data sequence mappings reorder what was inspected, and other connections join',
  },
  34: { name: 'Fast Open (RFC 7413)', reason: 'data in a SYN, which nobody has inspected; such SYNs are dropped' },
};

const END = 0;
const NOP = 1;
const WINDOW_SCALE = 3;
/** RFC 7323 §2.3: a larger shift counts as 14; not all know it. */
const MAX_SHIFT = 14;
export const UNREADABLE = -1;

const TIMESTAMPS = 8;
const TIMESTAMPS_LENGTH = 10;

/** NOP NOP, timestamps of ten bytes: how nearly every segment of an established connection begins its options. */
const ONLY_TIMESTAMPS = 0x0101080a;
const TIMESTAMPS_HEADER = TCP_MIN_HEADER + 12;

/** By kind: bit of TCP_OPTION or NEEDS_NOTHING, in segments with SYN and in others; 0: overwritten. */
const NEEDS_NOTHING = 0x80;
const IN_SYN = new Uint8Array(256);
const IN_OTHER = new Uint8Array(256);
const LENGTH = new Uint8Array(256);
for (const [kind, o] of Object.entries(PASSED)) {
  const needs = o.agreed === 0 ? NEEDS_NOTHING : o.agreed;
  if (o.segment !== 'other') IN_SYN[Number(kind)] = needs;
  if (o.segment !== 'SYN') IN_OTHER[Number(kind)] = needs;
  LENGTH[Number(kind)] = o.length;
}

/**
 * Makes the options of segment `p` what its receiver and the inspection understand alike.
 * @param may bits of TCP_OPTION that it may carry
 * @returns bits of what it carries now (of SACK blocks: that they were agreed on); UNREADABLE, then nothing has changed
 */
export function normaliseOptions(p: Packet, may: number): number {
  const b = p.bytes;
  const at = p.l4 + TCP_MIN_HEADER;
  const end = p.payload;
  if (at === end) return 0;
  const syn = (p.flags & SYN) !== 0;
  if (!syn && end - p.l4 === TIMESTAMPS_HEADER && i32(b, at) === ONLY_TIMESTAMPS && (may & TCP_OPTION.timestamps) !== 0)
    return TCP_OPTION.timestamps;
  return readable(b, at, end) ? overwrite(p, at, end, syn ? IN_SYN : IN_OTHER, may) : UNREADABLE;
}

/** Offset of the timestamps option of `p`, or -1. TSval lies 2 bytes behind it, TSecr 6 (RFC 7323 §3.2). */
export function timestampsAt(p: Packet): number {
  const at = p.l4 + TCP_MIN_HEADER;
  if (p.payload - at < TIMESTAMPS_LENGTH) return -1;
  if (i32(p.bytes, at) === ONLY_TIMESTAMPS) return at + 2;
  return findOption(p.bytes, p.l4, TIMESTAMPS, TIMESTAMPS_LENGTH);
}

/** Every option up to the end of the list lies within the header. */
function readable(b: Uint8Array, from: number, end: number): boolean {
  let i = from;
  while (i < end) {
    const kind = u8(b, i);
    if (kind === END) return true;
    if (kind === NOP) {
      i++;
      continue;
    }
    if (i + 1 >= end) return false;
    const length = u8(b, i + 1);
    if (length < 2 || i + length > end) return false;
    i += length;
  }
  return true;
}

function overwrite(p: Packet, from: number, end: number, allowed: Uint8Array, may: number): number {
  const b = p.bytes;
  let carried = 0;
  let seen = 0; // kinds below 32, for those that come twice: some take the first, some the last
  let i = from;
  while (i < end) {
    const kind = u8(b, i);
    if (kind === END) {
      fill(p, i, end, END); // RFC 9293 §3.1: the rest is padding
      break;
    }
    if (kind === NOP) {
      i++;
      continue;
    }
    const length = u8(b, i + 1);
    const needs = allowed[kind]!;
    const fits = LENGTH[kind]! === length || (LENGTH[kind]! === 0 && length > 2 && (length & 7) === 2);
    if ((needs & (may | NEEDS_NOTHING)) === 0 || !fits || (seen & (1 << kind)) !== 0) {
      fill(p, i, i + length, NOP);
    } else {
      seen |= 1 << kind;
      carried |= needs & ALL_TCP_OPTIONS;
      if (kind === WINDOW_SCALE && u8(b, i + 2) > MAX_SHIFT) fill(p, i + 2, i + 3, MAX_SHIFT);
    }
    i += length;
  }
  return carried;
}

function fill(p: Packet, from: number, to: number, value: number): void {
  const b = p.bytes;
  for (let i = from; i < to; i++) {
    if (b[i] === value) continue;
    b[i] = value;
    completeToPartial(p);
    p.modified = true;
  }
}
