import type { PacketHeader } from '../../core/observe/debug-event.js';
import { formatAddress } from '../ipv4-text.js';

/** `debug ip nat`: a translated packet with its identification. `src`, `dst`: its addresses before. */
export function natLine(p: PacketHeader, src: number, dst: number): string {
  const arrow = (before: number, now: number): string =>
    before === now ? formatAddress(now) : `${formatAddress(before)}->${formatAddress(now)}`;
  return `NAT: s=${arrow(src, p.src)}, d=${arrow(dst, p.dst)} [${p.identification}]`;
}
