/** `show line` and `show terminal`. */
import type { Terminal } from '../exec/context.js';
import type { TerminalUser } from '../exec/terminal-users.js';
import type { RouterConfig } from '../config/model.js';
import { hoursMinutesSeconds } from './duration.js';
import { absoluteLine, AUX_LINE, FIRST_VTY } from './users.js';

/** `line vty 0 4` is there without a word. */
const DEFAULT_LAST_VTY = 4;

/**
 * Console, auxiliary port and terminal lines of a 3640. What belongs to a serial line, as noise and overruns, is 0:
 * there is none.
 * @param uses sessions that a line (`vty 0`) has had
 */
export function showLine(config: RouterConfig, users: Iterable<TerminalUser>, uses: (line: string) => number): string {
  const busy = new Set([...users].map(absoluteLine));
  const vtys = config.lines.filter((l) => l.kind === 'vty');
  const last = Math.max(DEFAULT_LAST_VTY, ...vtys.map((l) => l.last));
  const row = (absolute: number, kind: string, speed: string, line: string, list: string): string => {
    const mark = busy.has(absolute) ? '*' : ' ';
    return (
      `${mark}${String(absolute).padStart(6)} ${kind}   ${speed.padEnd(9)}  -    -      -    - ${list.padStart(4)}` +
      `${String(uses(line)).padStart(7)}       0     0/0       -\n`
    );
  };
  let text = '   Tty Typ     Tx/Rx    A Modem  Roty AccO AccI   Uses   Noise  Overruns   Int\n';
  text += row(0, 'CTY', '', 'con 0', '-');
  text += row(AUX_LINE, 'AUX', '9600/9600', 'aux 0', '-');
  for (let n = 0; n <= last; n++) {
    const list = vtys.find((l) => l.first <= n && n <= l.last)?.accessClassIn;
    text += row(FIRST_VTY + n, 'VTY', '', `vty ${n}`, list ?? '-');
  }
  return `${text}\nLine(s) not in async mode -or- with no hardware support:\n1-128\n\n`;
}

/**
 * The terminal of the session that asks. Lines about a serial line, a modem's signals and outgoing connections are
 * left out: this terminal has none.
 */
export function showTerminal(terminal: Terminal, uptimeMs: number): string {
  const { execTimeout } = terminal.settings;
  const idle = execTimeout === 0 ? 'never' : hoursMinutesSeconds(execTimeout * 1000);
  return `Line ${absoluteLine(terminal)}, Location: "", Type: ""
Length: ${terminal.length} lines, Width: ${terminal.width} columns
Status: Ready, Active, No Exit Banner
Capabilities: ${terminal.line === 'vty' && terminal.monitor ? 'Receives Logging Output' : 'none'}
Modem state: Ready
Special Chars: Escape  Hold  Stop  Start  Disconnect  Activation
                ^^x    none   -     -       none
Timeouts:      Idle EXEC    Idle Session   Modem Answer  Session   Dispatch
               ${idle.padEnd(16)}never                        none     not set
                            Idle Session Disconnect Warning
                              never
                            Login-sequence User Response
                             00:00:30
                            Autoselect Initial Wait
                              not set
Modem type is unknown.
Session limit is not set.
Time since activation: ${hoursMinutesSeconds(uptimeMs - terminal.sinceMs)}
Editing is enabled.
History is enabled, history size is ${terminal.historySize}.
Full user help is disabled
No output characters are padded
No special data dispatching characters
`;
}
