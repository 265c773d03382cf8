/** Which calls a terminal line takes: `access-class ACL in`, `transport input`, `no exec`. */
import type { AccessList, LineConfig } from '../config/model.js';

const TCP = 6;

/**
 * @param list the list, undefined where the configuration names one that it does not define: IOS permits all then
 * @param source int32 address of the caller
 */
export function mayConnect(list: AccessList | undefined, source: number): boolean {
  if (list === undefined || list.entries.length === 0) return true;
  for (const e of list.entries) {
    if (e.protocol !== undefined && e.protocol !== TCP) continue;
    if (((source ^ e.src.address) & ~e.src.wildcard) !== 0) continue;
    // An entry that looks at more than the source may deny, but what it permits is not decided here.
    const narrow =
      e.dst.wildcard !== -1 || e.srcPort !== undefined || e.dstPort !== undefined || e.established || e.fragments;
    if (e.action === 'deny' || !narrow) return e.action === 'permit';
  }
  return false;
}

/** False for a line that telnet does not get to, or where nobody gets a command line. */
export const takesTelnet = ({ transportInput, exec }: LineConfig): boolean =>
  exec && transportInput?.includes('telnet') !== false;
