/** `clear …` */
import { formatSessionId } from '../show/ip-inspect-sessions.js';
import type { TranslationChoice } from '../../core/nat/translations.js';
import { IPPROTO_TCP, IPPROTO_UDP } from '../../core/wire/ipv4.js';
import type { Match } from '../grammar/match.js';
import { absoluteLine, AUX_LINE, FIRST_VTY } from '../show/users.js';
import type { Exec, ExecCommand } from './context.js';
import { confirm } from './dialogue.js';
import { usersOf } from './terminal-users.js';

const HELP = { clear: 'Reset functions', ip: 'IP' };

const NAT_HELP = {
  nat: 'Clear NAT',
  translation: 'Clear dynamic translation',
  '*': 'Delete all dynamic translations',
  forced: 'Delete dynamic translations even if they are in use',
  inside: 'Inside addresses (and ports)',
  outside: 'Outside addresses (and ports)',
  tcp: 'Transmission Control Protocol',
  udp: 'User Datagram Protocol',
  GLOBAL: 'Inside global IP address',
  GLOBAL_PORT: 'Inside global port',
  LOCAL: 'Inside local IP address',
  LOCAL_PORT: 'Inside local port',
  OUTSIDE_LOCAL: 'Outside local IP address',
  OUTSIDE_LOCAL_PORT: 'Outside local port',
  OUTSIDE: 'Outside global IP address',
  OUTSIDE_PORT: 'Outside global port',
};
const INSIDE = 'GLOBAL:ADDRESS LOCAL:ADDRESS';
const OUTSIDE = 'OUTSIDE_LOCAL:ADDRESS OUTSIDE:ADDRESS';
const PORT = '<1-65535>';
const INSIDE_PORTS = `GLOBAL:ADDRESS GLOBAL_PORT:${PORT} LOCAL:ADDRESS LOCAL_PORT:${PORT}`;
const OUTSIDE_PORTS = `OUTSIDE_LOCAL:ADDRESS OUTSIDE_LOCAL_PORT:${PORT} OUTSIDE:ADDRESS OUTSIDE_PORT:${PORT}`;

/** The ends that a `clear ip nat translation` names; undefined: outside addresses are not translated here, so none. */
function translationMeant(m: Match): TranslationChoice | undefined {
  if (m.optionalNumber('OUTSIDE_LOCAL') !== m.optionalNumber('OUTSIDE')) return undefined;
  if (m.optionalNumber('OUTSIDE_LOCAL_PORT') !== m.optionalNumber('OUTSIDE_PORT')) return undefined;
  const protocol = m.optionalWord('PROTOCOL');
  const named: Record<keyof TranslationChoice, number | undefined> = {
    protocol: protocol === undefined ? undefined : protocol === 'tcp' ? IPPROTO_TCP : IPPROTO_UDP,
    insideGlobal: m.optionalNumber('GLOBAL'),
    insideGlobalPort: m.optionalNumber('GLOBAL_PORT'),
    insideLocal: m.optionalNumber('LOCAL'),
    insideLocalPort: m.optionalNumber('LOCAL_PORT'),
    outside: m.optionalNumber('OUTSIDE'),
    outsidePort: m.optionalNumber('OUTSIDE_PORT'),
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}

function clearTranslation({ router, print }: Exec, m: Match): void {
  const which = translationMeant(m);
  const name = m.optionalWord('PROTOCOL');
  const isThere = router.snapshot
    .translations()
    .some(
      (t) =>
        which !== undefined &&
        !t.static &&
        (name === undefined || t.protocol === name) &&
        (Object.keys(which) as (keyof TranslationChoice)[]).every((end) => end === 'protocol' || t[end] === which[end]),
    );
  if (isThere) router.actions.clear({ what: 'translations', which });
  else print('%Translation not found\n');
}

/** Inferred: a line on which nobody is gives no other answer; one's own is refused. */
function clearLine({ router, terminal }: Exec, m: Match): void {
  const vty = m.optionalNumber('VTY');
  const number = m.has('CON') ? 0 : m.has('AUX') ? AUX_LINE : vty === undefined ? m.number('LINE') : FIRST_VTY + vty;
  confirm(terminal, '[confirm]', () => {
    if (number === absoluteLine(terminal)) return '% Not allowed to clear current line\n';
    // The console has as many users as there are terminals at its socket.
    for (const user of [...usersOf(router)]) if (absoluteLine(user) === number) user.hangUp();
    return ' [OK]\n';
  });
}

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
    reads: ['sessions'],
    set: ({ router, print }, m) => {
      const id = m.optionalNumber('SESSION');
      if (id === undefined || router.snapshot.sessions().some((s) => s.id === id))
        router.actions.clear({ what: 'sessions', id });
      else print(`%No such session: ${formatSessionId(id)}\n`);
    },
  },
  {
    privilege: 15,
    syntax: 'clear ip inspect statistics',
    help: { 'clear ip inspect statistics': 'Clear inspection statistics' },
    set: ({ router }) => router.actions.clear({ what: 'inspect-statistics' }),
  },
  {
    privilege: 15,
    syntax: 'clear ip nat translation {ALL:{*} [forced] | ALL:{forced}}',
    help: NAT_HELP,
    set: ({ router }) => router.actions.clear({ what: 'translations', which: undefined }),
  },
  ...[
    `inside ${INSIDE}`,
    `inside ${INSIDE} outside ${OUTSIDE}`,
    `outside ${OUTSIDE}`,
    `PROTOCOL:{tcp | udp} inside ${INSIDE_PORTS}`,
    `PROTOCOL:{tcp | udp} inside ${INSIDE_PORTS} outside ${OUTSIDE_PORTS}`,
  ].map((which): ExecCommand => ({
    privilege: 15,
    syntax: `clear ip nat translation ${which} [forced]`,
    help: NAT_HELP,
    reads: ['translations'],
    set: clearTranslation,
  })),
  {
    privilege: 15,
    syntax: 'clear ip nat statistics',
    help: { 'nat statistics': 'Clear translation statistics' },
    set: ({ router }) => router.actions.clear({ what: 'nat-statistics' }),
  },
  ...['clear arp-cache', 'clear ip arp'].map((syntax): ExecCommand => ({
    privilege: 15,
    syntax,
    help: { 'arp-cache': 'Clear the entire ARP cache', arp: 'Clear the entire ARP cache' },
    set: ({ router }) => router.actions.clearArp(),
  })),
  {
    privilege: 15,
    syntax: 'clear line {LINE:<0-999> | console CON:<0-0> | aux AUX:<0-0> | vty VTY:<0-181>}',
    help: {
      'clear line': 'Reset a terminal line',
      LINE: 'Line number',
      console: 'Primary terminal line',
      CON: 'Line number',
      aux: 'Auxiliary line',
      AUX: 'Line number',
      vty: 'Virtual terminal',
      VTY: 'Line number',
    },
    set: clearLine,
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
      else router.actions.clear({ what: 'acl-counters', list });
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
