/** README and docs/: every file they link to is there, every command line is one that the program takes, every test exists. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { CommandTable } from '../../src/app/command-table.js';
import { programTable, ROOT } from './support.js';

const DOCS = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
const PAPERS = ['README.md', 'ARCHITECTURE.md', ...DOCS.map((name) => `docs/${name}`), 'packaging/deb/README.Debian'];
const read = (paper: string): string => readFileSync(join(ROOT, paper), 'utf8');

let table: CommandTable;
beforeAll(async () => {
  table = await programTable();
}, 120_000);

test('README is a page for newcomers: under 150 lines, with one picture', () => {
  const readme = read('README.md');
  expect(readme.split('\n').length).toBeLessThan(150);
  expect([...readme.matchAll(/!\[/g)]).toHaveLength(1);
});

test('README leads to every document', () => {
  const readme = read('README.md');
  expect(DOCS.filter((name) => !readme.includes(`(docs/${name})`))).toEqual([]);
});

/** Targets of links that are files of the project, without the place in them. */
function linked(paper: string): string[] {
  const targets = [...read(paper).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!.replace(/#.*/, ''));
  return targets.filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

describe.each(PAPERS)('%s', (paper) => {
  test('links to files that are there', () => {
    expect(linked(paper).filter((target) => !existsSync(join(ROOT, dirname(paper), target)))).toEqual([]);
  });

  test('names scripts that are there', () => {
    const named = [...read(paper).matchAll(/\b(scripts\/[\w-]+)/g)].map(([, path]) => path!);
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  test('has command lines that the program takes', () => {
    expect(commandLines(read(paper)).flatMap(faultOf)).toEqual([]);
  });
});

/** Calls of `fw3640` in code: blocks (indented, a backslash goes on) and between backquotes. */
function commandLines(text: string): string[] {
  const joined = text.replaceAll(/\\\n\s*/g, ' ');
  const blocks = joined.split('\n').filter((line) => /^ {4}/.test(line));
  const spans = [...joined.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  return [...blocks, ...spans].flatMap((code) => {
    // Behind three blanks stands what it does.
    const words = code.trim().replace(/ {3,}.*$/, '');
    const call = /^(?:sudo |npx |node |source <\()*(?:fw3640|dist\/main\.js) (.*)$/.exec(words);
    return call === null ? [] : [call[1]!];
  });
}

/** What the program would not take of a command line; `…` and words in capitals stand for something. */
function faultOf(line: string): string[] {
  const [name, ...words] = (line.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/[()[\],;]/g, ''));
  if (name === undefined || !/^[a-z-]+$/.test(name)) return [];
  if (name.startsWith('-')) return table.program.options.some((o) => o.long === name) ? [] : [`${line}: ${name}`];
  const command = table.commands.find((c) => c.name === name);
  if (command === undefined) return [`${line}: no command ${name}`];
  const known = command.options.flatMap((o) => [o.short, o.long]);
  const options = words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/=.*/, ''));
  return options.filter((option) => !known.includes(option)).map((option) => `${line}: ${option}`);
}

test('a command line that the program would not take is found', () => {
  expect(commandLines('    sudo fw3640 check --config x --wrong y\n')).toEqual(['check --config x --wrong y']);
  expect(faultOf('check --config x --wrong y')).toEqual(['check --config x --wrong y: --wrong']);
  expect(faultOf('no-such-command')).toHaveLength(1);
});

/** Files and folders of test/ by the names that the documents use: `lab/smtp`, `inspect/smtp/`, `engine/undelivered.law`. */
function isTest(name: string): boolean {
  const path = join(ROOT, 'test', name);
  if (name.endsWith('/')) return existsSync(path) && statSync(path).isDirectory();
  if (existsSync(`${path}.test.ts`)) return true;
  // `attack/dialogue` for dialogue.law.test.ts
  return existsSync(`${path}.law.test.ts`);
}

/** Names between backquotes in the last column of the tables of a document. */
function testsNamed(paper: string): string[] {
  const rows = read(paper)
    .split('\n')
    .filter((line) => /^\|.*\|$/.test(line) && !/^\|[\s|-]*\|$/.test(line));
  return rows.flatMap((row) => {
    const cells = row.slice(1, -1).split(/(?<!\\)\|/);
    return [...cells.at(-1)!.matchAll(/`([a-z][\w./-]*\/[\w./-]*)`/g)].map(([, name]) => name!);
  });
}

test('operate.md names log lines and reasons that the program has', () => {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
    .join('\n');
  const text = read('docs/operate.md');
  const mnemonics = [...text.matchAll(/`%[A-Z0-9_]+-[0-7]-(\w+)/g)].map(([, word]) => word!);
  expect(mnemonics.length).toBeGreaterThan(15);
  expect(mnemonics.filter((word) => !new RegExp(`['-]${word}\\b`).test(sources))).toEqual([]);
  const [, reasons] = /^\| reason .*?\n.*?\n(.*?)\n\n/ms.exec(text) ?? [];
  const named = reasons!.split('\n').flatMap((row) => row.split('|')[1]!.replace('…', '').trim().split(', '));
  expect(named.filter((reason) => !sources.includes(`'${reason}`))).toEqual([]);
});

describe('the tests that are named', () => {
  test('in compared.md are all there, one at least in each row of ours', () => {
    const rows = read('docs/compared.md')
      .split('\n')
      .filter((line) => line.startsWith('|'))
      .slice(2);
    expect(rows.length).toBeGreaterThan(15);
    expect(testsNamed('docs/compared.md').filter((name) => !isTest(name))).toEqual([]);
    for (const row of rows) expect(row.split('|').at(-2)).toMatch(/`[a-z-]+\/[\w./-]+`/);
  });

  test.each(['docs/features.md', 'docs/security.md'])('in %s are all there', (paper) => {
    const notTests = (name: string): boolean =>
      name.startsWith('scripts/') || existsSync(join(ROOT, 'test', name)) || existsSync(join(ROOT, name));
    expect(testsNamed(paper).filter((name) => !isTest(name) && !notTests(name))).toEqual([]);
  });
});

test('every source that a cell of compared.md names is listed', () => {
  const text = read('docs/compared.md');
  const listed = new Set([...text.matchAll(/^(\d+)\. /gm)].map(([, n]) => n));
  const named = [...text.matchAll(/\[(\d+)\]/g)].map(([, n]) => n);
  expect(named.filter((n) => !listed.has(n))).toEqual([]);
});
