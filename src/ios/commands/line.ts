/** Commands of line configuration mode (`line con 0`, `line vty 0 4`). */
import { lineDefaults } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import type { LineConfig, TransportProtocol } from '../config/model.js';
import type { Command } from '../grammar/command.js';
import { readPassword } from './global.js';

/**
 * Changes every line that is being configured.
 * @param key what it is that changes, where `check` says more of it: its line of the file is remembered
 */
function each(
  editor: ConfigEditor,
  change: (line: LineConfig) => void,
  key?: keyof NonNullable<LineConfig['lines']>,
): void {
  for (const line of editor.lines) {
    change(line);
    if (key !== undefined) line.lines = { ...line.lines, [key]: editor.line };
  }
}

const defaultsOf = (l: LineConfig): LineConfig => lineDefaults(l.kind, l.first, l.last);

/** A number that `no` takes away. */
function optionalNumber(
  syntax: string,
  key: 'sessionLimit' | 'loginTimeout' | 'absoluteTimeout',
  help: Record<string, string>,
): Command<ConfigEditor> {
  const words = syntax.slice(0, syntax.lastIndexOf(' '));
  return {
    syntax,
    unsetSyntax: `${words} [OPTIONS:LINE]`,
    help,
    set: (editor, m) => each(editor, (l) => (l[key] = m.number('VALUE')), key === 'sessionLimit' ? key : undefined),
    unset: (editor) => each(editor, (l) => Reflect.deleteProperty(l, key)),
  };
}

/** In the order in which the running-config has them. */
const TRANSPORTS: Readonly<Record<TransportProtocol, string>> = {
  lat: 'DEC LAT protocol',
  pad: 'X.3 PAD',
  v120: 'Async over ISDN',
  mop: 'DEC MOP Remote Console Protocol',
  telnet: 'TCP/IP Telnet protocol',
  rlogin: 'Unix rlogin protocol',
  udptn: 'UDPTN async via UDP protocol',
  nasi: 'NASI protocol',
  'lapb-ta': 'LAPB Terminal Adapter',
  ssh: 'TCP/IP SSH protocol',
};
const TRANSPORT_NAMES = Object.keys(TRANSPORTS) as TransportProtocol[];

/** `P1:{…} [P2:{…} [ … ]]`: each may be named, in any order. */
const transports = (n = 1): string =>
  `P${n}:{${TRANSPORT_NAMES.join(' | ')}}${n === TRANSPORT_NAMES.length ? '' : ` [${transports(n + 1)}]`}`;

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
    set: (editor, m) => each(editor, (l) => (l.privilege = m.number('LEVEL')), 'privilege'),
    unset: (editor) => each(editor, (l) => (l.privilege = defaultsOf(l).privilege)),
  },
  {
    syntax: 'access-class {NUMBER:<1-199> | NUMBER:<1300-2699> | LIST:NAME} in [vrf-also]',
    unsetSyntax: 'access-class [{NUMBER:<1-199> | NUMBER:<1300-2699> | LIST:NAME}] in [vrf-also]',
    help: {
      'access-class': 'Filter connections based on an IP access list',
      NUMBER: 'IP access list',
      LIST: 'Access-list name',
      in: 'Filter incoming connections',
      'vrf-also': 'Same access list is applied for all VRFs',
    },
    set: (editor, m) =>
      each(
        editor,
        (l) => {
          l.accessClassIn = m.list();
          delete l.accessClassVrfAlso;
          if (m.has('vrf-also')) l.accessClassVrfAlso = true;
        },
        'accessClassIn',
      ),
    unset: (editor) =>
      each(editor, (l) => {
        delete l.accessClassIn;
        delete l.accessClassVrfAlso;
      }),
  },
  {
    syntax: 'length LINES:<0-512>',
    unsetSyntax: 'length [LINES:<0-512>]',
    help: { length: 'Set number of lines on a screen', LINES: 'Number of lines on screen (0 for no pausing)' },
    set: (editor, m) => each(editor, (l) => (l.length = m.number('LINES'))),
    unset: (editor) => each(editor, (l) => (l.length = defaultsOf(l).length)),
  },
  {
    syntax: `transport input {all | none | ${transports()}}`,
    unsetSyntax: 'transport input [OPTIONS:LINE]',
    help: {
      transport: 'Define transport protocols for line',
      input: 'Define which protocols to use when connecting to the terminal server',
      all: 'All protocols',
      none: 'No protocols',
      ...TRANSPORTS,
    },
    set: (editor, m) => {
      const named = TRANSPORT_NAMES.filter((name) =>
        TRANSPORT_NAMES.some((_, i) => m.optionalWord(`P${i + 1}`) === name),
      );
      each(
        editor,
        (l) => {
          if (m.has('all')) delete l.transportInput;
          else l.transportInput = named;
        },
        'transportInput',
      );
    },
    unset: (editor) => each(editor, (l) => (l.transportInput = [])), // Inferred: as `none`
    reset: (editor) => each(editor, (l) => delete l.transportInput),
  },
  {
    syntax: 'exec',
    help: { exec: 'Start an EXEC process' },
    set: (editor) => each(editor, (l) => (l.exec = true)),
    unset: (editor) => each(editor, (l) => (l.exec = false), 'exec'),
    reset: (editor) => each(editor, (l) => (l.exec = true)),
  },
  optionalNumber('session-limit VALUE:<0-4294967295>', 'sessionLimit', {
    'session-limit': 'Set maximum number of sessions',
    VALUE: 'Maximum number of sessions',
  }),
  optionalNumber('timeout login response VALUE:<0-300>', 'loginTimeout', {
    timeout: 'Timeouts for the line',
    'timeout login': 'Timeouts related to the login sequence',
    response: 'Timeout for any user input during login sequences',
    VALUE: 'Timeout in seconds',
  }),
  optionalNumber('absolute-timeout VALUE:<0-10000>', 'absoluteTimeout', {
    'absolute-timeout': 'Set absolute timeout for line disconnection',
    VALUE: 'Absolute timeout interval in minutes',
  }),
];
