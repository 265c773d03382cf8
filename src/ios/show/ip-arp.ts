/** `show ip arp` and `show arp`. */
import type { ArpSnapshot } from '../../core/state/snapshot.js';
import { formatAddress } from '../ipv4-text.js';

export function showArp(entries: readonly ArpSnapshot[]): string {
  let text = 'Protocol  Address          Age (min)  Hardware Addr   Type   Interface\n';
  for (const e of entries) {
    const minutes = e.ageMinutes === undefined ? '-' : String(e.ageMinutes);
    const known = e.hardwareAddress !== undefined;
    const hardware = known ? e.hardwareAddress : 'Incomplete';
    text += `Internet  ${formatAddress(e.address).padEnd(15)}${minutes.padStart(10)}   ${(hardware ?? '').padEnd(14)}  ARPA   ${known ? e.interfaceName : ''}`;
    text = `${text.trimEnd()}\n`;
  }
  return text;
}
