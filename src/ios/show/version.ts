/** `show version`: the layout of a 3640's answer, with the facts of this program (reference §10). */
import type { SystemSnapshot } from '../../core/state/snapshot.js';
import type { RouterConfig } from '../config/model.js';
import { uptimeWords } from './duration.js';

export function showVersion(config: RouterConfig, system: SystemSnapshot): string {
  const megabytes = Math.floor(system.memory().total / 1024);
  const count = (type: RegExp): number => config.interfaces.filter((i) => type.test(i.name)).length;
  const hardware: readonly (readonly [number, string])[] = [
    [count(/^Ethernet/), 'Ethernet/IEEE 802.3 interface(s)'],
    [count(/^FastEthernet/), 'FastEthernet/IEEE 802.3 interface(s)'],
    [count(/^GigabitEthernet/), 'Gigabit Ethernet/IEEE 802.3 interface(s)'],
    [count(/^Serial/), 'Serial network interface(s)'],
  ];
  // Image and release are named as programs that read this expect them; the third line says what it is.
  return `Internetwork Operating System Software
IOS (tm) 3600 Software (FW3640-JS-M), Version ${config.version}, RELEASE SOFTWARE (fc1)
fw3640 ${system.release}: a Cisco 3640's IOS Firewall on Linux, not software of Cisco Systems

ROM: fw3640 ${system.release}

${config.hostname} uptime is ${uptimeWords(system.uptimeMs())}
System returned to ROM by ${system.wasReloaded?.() === true ? 'reload' : 'power-on'}
System image file is "flash:fw3640-${system.release}"

cisco 3640 (Linux) processor (revision 0x00) with ${megabytes}K/0K bytes of memory.
Processor board ID 00000000
${hardware
  .filter(([n]) => n > 0)
  .map(([n, what]) => `${n} ${what}\n`)
  .join('')}125K bytes of non-volatile configuration memory.

Configuration register is 0x2102

`;
}
