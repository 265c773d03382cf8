/**
 * Which build of the data plane this is: two processes of one build understand each other's messages and state. A release
 * number would not do, since a checkout changes without one.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Of the folder that this file is in: what judges packets, and what the two processes say to each other. */
const PARTS = ['core', 'data', 'io/message-link', 'io/frames', 'io/queue'];

/** @returns a short name, the same for the same program files and Node */
export function buildName(): string {
  const hash = createHash('sha256').update(process.version);
  const folder = fileURLToPath(new URL('../', import.meta.url));
  const files = PARTS.flatMap((part) => codeIn(join(folder, part))).sort();
  for (const path of [...files, join(ROOT, 'native/build/libfwq.so')]) hash.update(path).update(readFileSync(path));
  return hash.digest('hex').slice(0, 12);
}

/** The program files of a folder, or of a module by its name without extension. */
function codeIn(path: string): string[] {
  if (!existsSync(path)) return ['.js', '.ts'].map((extension) => path + extension).filter((file) => existsSync(file));
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.[jt]s$/.test(name))
    .map((name) => join(path, name));
}
