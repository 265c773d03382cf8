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
