/** `clear …` */
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import type { ExecCommand } from './context.js';

const HELP = { clear: 'Reset functions', ip: 'IP' };

export const CLEAR_COMMANDS: readonly ExecCommand[] = [
  {
    privilege: 15,
    syntax: 'clear ip inspect session {ALL:{*} | SESSION:HEX}',
    help: {
      ...HELP,
      inspect: 'Inspection sessions',
      'clear ip inspect session': 'Clear inspection sessions',
      '*': 'Clear all',
      SESSION: 'Address of the session, as show ip inspect sessions prints it',
    },
    set: ({ router, print }, m) => {
      const id = m.optionalNumber('SESSION');
      if (router.actions.clearSessions(id) === 0 && id !== undefined)
        print(`%No such session: ${formatSessionId(id)}\n`);
    },
  },
  {
    privilege: 15,
    syntax: 'clear ip inspect statistics',
    help: { 'clear ip inspect statistics': 'Clear inspection statistics' },
    set: ({ router }) => router.actions.clearInspectStatistics(),
  },
  {
    privilege: 15,
    syntax: 'clear ip nat translation {ALL:{*} | inside GLOBAL:ADDRESS LOCAL:ADDRESS}',
    help: {
      nat: 'Clear NAT',
      translation: 'Clear dynamic translation',
      '*': 'Delete all dynamic translations',
      inside: 'Inside addresses (and ports)',
      GLOBAL: 'Inside global IP address',
      LOCAL: 'Inside local IP address',
    },
    set: ({ router, print }, m) => {
      if (m.has('ALL')) {
        router.actions.clearTranslations();
        return;
      }
      const which = { insideGlobal: m.number('GLOBAL'), insideLocal: m.number('LOCAL') };
      const dynamic = router.snapshot
        .translations()
        .some((t) => !t.static && t.insideGlobal === which.insideGlobal && t.insideLocal === which.insideLocal);
      if (dynamic) router.actions.clearTranslations(which);
      else print('%Translation not found\n');
    },
  },
  ...['clear access-list counters', 'clear ip access-list counters'].map((words): ExecCommand => ({
    privilege: 15,
    syntax: `${words} [LIST:WORD]`,
    help: {
      'access-list': 'Clear access list statistical information',
      counters: 'Clear access list counters',
      LIST: 'Access list name or number',
    },
    set: ({ router, print }, m) => {
      const list = m.optionalWord('LIST');
      if (list !== undefined && !router.config().accessLists.has(list)) print(`%access-list ${list} does not exist\n`);
      else router.actions.clearAclCounters(list);
    },
  })),
  {
    privilege: 15,
    syntax: 'clear logging',
    help: { logging: 'Clear logging buffer' },
    set: ({ router, terminal }) => {
      terminal.ask('Clear logging buffer [confirm]', false, (answer) => {
        if (/^n/i.test(answer)) return '';
        router.actions.clearLogging();
        return '';
      });
    },
  },
  {
    privilege: 15,
    syntax: 'clear counters [INTERFACE:INTERFACE]',
    help: { 'clear counters': 'Clear counters on one or all interfaces' },
    set: ({ router, terminal }, m) => {
      const name = m.optionalWord('INTERFACE');
      const which = name === undefined ? 'all interfaces' : 'this interface';
      terminal.ask(`Clear "show interface" counters on ${which} [confirm]`, false, (answer) => {
        if (!/^n/i.test(answer)) router.actions.clearInterfaceCounters(name);
        return '';
      });
    },
  },
];
