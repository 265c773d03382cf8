/** The manual pages: what they say of the program is what the program says, and troff has nothing to complain of. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandTable } from '../../src/app/command-table.js';
import { CONFIG_COMMANDS } from '../../src/ios/commands/index.js';
import { EXEC_COMMANDS } from '../../src/ios/exec/vocabulary.js';
import { Folder, programTable, ROOT } from './support.js';

const PAGES = ['fw3640.8', 'fw3640.cfg.5'] as const;
const folder = new Folder();
let table: CommandTable;
beforeAll(async () => {
  table = await programTable();
  // The script asks the program for its tables; here it gets those of the sources.
  const done = spawnSync(process.execPath, ['scripts/paper-parts/man.mjs', folder.path, '-'], {
    cwd: ROOT,
    encoding: 'utf8',
    input: JSON.stringify(table),
    env: { ...process.env, SOURCE_DATE_EPOCH: '1767225600' },
  });
  expect(done.stderr).toBe('');
}, 120_000);
afterAll(() => {
  folder[Symbol.dispose]();
});

/** The page as `man` shows it, without line breaks and hyphenation. */
function shown(page: string): string {
  const done = spawnSync('mandoc', ['-T', 'ascii', '-O', 'width=1000', join(folder.path, page)], { encoding: 'utf8' });
  expect(done.stderr).toBe('');
  return done.stdout.replaceAll(/.[\b]/g, '').replaceAll(/\s+/g, ' ');
}

describe.each(PAGES)('%s', (page) => {
  test('mandoc and groff have nothing to complain of', () => {
    const path = join(folder.path, page);
    const lint = spawnSync('mandoc', ['-T', 'lint', path], { encoding: 'utf8' });
    // Whether the other pages are installed is not the page's fault.
    const faults = lint.stdout.split('\n').filter((l) => l !== '' && !l.includes('referenced manual not found'));
    expect(faults).toEqual([]);
    const groff = spawnSync('groff', ['-mandoc', '-ww', '-z', '-Tutf8', path], { encoding: 'utf8' });
    expect(groff.stderr).toBe('');
  });

  test('has its date, and nothing that the script should have replaced', () => {
    const text = readFileSync(join(folder.path, page), 'utf8');
    expect(text).toContain('.Dd January 1, 2026');
    expect(text).not.toMatch(/@[A-Z]+@/);
  });
});

test('fw3640(8) has every command, and every option with its value, choices and default', () => {
  const text = shown('fw3640.8');
  for (const command of table.commands.filter((c) => c.name !== 'help')) {
    expect(text).toContain(`fw3640 ${command.name}`);
    for (const o of command.options) {
      const names = [o.short, o.long].filter((n) => n !== undefined).join(', ');
      expect(text).toContain(o.value === undefined ? names : `${names} ${o.value}`);
      if (o.choices.length > 0) expect(text).toContain(`One of ${o.choices.join(', ')}.`);
      if (o.preset !== undefined) expect(text).toContain(`Default: ${o.preset}.`);
      if (o.variable !== undefined) expect(text).toContain(o.variable);
    }
  }
});

/** The words whose help says that they are not of IOS: of each command of the tables, by its keyword. */
function extensions(): string[] {
  const commands = [...Object.values(CONFIG_COMMANDS).flat(), ...EXEC_COMMANDS];
  const words = commands
    .flatMap((c) => Object.entries(c.help ?? {}))
    .filter(([, text]) => text.endsWith('(fw3640 extension)'))
    .map(([word]) => word.split(' ').at(-1)!);
  return [...new Set(words)].sort();
}

test('fw3640.cfg(5) has each word that is an extension, and no other', () => {
  const source = readFileSync(join(ROOT, 'docs/man/fw3640.cfg.5'), 'utf8');
  const [, section] = /\.Sh EXTENSIONS\n(.*?)\n\.Sh /s.exec(source) ?? [];
  const items = [...section!.matchAll(/^\.It Cm (\S+)/gm)].map(([, word]) => word!);
  expect(items.sort()).toEqual(extensions());
  expect(extensions().length).toBeGreaterThan(4);
});
