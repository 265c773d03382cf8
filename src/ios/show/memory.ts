/** `show memory [summary]`: its first lines. The list of blocks that follows them on a router has no equal here. */
import type { SystemSnapshot } from '../../core/state/snapshot.js';

/** The memory of the machine stands for the processor pool; it has no address at which it begins. */
export function showMemory(system: SystemSnapshot): string {
  const { total, used } = system.memory();
  const free = total - used;
  const column = (n: number): string => String(n).padStart(12);
  return (
    '                Head    Total(b)     Used(b)     Free(b)   Lowest(b)  Largest(b)\n' +
    `Processor${'0'.padStart(11)}${[total, used, free, free, free].map(column).join('')}\n`
  );
}
