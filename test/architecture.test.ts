import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';
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

/** The floors of the house: who stands on whom. A folder imports its own and those before it in its row. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ios: ['core'],
  io: ['core', 'ios'],
  host: ['core', 'ios', 'io'],
  data: ['core', 'ios', 'io', 'host'],
  control: ['core', 'ios', 'io', 'host'],
  management: ['core', 'ios', 'io', 'host'],
  app: ['core', 'ios', 'io', 'host', 'data', 'control', 'management'],
};

/** The room of a file: its folder under src; main.ts stands alone. */
const roomOf = (file: string): string => (file.includes('/') ? file.slice(0, file.indexOf('/')) : 'main');

/** What still reaches out of the core, to be emptied: `file > import`. */
const KNOWN_DEBTS = new Set<string>([]);

test('src has main.ts and the rooms of the house, nothing else', () => {
  const rooms = new Set(files.map(roomOf));
  expect([...rooms].filter((room) => room !== 'main' && !(room in MAY_IMPORT))).toEqual([]);
  expect(files.filter((f) => !f.includes('/'))).toEqual(['main.ts']);
});

test.each(files.filter((f) => f !== 'main.ts'))('%s imports only from the floors below it', (file) => {
  const room = roomOf(file);
  const local = importsOf(file, true).filter((name) => name.startsWith('.'));
  const targets = local.map((t) => join(dirname(file), t));
  const wrong = targets.filter((t) => roomOf(t) !== room && !MAY_IMPORT[room]!.includes(roomOf(t)));
  expect(wrong.map((t) => `${file} > ${t}`).filter((debt) => !KNOWN_DEBTS.has(debt))).toEqual([]);
});

test('no debt is kept that has been paid', () => {
  const all = new Set(files.flatMap((file) => importsOf(file, true).map((t) => `${file} > ${join(dirname(file), t)}`)));
  expect([...KNOWN_DEBTS].filter((debt) => !all.has(debt))).toEqual([]);
});

const PAGE = 'management/page';
const pageFiles = readdirSync(join(SRC, PAGE)).filter((f) => /\.tsx?$/.test(f));

test.each(pageFiles)('%s, which a browser loads, takes from the router only what it is told', (file) => {
  const foreign = importsOf(join(PAGE, file), true)
    .filter((t) => t.startsWith('.'))
    .map((t) => join(PAGE, t))
    .filter((t) => !t.startsWith(PAGE) && !/^ios\/(live|transcript)\//.test(t));
  const packages = importsOf(join(PAGE, file)).filter((t) => !/^\.|^preact\b|^uplot\//.test(t));
  expect([...foreign, ...packages]).toEqual([]);
});

/** Rooms of the core that stand on each other: none imports one that stands behind it in this row. */
const STAIR = ['wire', 'inspect', 'session', 'stream', 'tracker', 'engine.js'];

test.each(files.filter((f) => f.startsWith('core/')))('%s imports nothing that stands on it', (file) => {
  const stepOf = (path: string): number => STAIR.indexOf(path.split('/')[1]!.replace(/\.ts$/, '.js'));
  const step = stepOf(file);
  if (step < 0) return;
  const targets = importsOf(file, true).map((t) => join(dirname(file), t));
  expect(targets.filter((t) => t.startsWith('core/') && stepOf(t) > step)).toEqual([]);
});

test('no file imports itself, by whatever way', () => {
  const imports = new Map(
    files.map((f) => [
      f,
      importsOf(f, true)
        .filter((t) => t.startsWith('.'))
        .map((t) => join(dirname(f), t).replace(/\.js$/, '.ts')),
    ]),
  );
  const circles: string[] = [];
  const done = new Set<string>();
  const follow = (file: string, way: readonly string[]): void => {
    const at = way.indexOf(file);
    if (at >= 0) circles.push([...way.slice(at), file].join(' > '));
    if (at >= 0 || done.has(file)) return;
    for (const next of imports.get(file) ?? []) follow(next, [...way, file]);
    done.add(file);
  };
  for (const file of files) follow(file, []);
  expect(circles).toEqual([]);
});

/** Rooms that open no descriptor, run no program and read no clock. */
const isPure = (file: string): boolean => /^(core|ios)\//.test(file);

test.each(files.filter(isPure))('%s does no I/O', (file) => {
  const outside = importsOf(file).filter((name) => !name.startsWith('.'));
  // Node's crypto has the hash of type 5 passwords; it is no I/O.
  expect(outside.filter((name) => name !== 'node:crypto')).toEqual([]);
});

test.each(files.filter((f) => f.startsWith('core/')))('%s reads no clock of its own', (file) => {
  const calls = /Date\.now|new Date|performance\.now|setTimeout|setInterval|console\.\w+\(/g;
  expect(readFileSync(join(SRC, file), 'utf8').match(calls)).toBeNull();
});

test.each(files.filter((f) => f.startsWith('core/wire/')))('%s imports nothing outside wire/', (file) => {
  const targets = importsOf(file, true).map((t) => join(dirname(file), t));
  expect(targets.filter((t) => !t.startsWith('core/wire/') && t !== 'core/verdict.js')).toEqual([]);
});

/** Two words of prose in a row: names, codes and grammar have none. */
const PROSE = /\b[a-z]{2,} [a-z]{2,}\b/;

/**
 * Prose that the core may have: what a person reads who works on it. `help` of a row in metrics, the `source` of a line
 * of a grammar and the `reason` for it, an Error that ends the process.
 */
function isForDevelopers(node: ts.Node): boolean {
  for (let n = node; !ts.isSourceFile(n); n = n.parent) {
    const { parent } = n;
    if (ts.isNewExpression(parent) && parent.expression.getText().endsWith('Error')) return true;
    const named = ts.isPropertyAssignment(parent) || ts.isVariableDeclaration(parent);
    if (named && /^(help|source|reason)$/i.test(parent.name.getText())) return true;
  }
  return false;
}

test.each(files.filter((f) => f.startsWith('core/')))('%s has codes, and no words for people', (file) => {
  const source = ts.createSourceFile(file, readFileSync(join(SRC, file), 'utf8'), ts.ScriptTarget.Latest, true);
  const prose: string[] = [];
  const visit = (n: ts.Node): void => {
    const isText = ts.isStringLiteralLike(n) || ts.isTemplateExpression(n);
    if (isText && PROSE.test(n.getText()) && !isForDevelopers(n)) prose.push(n.getText());
    else ts.forEachChild(n, visit);
  };
  visit(source);
  expect(prose).toEqual([]);
});
