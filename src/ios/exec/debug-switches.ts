/** What `debug` can trace: its keywords, the flag of the engine, and what the router answers. One row each. */
import type { DebugFlag, PacketScope } from '../../core/observe/debug.js';
import type { Match } from '../grammar/match.js';

export interface DebugSwitch {
  /** Behind `debug`. */
  syntax: string;
  flag: DebugFlag;
  /** Before `debugging is on`. */
  words: string;
  /** In `show debugging`. */
  heading: string;
  help: Readonly<Record<string, string>>;
}

/** @param keywords one, or several for the same */
const inspect = (keywords: string, flag: DebugFlag, words: string, help: string): DebugSwitch => ({
  syntax: `ip inspect {${keywords}}`,
  flag,
  words: `INSPECT ${words}`,
  heading: 'INSPECT',
  help: {
    debug: "Debugging functions (see also 'undebug')",
    undebug: "Disable debugging functions (see also 'debug')",
    ip: 'IP information',
    inspect: 'Stateful inspection events',
    ...Object.fromEntries(keywords.split(' | ').map((keyword) => [`inspect ${keyword}`, help])),
  },
});

// The answers of `smtp` (reference §2.5) and `icmp` are known. Recalled: ftp, events, detailed. The others follow.
export const DEBUG_SWITCHES: readonly DebugSwitch[] = [
  inspect('smtp', 'smtp', 'SMTP Inspection', 'INSPECT SMTP'),
  // IOS calls it `ftp-cmd`.
  inspect('ftp | ftp-cmd', 'ftp', 'FTP commands and responses', 'INSPECT FTP commands and responses'),
  inspect('http', 'http', 'HTTP Inspection', 'INSPECT HTTP'),
  inspect('tcp', 'tcp', 'TCP Inspection', 'INSPECT TCP'),
  inspect('udp', 'udp', 'UDP Inspection', 'INSPECT UDP'),
  inspect('icmp', 'icmp', 'ICMP Inspection', 'INSPECT ICMP'),
  inspect('events', 'events', 'special events', 'INSPECT special events'),
  inspect('object-creation', 'objectCreation', 'Object Creations', 'INSPECT Object Creations'),
  inspect('object-deletion', 'objectDeletion', 'Object Deletions', 'INSPECT Object Deletions'),
  inspect('timers', 'timers', 'Timer related events', 'INSPECT Timer related events'),
  inspect('detailed', 'detailed', 'Detailed Debug Records', 'INSPECT Detailed Debug Records'),
  {
    syntax: 'ip nat',
    flag: 'nat',
    words: 'IP NAT',
    heading: 'Generic IP',
    help: { 'debug ip nat': 'NAT events', 'undebug ip nat': 'NAT events' },
  },
  {
    syntax: 'ip packet [LIST:<1-199> | EXPANDED:<1300-2699>] [detail]',
    flag: 'packet',
    words: 'IP packet',
    heading: 'Generic IP',
    help: {
      packet: 'General IP debugging and IPSO security transactions',
      'packet detail': 'Print more debugging detail',
      LIST: 'Access list',
      EXPANDED: 'Access list (expanded range)',
    },
  },
];

/** What stands behind `ip packet`. */
export function packetScope(m: Match): PacketScope {
  const list = m.optionalNumber('LIST') ?? m.optionalNumber('EXPANDED');
  return { list: list === undefined ? undefined : String(list), detail: m.has('detail') };
}

/** `IP packet debugging is on (detailed) for access list 199`. */
export function debuggingText(s: DebugSwitch, on: boolean, { list, detail }: PacketScope): string {
  const text = `${s.words} debugging is ${on ? 'on' : 'off'}`;
  if (s.flag !== 'packet') return text;
  return `${text}${detail ? ' (detailed)' : ''}${list === undefined ? '' : ` for access list ${list}`}`;
}
