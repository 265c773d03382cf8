/** EXEC commands about the session itself and the configuration as a whole. */
import { runningConfig } from '../config/running-config.js';
import { showRunningConfig } from '../show/running-config.js';
import { explain } from '../trace/explain.js';
import { unknownInterface } from '../trace/index.js';
import { formatTrace } from '../trace/format.js';
import { PROBE_HELP, PROBE_SYNTAX, readProbe } from '../trace/probe.js';
import type { Exec, ExecCommand } from './context.js';

/** `write memory`, in whichever words. */
export function saveConfig({ router }: Exec): string {
  const fault = router.actions.writeStartup(runningConfig(router.config()));
  return `Building configuration...\n${fault === undefined ? '[OK]' : `% ${fault}`}\n`;
}

const save = (syntax: string, help: Record<string, string>): ExecCommand => ({
  privilege: 15,
  syntax,
  help,
  set: (exec) => exec.print(saveConfig(exec)),
});

/** Inferred: IOS says the same in words of its own. */
const HELP = `A question mark tells at any place of a line what may follow there. Where nothing fits, the
list is empty: go back until it is not.
  1. Behind a blank (show ?) each word or argument comes with what it means.
  2. Behind the beginning of a word (show pr?) come the words that begin so.

`;

export const SESSION_COMMANDS: readonly ExecCommand[] = [
  {
    // The clock is the host's, and other programs live by it.
    privilege: 15,
    syntax: 'clock set TIME:LINE',
    help: { clock: 'Manage the system clock', set: 'Set the time and date', TIME: 'Current Time (hh:mm:ss)' },
    set: ({ print }) => print('% The clock is that of the Linux host: set it there (timedatectl, NTP)\n'),
  },
  {
    // No 3640 had it; the words are those of the ASA.
    privilege: 15,
    syntax: `packet-tracer input INTERFACE:INTERFACE ${PROBE_SYNTAX}`,
    help: {
      'packet-tracer': 'Tell what the router would do with a packet, and why (fw3640 extension)',
      input: 'Interface the packet comes in by',
      ...PROBE_HELP,
    },
    set: ({ router, print }, m) => {
      const config = router.config();
      const unknown = unknownInterface(config, m.word('INTERFACE'));
      if (unknown !== undefined) {
        print(`% ${unknown}\n`);
        return;
      }
      const { mapped } = router.snapshot;
      const probe = readProbe(m.word('INTERFACE'), m);
      print(formatTrace(explain({ config, mapped, memory: router.memory(probe) }, probe)));
    },
  },
  {
    privilege: 1,
    syntax: 'enable [LEVEL:<0-15>]',
    help: { enable: 'Turn on privileged commands', LEVEL: 'Enable level' },
    set: (exec) => exec.print(exec.terminal.enable()),
  },
  {
    privilege: 1,
    syntax: 'help',
    help: { help: 'Description of the interactive help system' },
    set: ({ print }) => print(HELP),
  },
  {
    privilege: 1,
    syntax: 'disable',
    help: { disable: 'Turn off privileged commands' },
    set: ({ terminal }) => void (terminal.privilege = 1),
  },
  ...['exit', 'logout', 'quit'].map((word): ExecCommand => ({
    privilege: 1,
    syntax: word,
    help: { exit: 'Exit from the EXEC', logout: 'Exit from the EXEC', quit: 'Exit from the EXEC' },
    set: ({ terminal }) => terminal.close(),
  })),
  {
    privilege: 1,
    syntax: 'terminal length LINES:<0-512>',
    help: {
      terminal: 'Set terminal line parameters',
      length: 'Set number of lines on a screen',
      LINES: 'Number of lines on screen (0 for no pausing)',
    },
    set: ({ terminal }, m) => void (terminal.length = m.number('LINES')),
  },
  {
    privilege: 1,
    syntax: 'terminal width COLUMNS:<0-512>',
    help: { width: 'Set width of the display terminal', COLUMNS: 'Number of characters on a screen line' },
    set: ({ terminal }, m) => void (terminal.width = m.number('COLUMNS')),
  },
  {
    privilege: 1,
    syntax: 'terminal history size LINES:<0-256>',
    help: {
      history: 'Enable and control the command history function',
      'history size': 'Set history buffer size',
      'history size LINES': 'Size of history buffer',
    },
    set: ({ terminal }, m) => void (terminal.historySize = m.number('LINES')),
  },
  {
    privilege: 15,
    syntax: 'terminal monitor',
    help: { monitor: 'Copy debug output to the current terminal line' },
    set: ({ terminal, print }) => {
      if (terminal.line === 'con' && terminal.monitor) print('% Console already monitors\n');
      terminal.monitor = true;
    },
  },
  {
    privilege: 15,
    syntax: 'terminal no monitor',
    help: {
      'terminal no': 'Negate a command or set its defaults',
      'no monitor': 'Copy debug output to the current terminal line',
    },
    // Inferred: a 3640's console goes on until `no logging console`.
    set: ({ terminal }) => void (terminal.monitor = false),
  },
  {
    privilege: 15,
    syntax: 'configure [terminal]',
    help: { configure: 'Enter configuration mode', 'configure terminal': 'Configure from the terminal' },
    set: (exec, m) => {
      const enter = (): string => {
        exec.terminal.configure();
        return 'Enter configuration commands, one per line.  End with CNTL/Z.\n';
      };
      if (m.has('terminal')) exec.print(enter());
      else
        exec.terminal.ask('Configuring from terminal, memory, or network [terminal]? ', false, (answer) =>
          'terminal'.startsWith(answer.trim().toLowerCase()) ? enter() : '?Must be "terminal"\n',
        );
    },
  },
  save('write', { write: 'Write running configuration to memory, network, or terminal' }),
  save('write memory', { memory: 'Write to NV memory' }),
  {
    privilege: 15,
    syntax: 'write terminal',
    help: { 'write terminal': 'Write to terminal' },
    set: (exec) => exec.print(showRunningConfig(exec.router.config())),
  },
];
