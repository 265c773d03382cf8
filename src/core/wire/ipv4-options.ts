/**
 * IPv4 options (RFC 791 §3.1). Our own kernel drops a packet with a source route, since it would lead around the access
 * lists (`ip source-route` is not offered), and one whose options do not fit into its header; it does so behind us
 * (Linux: ip_rcv_options), so it is decided here. A finer fault that only the kernel sees costs nobody but its sender:
 * segments of inspected streams may have no options at all.
 */
import { u8 } from './bytes.js';

const END = 0;
const NOP = 1;
const LOOSE_SOURCE_ROUTE = 131;
const STRICT_SOURCE_ROUTE = 137;

/** True where the options b[at..end) can be read, and route nothing. */
export function ipv4OptionsOk(b: Uint8Array, at: number, end: number): boolean {
  let i = at;
  while (i < end) {
    const type = u8(b, i);
    if (type === END) return true;
    if (type === NOP) {
      i++;
      continue;
    }
    if (type === LOOSE_SOURCE_ROUTE || type === STRICT_SOURCE_ROUTE || i + 1 >= end) return false;
    const length = u8(b, i + 1);
    if (length < 2 || i + length > end) return false;
    i += length;
  }
  return true;
}
