/** Writes a file so that at each moment, a crash of the machine included, it is the old one or the new one, whole. */
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * @param file where; behind a symbolic link, the file it leads to
 * @param mode of a new file; passwords stand in a configuration
 * @throws Error of the system; then the file is as it was
 */
export function writeWhole(file: string, text: string, mode = 0o600): void {
  const target = resolve(file);
  const fresh = `${target}.new`;
  try {
    const fd = openSync(fresh, 'w', mode);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
      fsyncSync(fd); // a name that is there before its bytes would be an empty file after a power cut
    } finally {
      closeSync(fd);
    }
    renameSync(fresh, target);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  const folder = openSync(dirname(target), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function resolve(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file; // there is none yet
  }
}
