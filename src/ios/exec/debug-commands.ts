/** `debug …`, `undebug …`, `no debug …`. */
import { ALL_PACKETS, noDebug } from '../../core/observe/debug.js';
import type { Match } from '../grammar/match.js';
import type { Exec, ExecCommand } from './context.js';
import { DEBUG_SWITCHES, debuggingText, packetScope } from './debug-switches.js';
import type { DebugSwitch } from './debug-switches.js';

/** A new `debug ip packet` takes the place of one that is on; turning it off needs no more than its keyword. */
function turn({ router, print }: Exec, m: Match, s: DebugSwitch, on: boolean): void {
  const scope = packetScope(m);
  router.actions.setDebug({
    ...router.debug,
    [s.flag]: on,
    ...(s.flag === 'packet' && { packetScope: on ? scope : ALL_PACKETS }),
  });
  print(`${debuggingText(s, on, scope)}\n`);
}

function allOff({ router, print }: Exec): void {
  router.actions.setDebug(noDebug());
  print('All possible debugging has been turned off\n');
}

export const DEBUG_COMMANDS: readonly ExecCommand[] = [
  ...DEBUG_SWITCHES.flatMap((s): ExecCommand[] => [
    {
      privilege: 15,
      syntax: `debug ${s.syntax}`,
      help: s.help,
      set: (exec, m) => turn(exec, m, s, true),
      unset: (exec, m) => turn(exec, m, s, false),
    },
    { privilege: 15, syntax: `undebug ${s.syntax}`, help: s.help, set: (exec, m) => turn(exec, m, s, false) },
  ]),
  { privilege: 15, syntax: 'undebug all', help: { all: 'Disable all debugging' }, set: allOff },
  // Only its `no` form: a 3640 that traces everything does nothing else.
  { privilege: 15, syntax: 'debug all', help: { all: 'Disable all debugging' }, unset: allOff },
];
