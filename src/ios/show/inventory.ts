/**
 * `show inventory`: the chassis, and the network modules that the interfaces of the configuration sit in.
 * Inferred: which module a slot holds, from its interfaces; nothing here has a serial number.
 */
import type { RouterConfig } from '../config/model.js';

const NUMBERS = ['', 'One', 'Two', 'Three', 'Four'];

export function showInventory({ interfaces }: RouterConfig): string {
  const slots = new Map<number, string[]>();
  for (const { name } of interfaces) {
    const [, type = '', slot = ''] = /^(\D+)(\d+)\/\d+$/.exec(name) ?? [];
    if (type !== '') slots.set(Number(slot), [...(slots.get(Number(slot)) ?? []), type]);
  }
  const modules = [...slots].sort(([a], [b]) => a - b).map(([, types]) => moduleOf(types));
  return [item('3640 chassis', '', '0xFF'), ...modules.map(({ name, pid }) => item(name, pid, '1.0'))].join('');
}

const item = (name: string, pid: string, vid: string): string =>
  `NAME: "${name}", DESCR: "${name}"\nPID: ${pid.padEnd(18)}, VID: ${vid}, SN: 00000000\n\n`;

function moduleOf(types: readonly string[]): { name: string; pid: string } {
  const count = (type: string): number => types.filter((t) => t === type).length;
  const ports = (n: number): string => `${NUMBERS[n] ?? n} port`;
  const fast = count('FastEthernet');
  if (fast > 0) return { name: `${ports(fast)} Fastethernet TX`, pid: `NM-${fast}FE-TX=` };
  const ethernet = count('Ethernet');
  const wan = types.length > ethernet ? '2W' : '';
  if (ethernet > 0) return { name: `${ports(ethernet)} Ethernet`, pid: `NM-${ethernet}E${wan}=` };
  return { name: `${ports(types.length)} ${types[0]!}`, pid: '' };
}
