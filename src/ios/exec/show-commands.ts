/** `show …` */
import { showAccessLists } from '../show/access-lists.js';
import { showInspectAll, showInspectConfig, showInspectInterfaces, showInspectName } from '../show/ip-inspect.js';
import { showSessions } from '../show/ip-inspect-sessions.js';
import { showInspectStatistics } from '../show/ip-inspect-statistics.js';
import { showNatStatistics, showTranslations } from '../show/ip-nat.js';
import { showRunningConfig, showStartupConfig } from '../show/running-config.js';
import type { Help } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import type { ConsoleRouter } from './router.js';
import type { Exec, ExecCommand } from './context.js';

/** A command that only prints. */
function show(
  privilege: ExecCommand['privilege'],
  syntax: string,
  help: Help,
  text: (router: ConsoleRouter, m: Match, exec: Exec) => string,
): ExecCommand {
  return { privilege, syntax, help, set: (exec, m) => exec.print(text(exec.router, m, exec)) };
}

const INSPECT_HELP: Help = {
  show: 'Show running system information',
  ip: 'IP information',
  inspect: 'CBAC (Context Based Access Control) information',
  'inspect all': 'Inspection all available information',
  config: 'Inspection configuration',
  'inspect interfaces': 'Inspection interfaces',
  'inspect name': 'Inspection name',
  RULE: 'Inspection rule name',
  sessions: 'Inspection sessions',
  detail: 'Detailed information',
  'inspect statistics': 'Inspection statistics',
};

export const SHOW_COMMANDS: readonly ExecCommand[] = [
  show(1, 'show ip inspect all', INSPECT_HELP, (r) => showInspectAll(r.config(), r.snapshot)),
  show(1, 'show ip inspect config', INSPECT_HELP, (r) => showInspectConfig(r.config())),
  show(1, 'show ip inspect interfaces', INSPECT_HELP, (r) => showInspectInterfaces(r.config())),
  show(1, 'show ip inspect name RULE:WORD', INSPECT_HELP, (r, m) => showInspectName(r.config(), m.word('RULE'))),
  show(1, 'show ip inspect sessions [detail]', INSPECT_HELP, (r, m) => showSessions(r.snapshot, m.has('detail'))),
  show(1, 'show ip inspect statistics', INSPECT_HELP, (r) => showInspectStatistics(r.config(), r.snapshot)),
  show(
    1,
    'show ip nat translations [verbose]',
    { nat: 'IP NAT information', translations: 'Translation entries', verbose: 'Show extra information' },
    (r, m) => showTranslations(r.snapshot, m.has('verbose')),
  ),
  show(1, 'show ip nat statistics', { 'nat statistics': 'Translation statistics' }, (r) =>
    showNatStatistics(r.config(), r.snapshot),
  ),
  show(
    1,
    'show access-lists [LIST:WORD]',
    { 'access-lists': 'List access lists', LIST: 'ACL name or number' },
    (r, m) => showAccessLists(r.config(), r.snapshot, m.optionalWord('LIST')),
  ),
  show(1, 'show ip access-lists [LIST:WORD]', { 'ip access-lists': 'List IP access lists' }, (r, m) =>
    showAccessLists(r.config(), r.snapshot, m.optionalWord('LIST')),
  ),
  show(15, 'show running-config', { 'running-config': 'Current operating configuration' }, (r) =>
    showRunningConfig(r.config()),
  ),
  show(15, 'show startup-config', { 'startup-config': 'Contents of startup configuration' }, (r) =>
    showStartupConfig(r.startupConfig()),
  ),
  show(1, 'show history', { history: 'Display the session command history' }, (_r, _m, { terminal }) =>
    terminal.history.map((line) => `  ${line}\n`).join(''),
  ),
];
