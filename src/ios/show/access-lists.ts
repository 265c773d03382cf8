/** `show access-lists [NAME]` and `show ip access-lists [NAME]` (reference §9). */
import type { RouterSnapshot } from '../../core/state/snapshot.js';
import { formatExtended } from '../config/acl-text.js';
import type { AccessList, RouterConfig } from '../config/model.js';
import { inListOrder } from '../config/list-order.js';
import type { AclEntry } from '../../core/acl/entry.js';
import { formatAddress } from '../ipv4-text.js';

/** @param only the name of one list; undefined: all. An unknown name prints nothing. */
export function showAccessLists(config: RouterConfig, snapshot: RouterSnapshot, only?: string): string {
  let text = '';
  for (const list of inListOrder(config.accessLists.values())) {
    if (only !== undefined && list.name !== only) continue;
    const matches = snapshot.aclMatches(list.name);
    text += `${list.kind === 'standard' ? 'Standard' : 'Extended'} IP access list ${list.name}\n`;
    for (const [i, e] of list.entries.entries())
      text += `    ${e.sequence} ${entryText(list, e)}${hits(matches[i] ?? 0)}\n`;
  }
  return text;
}

const hits = (n: number): string => (n === 0 ? '' : ` (${n} match${n === 1 ? '' : 'es'})`);

/** An entry as the command prints it, without number and matches. */
export function entryText(list: AccessList, e: AclEntry): string {
  if (list.kind === 'extended') return formatExtended(e);
  const { address, wildcard } = e.src;
  const wide = wildcard === -1 ? 'any' : `${formatAddress(address)}, wildcard bits ${formatAddress(wildcard)}`;
  return `${e.action.padEnd(6)} ${wildcard === 0 ? formatAddress(address) : wide}${e.log === 'none' ? '' : ' log'}`;
}
