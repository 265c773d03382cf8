/** `debug …`, `undebug …`, `no debug …`. */
import type { Exec, ExecCommand } from './context.js';
import { DEBUG_SWITCHES } from './debug-switches.js';
import type { DebugSwitch } from './debug-switches.js';

function turn({ router, print }: Exec, s: DebugSwitch, on: boolean): void {
  router.debug[s.flag] = on;
  print(`${s.words} debugging is ${on ? 'on' : 'off'}\n`);
}

function allOff({ router, print }: Exec): void {
  for (const s of DEBUG_SWITCHES) router.debug[s.flag] = false;
  print('All possible debugging has been turned off\n');
}

export const DEBUG_COMMANDS: readonly ExecCommand[] = [
  ...DEBUG_SWITCHES.flatMap((s): ExecCommand[] => [
    {
      privilege: 15,
      syntax: `debug ${s.syntax}`,
      help: s.help,
      set: (exec) => turn(exec, s, true),
      unset: (exec) => turn(exec, s, false),
    },
    { privilege: 15, syntax: `undebug ${s.syntax}`, help: s.help, set: (exec) => turn(exec, s, false) },
  ]),
  { privilege: 15, syntax: 'undebug all', help: { all: 'Disable all debugging' }, set: allOff },
  // Only its `no` form: a 3640 that traces everything does nothing else.
  { privilege: 15, syntax: 'debug all', help: { all: 'Disable all debugging' }, unset: allOff },
];
