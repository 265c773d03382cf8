import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const SRC = new URL('../src', import.meta.url).pathname;

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'));

/** What a source file imports, but for types. */
function importsOf(file: string, withTypes = false): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\s(type\s)?[^;]*?from\s+'([^']+)';/gms)]
    .filter((m) => withTypes || m[1] === undefined)
    .map((m) => m[2]!);
}

/** Files that may do I/O, read clocks and call the logger. */
const isEdge = (file: string): boolean =>
  file.startsWith('io/') ||
  ['main.ts', 'node-version.ts', 'run.ts', 'commands.ts', 'router.ts', 'console.ts', 'replay.ts'].includes(file);

test.each(files.filter((f) => !isEdge(f)))('%s does no I/O', (file) => {
  const outside = importsOf(file).filter((name) => !name.startsWith('.'));
  // Node's crypto has the hash of type 5 passwords; it is no I/O.
  expect(outside.filter((name) => name !== 'node:crypto')).toEqual([]);
});

test.each(files.filter((f) => /^(wire|acl|nat|tcp|session|inspect|fragment)\/|^engine\.ts$/.test(f)))(
  '%s reads no clock of its own',
  (file) => {
    const calls = /Date\.now|new Date|performance\.now|setTimeout|setInterval|console\.\w+\(/g;
    expect(readFileSync(join(SRC, file), 'utf8').match(calls)).toBeNull();
  },
);

test.each(files.filter((f) => f.startsWith('wire/')))('%s imports nothing outside wire/', (file) => {
  const targets = importsOf(file, true).filter((name) => name.startsWith('.'));
  const folders = targets.map((t) => relative(SRC, join(SRC, dirname(file), t)).split('/')[0]);
  expect(folders.filter((f) => f !== 'wire' && f !== 'verdict.js')).toEqual([]);
});

test.each(files.filter((f) => /^(wire|acl|nat|tcp|session|inspect|fragment)\//.test(f)))(
  '%s takes nothing from ios/ but the configuration model and its defaults',
  (file) => {
    const ios = importsOf(file, true).filter((name) => name.includes('/ios/'));
    expect(ios.filter((name) => !/\/ios\/config\/(model|defaults)\.js$/.test(name))).toEqual([]);
  },
);
