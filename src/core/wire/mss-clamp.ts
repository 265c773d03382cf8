/** `ip tcp adjust-mss`: what a SYN announces as its maximum segment size is made no larger than the way can carry. */
import { put16, u16 } from './bytes.js';
import { adjustChecksum } from './checksum.js';
import type { Packet } from './packet.js';
import { TCP_CHECKSUM, tcpMssAt } from './tcp.js';

const swap = (word: number): number => ((word & 0xff) << 8) | (word >>> 8);

/**
 * Lowers the MSS option of a SYN segment, and its checksum by increments. One that is not there is not added: then 536
 * holds (RFC 9293 §3.7.1).
 * @param most bytes
 */
export function clampMss(p: Packet, most: number): void {
  const b = p.bytes;
  const at = tcpMssAt(b, p.l4);
  if (at < 0) return;
  const announced = u16(b, at);
  if (announced <= most) return;
  put16(b, at, most);
  p.modified = true;
  if (p.checksumPartial) return; // the pseudo header has no options
  const sumAt = p.l4 + TCP_CHECKSUM;
  // An option may begin anywhere: at an odd place its bytes stand in two words of the sum.
  const odd = ((at - p.l4) & 1) === 1;
  put16(b, sumAt, adjustChecksum(u16(b, sumAt), odd ? swap(announced) : announced, odd ? swap(most) : most));
}
