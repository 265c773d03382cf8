/** Files of /proc and /sys, which show what the kernel counts. */
import { readFileSync } from 'node:fs';

/** The text of a file; empty where there is none, or no descriptor is free (EMFILE): nothing of it is worth an end. */
export function procText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

let resident = 0;

/** Bytes that this process has in memory; what they were last where it cannot be read for want of a descriptor. */
export function residentBytes(): number {
  try {
    resident = process.memoryUsage.rss();
  } catch {
    // It is asked again.
  }
  return resident;
}

/**
 * When a process began, in clock ticks since boot: a process id alone may have been given out again.
 * @returns field 22 of /proc/PID/stat, or undefined if there is no such process, or a zombie: it does nothing more
 */
export function startTime(pid: number): string | undefined {
  const stat = procText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
}
