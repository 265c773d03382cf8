/** Shell completion, asked for in a real bash and a real zsh. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CommandTable } from '../../src/app/command-table.js';
import { completion } from '../../src/app/completion.js';
import { Folder, programTable, ROOT } from './support.js';

let table: CommandTable;
const folder = new Folder();
beforeAll(async () => {
  table = await programTable();
  writeFileSync(join(folder.path, 'fw3640.bash'), completion(table, 'bash'));
  mkdirSync(join(folder.path, 'site-functions'));
  writeFileSync(join(folder.path, 'site-functions/_fw3640'), completion(table, 'zsh'));
  writeFileSync(join(folder.path, 'outside.pcap'), '');
}, 120_000);
afterAll(() => {
  folder[Symbol.dispose]();
});

const CONFIG = join(ROOT, 'config/3640.cfg');

/** What bash offers at the end of a line. Words are cut as readline cuts them, at blanks and around `=`. */
function offeredByBash(line: string): string[] {
  const words = line.split(/ +|(?<==)|(?==)/);
  const script = `
    cd "$2" || exit; . ./fw3640.bash; shift 2
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
    _fw3640 fw3640 "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[COMP_CWORD - 1]}"
    ((\${#COMPREPLY[@]} == 0)) || printf '%s\\n' "\${COMPREPLY[@]}"`;
  const done = spawnSync('bash', ['--norc', '-uc', script, 'bash', '-', folder.path, ...words], { encoding: 'utf8' });
  expect(done.stderr).toBe('');
  return done.stdout.split('\n').filter((word) => word !== '');
}

/** What an interactive zsh makes of each line at a Tab: zsh, its line editor and its completion as users have them. */
function completedByZsh(lines: readonly string[]): string[] {
  const script = `
    zmodload zsh/zpty
    zpty shell zsh -fi
    await() { out=; while zpty -r shell chunk; do out+=$chunk; [[ $out == *$1* ]] && break; done }
    zpty -w shell "cd $1; PS1='%%' fpath=($1/site-functions \\$fpath); autoload -U compinit; compinit -D -u"
    zpty -w shell "bindkey '^X' show; show() { print -r -- \\"<line>\\$BUFFER</line>\\"; BUFFER=; }; zle -N show; print re''ady"
    await ready
    shift
    for line; do
      zpty -w -n shell "$line"$'\\t\\x18'
      await '</line>'
      print -r -- $out
    done
    zpty -d shell`;
  const done = spawnSync('zsh', ['-fc', script, 'zsh', folder.path, ...lines], { encoding: 'utf8', timeout: 100_000 });
  return [...done.stdout.matchAll(/<line>(.*?)<\/line>/gs)].map(([, line]) => line!);
}

describe('bash completes', () => {
  test('the names of all commands, and no hidden one', () => {
    const offered = offeredByBash('fw3640 ');
    expect(offered).toEqual(expect.arrayContaining(table.commands.map((c) => c.name)));
    expect(offered).not.toContain('table');
  });

  test('every option of every command', () => {
    for (const command of table.commands)
      expect(offeredByBash(`fw3640 ${command.name} --`)).toEqual(command.options.map((o) => o.long));
  });

  test.each([
    { line: 'fw3640 ch', offered: ['check'] },
    { line: 'fw3640 run --log-format ', offered: ['json', 'ios'] },
    { line: 'fw3640 run --log-format=i', offered: ['ios'] },
    { line: 'fw3640 run --queue ', offered: [] },
    { line: 'fw3640 completion z', offered: ['zsh'] },
    { line: `fw3640 run --config ${CONFIG} --interface `, offered: ['Ethernet2/0=', 'Ethernet2/1='] },
    { line: `fw3640 run --config=${CONFIG} -i Ethernet2/0`, offered: ['Ethernet2/0='] },
    { line: `fw3640 trace -c ${CONFIG} --in `, offered: ['Ethernet2/0', 'Ethernet2/1'] },
    { line: `fw3640 replay -c ${CONFIG} --capture Ethernet2/1=out`, offered: ['outside.pcap'] },
    { line: 'fw3640 check --config out', offered: ['outside.pcap'] },
    { line: 'fw3640 run --flash site', offered: ['site-functions'] },
  ])('$line', ({ line, offered }) => {
    expect(offeredByBash(line)).toEqual(offered);
  });

  test('what a configuration says is a name, and no command that Tab carries out', () => {
    writeFileSync(join(folder.path, 'hostile.cfg'), 'interface Ethernet$(id)\ninterface Ethernet`id`\n');
    expect(offeredByBash('fw3640 trace -c hostile.cfg --in ')).toEqual(['Ethernet$(id)', 'Ethernet`id`']);
  });

  test('the Linux interfaces behind an interface of the configuration', () => {
    const here = spawnSync('sh', ['-c', 'ls /sys/class/net | grep -vx lo'], { encoding: 'utf8' }).stdout.split('\n');
    expect(offeredByBash('fw3640 run -i Ethernet2/0=')).toEqual(here.filter((name) => name !== ''));
  });
});

describe('zsh', () => {
  test('completes commands, options, values, interfaces of the configuration, files', () => {
    const cases = [
      { line: 'fw3640 repl', completed: 'fw3640 replay ' },
      { line: 'fw3640 run --log-lev', completed: 'fw3640 run --log-level=' },
      { line: 'fw3640 run --log-format i', completed: 'fw3640 run --log-format ios ' },
      { line: 'fw3640 completion z', completed: 'fw3640 completion zsh ' },
      {
        line: `fw3640 run --config ${CONFIG} -i Ethernet2/1`,
        completed: `fw3640 run --config ${CONFIG} -i Ethernet2/1=`,
      },
      { line: `fw3640 trace -c ${CONFIG} --in Ethernet2/0`, completed: `fw3640 trace -c ${CONFIG} --in Ethernet2/0 ` },
      { line: 'fw3640 check --config outs', completed: 'fw3640 check --config outside.pcap ' },
      {
        line: 'fw3640 replay --capture Ethernet2/1=outs',
        completed: 'fw3640 replay --capture Ethernet2/1=outside.pcap ',
      },
    ];
    expect(completedByZsh(cases.map((c) => c.line))).toEqual(cases.map((c) => c.completed));
  });

  test('it names every option of every command', () => {
    const script = completion(table, 'zsh');
    for (const command of table.commands) for (const option of command.options) expect(script).toContain(option.long);
  });
});
