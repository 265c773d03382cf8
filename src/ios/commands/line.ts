/** Commands of line configuration mode (`line con 0`, `line vty 0 4`). */
import { lineDefaults } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import type { LineConfig } from '../config/model.js';
import type { Command } from '../grammar/command.js';
import { readPassword } from './global.js';

/** Changes every line that is being configured. */
function each(editor: ConfigEditor, change: (line: LineConfig) => void): void {
  for (const line of editor.lines) change(line);
}

const defaultsOf = (l: LineConfig): LineConfig => lineDefaults(l.kind, l.first, l.last);

export const LINE_COMMANDS: readonly Command<ConfigEditor>[] = [
  {
    syntax: 'password [{0 | 7}] PASSWORD:LINE',
    unsetSyntax: 'password [OPTIONS:LINE]',
    help: {
      password: 'Set a password',
      0: 'Specifies an UNENCRYPTED password will follow',
      7: 'Specifies a HIDDEN password will follow',
      PASSWORD: 'The UNENCRYPTED (cleartext) line password',
    },
    set: (editor, m) => {
      const password = readPassword(editor, m);
      if (password !== undefined) each(editor, (l) => (l.password = password));
    },
    unset: (editor) => each(editor, (l) => delete l.password),
  },
  {
    syntax: 'login [local]',
    help: { login: 'Enable password checking', local: 'Local password checking' },
    set: (editor, m) => each(editor, (l) => (l.login = m.has('local') ? 'local' : 'line')),
    unset: (editor) => each(editor, (l) => (l.login = 'none')),
    reset: (editor) => each(editor, (l) => (l.login = defaultsOf(l).login)),
  },
  {
    syntax: 'exec-timeout MINUTES:<0-35791> [SECONDS:<0-2147483>]',
    unsetSyntax: 'exec-timeout [OPTIONS:LINE]',
    help: { 'exec-timeout': 'Set the EXEC timeout', MINUTES: 'Timeout in minutes', SECONDS: 'Timeout in seconds' },
    set: (editor, m) =>
      each(editor, (l) => (l.execTimeout = m.number('MINUTES') * 60 + (m.optionalNumber('SECONDS') ?? 0))),
    unset: (editor) => each(editor, (l) => (l.execTimeout = 0)),
    reset: (editor) => each(editor, (l) => (l.execTimeout = defaultsOf(l).execTimeout)),
  },
  {
    syntax: 'privilege level LEVEL:<0-15>',
    unsetSyntax: 'privilege level [LEVEL:<0-15>]',
    help: {
      privilege: 'Change privilege level for line',
      level: 'Assign default privilege level for line',
      LEVEL: 'Default privilege level for line',
    },
    set: (editor, m) => each(editor, (l) => (l.privilege = m.number('LEVEL'))),
    unset: (editor) => each(editor, (l) => (l.privilege = defaultsOf(l).privilege)),
  },
  {
    syntax: 'access-class {NUMBER:<1-199> | NUMBER:<1300-2699> | LIST:NAME} in',
    unsetSyntax: 'access-class [{NUMBER:<1-199> | NUMBER:<1300-2699> | LIST:NAME}] in',
    help: {
      'access-class': 'Filter connections based on an IP access list',
      NUMBER: 'IP access list',
      LIST: 'Access-list name',
      in: 'Filter incoming connections',
    },
    set: (editor, m) =>
      each(editor, (l) => {
        l.accessClassIn = m.has('NUMBER') ? String(m.number('NUMBER')) : m.word('LIST');
        l.accessClassLine = editor.line;
      }),
    unset: (editor) =>
      each(editor, (l) => {
        delete l.accessClassIn;
        delete l.accessClassLine;
      }),
  },
  {
    syntax: 'length LINES:<0-512>',
    unsetSyntax: 'length [LINES:<0-512>]',
    help: { length: 'Set number of lines on a screen', LINES: 'Number of lines on screen (0 for no pausing)' },
    set: (editor, m) => each(editor, (l) => (l.length = m.number('LINES'))),
    unset: (editor) => each(editor, (l) => (l.length = defaultsOf(l).length)),
  },
];
