/** TCP header (RFC 9293 §3.1): where its fields lie and when they may be read. All fields are big-endian. */
import { u16, u8 } from './bytes.js';

export const TCP_MIN_HEADER = 20; // bytes
export const TCP_SRC_PORT = 0;
export const TCP_DST_PORT = 2;
export const TCP_SEQ = 4;
export const TCP_ACK = 8;
export const TCP_DATA_OFFSET = 12;
export const TCP_FLAGS = 13;
export const TCP_WINDOW = 14;
export const TCP_CHECKSUM = 16;
export const TCP_URGENT = 18;

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const PSH = 8;
export const ACK = 16;
export const URG = 32;

const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const DEFAULT_MSS = 536;
const OPTION_WINDOW_SCALE = 3;
/** RFC 7323 §2.3: a larger shift counts as 14. */
const MAX_SHIFT = 14;

/** Checks that the TCP header at `at` may be read, options included. `end`: one past the IPv4 payload. */
export function tcpHeaderOk(b: Uint8Array, at: number, end: number): boolean {
  if (end - at < TCP_MIN_HEADER) return false;
  const header = tcpHeaderLength(b, at);
  return header >= TCP_MIN_HEADER && header <= end - at;
}
/** Header length with options, bytes. */
export const tcpHeaderLength = (b: Uint8Array, at: number): number => (u8(b, at + TCP_DATA_OFFSET) >>> 4) * 4;

/**
 * The window scale option's shift count (RFC 7323 §2.2), or -1 where there is none. Only SYN segments carry it.
 */
export function tcpWindowScale(b: Uint8Array, at: number): number {
  const option = findOption(b, at, OPTION_WINDOW_SCALE, 3);
  return option < 0 ? -1 : Math.min(u8(b, option + 2), MAX_SHIFT);
}

/** The maximum segment size that a SYN segment announces, bytes, or the default of RFC 9293 §3.7.1. */
export function tcpMss(b: Uint8Array, at: number): number {
  const value = tcpMssAt(b, at);
  return value < 0 ? DEFAULT_MSS : u16(b, value);
}

/** Where the value of the MSS option lies, or -1 where there is none. */
export function tcpMssAt(b: Uint8Array, at: number): number {
  const option = findOption(b, at, OPTION_MSS, 4);
  return option < 0 ? -1 : option + 2;
}

/** Offset of the first option of this kind and length, or -1. Options that run past the header end the search. */
export function findOption(b: Uint8Array, at: number, wanted: number, wantedLength: number): number {
  const end = at + tcpHeaderLength(b, at);
  let i = at + TCP_MIN_HEADER;
  while (i < end) {
    const kind = u8(b, i);
    if (kind === OPTION_END) return -1;
    if (kind === OPTION_NOP) {
      i++;
      continue;
    }
    if (i + 1 >= end) return -1;
    const length = u8(b, i + 1);
    if (length < 2 || i + length > end) return -1;
    if (kind === wanted && length === wantedLength) return i;
    i += length;
  }
  return -1;
}
