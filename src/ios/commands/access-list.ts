/**
 * `access-list N …` and the modes of `ip access-list`. An entry that cannot be honoured to the letter is refused: a
 * list that is shorter than the one its author wrote filters something else.
 */
import { sameTest, testHash } from '../../core/acl/entry.js';
import type { AclAddress, AclEntry, AclPort } from '../../core/acl/entry.js';
import type { ConfigEditor } from '../config/editor.js';
import { indexed } from '../config/indexed-list.js';
import type { AclLine, AccessList } from '../config/model.js';
import type { Command, Handler, Help } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import { ICMP_MESSAGES } from '../number-names.js';

const TCP = 6;
const UDP = 17;
const ICMP = 1;
const IGMP = 2;
const STEP = 10; // of sequence numbers, since 12.3(2)T

const STANDARD_NUMBER = '{NUMBER:<1-99> | NUMBER:<1300-1999>}';
const EXTENDED_NUMBER = '{NUMBER:<100-199> | NUMBER:<2000-2699>}';

const STANDARD_ENTRY = 'ACTION:{permit | deny} SRC:$standard-endpoint [LOG:{log}]';

/** Options of every protocol; those from `time-range` on are known and refused. */
const OPTIONS =
  '[LOG:{log | log-input}] [precedence PRECEDENCE:PRECEDENCE] [tos TOS:TOS] [dscp DSCP:DSCP] [fragments] ' +
  '[time-range RANGE:WORD] [reflect REFLECT:WORD [timeout REFLECT-TIMEOUT:<1-2147483>]] [ttl TTL:LINE] [option OPTION:LINE]';

const EXTENDED_ENTRY =
  'ACTION:{permit | deny} {' +
  `ip SRC:$endpoint DST:$endpoint ${OPTIONS} | ` +
  `tcp SRC:$endpoint [SPORT:$tcp-port] DST:$endpoint [DPORT:$tcp-port] [established] [FLAGS:$tcp-flags] ${OPTIONS} | ` +
  `udp SRC:$endpoint [SPORT:$udp-port] DST:$endpoint [DPORT:$udp-port] ${OPTIONS} | ` +
  `icmp SRC:$endpoint DST:$endpoint [{TYPE:<0-255> [CODE:<0-255>] | MESSAGE:ICMP-MESSAGE}] ${OPTIONS} | ` +
  `igmp SRC:$endpoint DST:$endpoint [{IGMP:<0-15> | IGMP:{dvmrp | host-query | host-report | pim | trace}}] ${OPTIONS} | ` +
  `PROTOCOL:PROTOCOL SRC:$endpoint DST:$endpoint ${OPTIONS} | ` +
  `object-group GROUP:LINE}`;

const HELP: Help = {
  'access-list': 'Add an access list entry',
  permit: 'Specify packets to forward',
  deny: 'Specify packets to reject',
  remark: 'Access list entry comment',
  ip: 'Any Internet Protocol',
  tcp: 'Transmission Control Protocol',
  udp: 'User Datagram Protocol',
  icmp: 'Internet Control Message Protocol',
  any: 'Any host',
  'SRC-any any': 'Any source host',
  host: 'A single host',
  SRC: 'Source address',
  'SRC-host': 'Host address',
  'SRC-wildcard': 'Source wildcard bits',
  DST: 'Destination address',
  'DST-host': 'Host address',
  'DST-wildcard': 'Destination wildcard bits',
  eq: 'Match only packets on a given port number',
  neq: 'Match only packets not on a given port number',
  lt: 'Match only packets with a lower port number',
  gt: 'Match only packets with a greater port number',
  range: 'Match only packets in the range of port numbers',
  established: 'Match established connections',
  log: 'Log matches against this entry',
  'log-input': 'Log matches against this entry, including input interface',
  precedence: 'Match packets with given precedence value',
  tos: 'Match packets with given TOS value',
  dscp: 'Match packets with given dscp value',
  fragments: 'Check non-initial fragments',
  'time-range': 'Specify a time-range (not supported: refused)',
  RANGE: 'Time-range entry name',
  reflect: 'Create reflexive access list entry (not supported: refused)',
  REFLECT: 'Access-list name',
  'REFLECT timeout': 'Maximum time to live of the reflexive entry',
  'REFLECT-TIMEOUT': 'Seconds',
  ttl: 'Match packets with given TTL value (not supported: refused)',
  option: 'Match packets with given IP Options value (not supported: refused)',
  igmp: 'Internet Gateway Message Protocol',
  IGMP: 'IGMP message type (not supported: refused)',
  dvmrp: 'Distance Vector Multicast Routing Protocol',
  'host-query': 'IGMP Membership Query',
  'host-report': 'IGMP Membership Report',
  'any pim': 'Protocol Independent Multicast',
  trace: 'Multicast trace',
  'object-group': 'Service or network object group (not supported: refused)',
  GROUP: 'Group, source and destination',
  'SRC-group': 'Name of the group',
  'DST-group': 'Name of the group',
  ack: 'Match on the ACK bit (not supported: refused)',
  fin: 'Match on the FIN bit (not supported: refused)',
  psh: 'Match on the PSH bit (not supported: refused)',
  rst: 'Match on the RST bit (not supported: refused)',
  syn: 'Match on the SYN bit (not supported: refused)',
  urg: 'Match on the URG bit (not supported: refused)',
  'match-all': 'Match if all specified flags are present (not supported: refused)',
  'match-any': 'Match if any specified flag is present (not supported: refused)',
  'FLAGS-list': 'TCP flags',
  TYPE: 'ICMP message type',
  CODE: 'ICMP message code',
  REMARK: 'Comment up to 100 characters',
  SEQUENCE: 'Sequence Number',
};

const OBJECT_GROUPS = 'object groups are not supported';

/** Which part of a matched entry cannot be honoured, as a complaint; undefined where all can. */
function cannotHonour(m: Match): { reason: string; column: number } | undefined {
  const refused: readonly (readonly [string, string])[] = [
    ['RANGE', 'time-range is not supported: an entry that comes and goes cannot be honoured'],
    ['REFLECT', 'reflexive access lists are not supported: ip inspect does their work'],
    ['TTL', 'matching the TTL is not supported'],
    ['OPTION', 'matching IP options is not supported'],
    ['FLAGS', 'matching single TCP flags is not supported: established is'],
    ['IGMP', 'matching IGMP messages is not supported'],
    ['GROUP', OBJECT_GROUPS],
    ['SRC-group', OBJECT_GROUPS],
    ['DST-group', OBJECT_GROUPS],
  ];
  for (const [capture, reason] of refused) if (m.has(capture)) return { reason, column: m.column(capture) };
  return undefined;
}

function endpoint(m: Match, name: string): AclAddress {
  if (m.has(`${name}-any`)) return { address: 0, wildcard: -1 };
  if (m.has(`${name}-host`)) return { address: m.number(`${name}-host`), wildcard: 0 };
  const wildcard = m.number(`${name}-wildcard`);
  return { address: m.number(name) & ~wildcard, wildcard };
}

function port(m: Match, name: string): AclPort | undefined {
  if (!m.has(`${name}-op`)) return undefined;
  const from = m.number(`${name}-port`);
  const to = m.optionalNumber(`${name}-end`) ?? from;
  // IOS takes a range either way round.
  return { op: m.word(`${name}-op`) as AclPort['op'], from: Math.min(from, to), to: Math.max(from, to) };
}

function icmpMessage(m: Match): AclEntry['icmp'] {
  if (m.has('TYPE'))
    return m.has('CODE') ? { type: m.number('TYPE'), code: m.number('CODE') } : { type: m.number('TYPE') };
  if (!m.has('MESSAGE')) return undefined;
  const { type, code } = ICMP_MESSAGES.find((i) => i.name === m.word('MESSAGE'))!;
  return code === undefined ? { type } : { type, code };
}

function standardEntry(m: Match, line: number): AclLine {
  return {
    sequence: 0,
    action: m.word('ACTION') as AclEntry['action'],
    src: endpoint(m, 'SRC'),
    dst: { address: 0, wildcard: -1 },
    established: false,
    fragments: false,
    log: m.has('LOG') ? 'log' : 'none',
    line,
  };
}

function extendedEntry(m: Match, line: number): AclLine {
  const named = { tcp: TCP, udp: UDP, icmp: ICMP, igmp: IGMP };
  const word = Object.entries(named).find(([name]) => m.has(name));
  const protocol = word?.[1] ?? m.optionalNumber('PROTOCOL');
  const entry: AclLine = {
    sequence: 0,
    action: m.word('ACTION') as AclEntry['action'],
    src: endpoint(m, 'SRC'),
    dst: endpoint(m, 'DST'),
    established: m.has('established'),
    fragments: m.has('fragments'),
    log: (m.optionalWord('LOG') ?? 'none') as AclEntry['log'],
    line,
  };
  if (protocol !== undefined) entry.protocol = protocol;
  const [srcPort, dstPort, icmp] = [port(m, 'SPORT'), port(m, 'DPORT'), icmpMessage(m)];
  if (srcPort !== undefined) entry.srcPort = srcPort;
  if (dstPort !== undefined) entry.dstPort = dstPort;
  if (icmp !== undefined) entry.icmp = icmp;
  if (m.has('PRECEDENCE')) entry.precedence = m.number('PRECEDENCE');
  if (m.has('TOS')) entry.tos = m.number('TOS');
  if (m.has('DSCP')) entry.dscp = m.number('DSCP');
  return entry;
}

const entriesByTest = indexed((e: AclEntry) => [testHash(e)]);

/** How many entries, from the first on, have this sequence number or a lower one. */
function countUpTo(entries: readonly AclEntry[], sequence: number): number {
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.sequence <= sequence) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Puts an entry into its place; `sequence` undefined: at the end. A test that the list makes already is not added again:
 * without a word at the end, with one elsewhere, as on the router.
 */
function addEntry(editor: ConfigEditor, list: AccessList, entry: AclLine, sequence: number | undefined): void {
  const entries = entriesByTest(list.entries);
  const same = entries.find(entry, sameTest);
  if (sequence === undefined) {
    const last = list.entries.at(-1)?.sequence ?? 0;
    if (same === undefined) entries.insert({ ...entry, sequence: last + STEP });
    return;
  }
  const place = countUpTo(list.entries, sequence);
  if (list.entries[place - 1]?.sequence === sequence) {
    editor.refuse('Duplicate sequence number.');
    return;
  }
  if (same !== undefined) {
    const side = sequence > same.sequence ? 'higher' : 'lower';
    editor.warn(
      `Access rule can't be configured at ${side} sequence num as it is part of the existing rule at sequence num ${same.sequence}`,
    );
    return;
  }
  entries.insert({ ...entry, sequence }, place);
}

function addRemark(list: AccessList, text: string): void {
  (list.remarks ??= []).push({ text, after: list.entries.at(-1)?.sequence ?? 0 });
}

/** Removes an entry, if there is one; a remark behind it stays behind the one before it. */
function removeEntry(list: AccessList, entry: AclEntry | undefined): void {
  if (entry === undefined) return;
  entriesByTest(list.entries).remove(entry);
  const before = (after: number): number => list.entries[countUpTo(list.entries, after) - 1]?.sequence ?? 0;
  list.remarks = (list.remarks ?? []).map((r) => ({ ...r, after: before(r.after) }));
}

/** Adds an entry to a numbered list, which comes into being with its first one. */
function numbered(kind: AccessList['kind']): Handler<ConfigEditor> {
  return (editor, m) => {
    const { accessLists } = editor.config;
    const name = String(m.number('NUMBER'));
    const list = accessLists.get(name) ?? { name, kind, entries: [], remarks: [] };
    if (m.has('REMARK')) addRemark(list, m.word('REMARK'));
    else {
      const refused = cannotHonour(m);
      if (refused !== undefined) {
        editor.refuse(refused.reason, refused.column);
        return;
      }
      const entry = kind === 'standard' ? standardEntry(m, editor.line) : extendedEntry(m, editor.line);
      addEntry(editor, list, entry, undefined);
    }
    accessLists.set(name, list);
  };
}

export const ACCESS_LIST_COMMANDS: readonly Command<ConfigEditor>[] = [
  { syntax: `access-list ${STANDARD_NUMBER} ${STANDARD_ENTRY}`, help: HELP, set: numbered('standard') },
  { syntax: `access-list ${EXTENDED_NUMBER} ${EXTENDED_ENTRY}`, help: HELP, set: numbered('extended') },
  { syntax: `access-list ${STANDARD_NUMBER} remark REMARK:LINE`, help: HELP, set: numbered('standard') },
  { syntax: `access-list ${EXTENDED_NUMBER} remark REMARK:LINE`, help: HELP, set: numbered('extended') },
  {
    syntax: `access-list {${STANDARD_NUMBER} | ${EXTENDED_NUMBER}} [OPTIONS:LINE]`,
    // As on the router, `no access-list 101 permit …` removes the whole list, not the entry.
    unset: ({ config }, m) => void config.accessLists.delete(String(m.number('NUMBER'))),
  },
  ...(['standard', 'extended'] as const).map((kind): Command<ConfigEditor> => {
    const [low, high] = kind === 'standard' ? ['<1-99>', '<1300-1999>'] : ['<100-199>', '<2000-2699>'];
    return {
      syntax: `ip access-list ${kind} {NUMBER:${low} | NUMBER:${high} | LIST:NAME}`,
      help: {
        'ip access-list': 'Named access-list',
        standard: 'Standard Access List',
        extended: 'Extended Access List',
        LIST: 'Access-list name',
      },
      set: (editor, m) => {
        const known = editor.config.accessLists.get(m.list());
        if (known !== undefined && known.kind !== kind)
          editor.refuse(`A named ${known.kind} IP access list with this name already exists`);
        else editor.enterAccessList(m.list(), kind);
      },
      unset: ({ config }, m) => void config.accessLists.delete(m.list()),
    };
  }),
  {
    syntax: 'ip access-list resequence LIST:WORD START:<1-2147483647> STEP:<1-2147483647>',
    help: {
      resequence: 'Resequence Access List',
      START: 'Starting Sequence Number',
      STEP: 'Step to increment the sequence number',
    },
    set: (editor, m) => {
      const list = editor.config.accessLists.get(m.word('LIST'));
      if (list === undefined) {
        editor.refuse(`Access list ${m.word('LIST')} does not exist`);
        return;
      }
      const old = list.entries;
      list.entries = old.map((e, i) => ({ ...e, sequence: m.number('START') + i * m.number('STEP') }));
      const follows = (after: number): number => list.entries[countUpTo(old, after) - 1]?.sequence ?? 0;
      list.remarks = (list.remarks ?? []).map((r) => ({ ...r, after: follows(r.after) }));
    },
  },
];

/** Commands of one access-list mode. */
function modeCommands(syntax: string, read: (m: Match, line: number) => AclLine): Command<ConfigEditor>[] {
  return [
    {
      syntax: `[SEQUENCE:<1-2147483647>] ${syntax}`,
      help: HELP,
      set: (editor, m) => {
        const refused = cannotHonour(m);
        if (refused === undefined)
          addEntry(editor, editor.accessList, read(m, editor.line), m.optionalNumber('SEQUENCE'));
        else editor.refuse(refused.reason, refused.column);
      },
      unset: (editor, m) => {
        const refused = cannotHonour(m); // no such entry was taken
        if (refused !== undefined) {
          editor.refuse(refused.reason, refused.column);
          return;
        }
        const list = editor.accessList;
        const sequence = m.optionalNumber('SEQUENCE');
        const found = entriesByTest(list.entries).find(read(m, editor.line), sameTest);
        if ((sequence ?? found?.sequence) === found?.sequence) removeEntry(list, found);
      },
    },
    {
      syntax: 'SEQUENCE:<1-2147483647>',
      help: HELP,
      unset: (editor, m) => {
        const { entries } = editor.accessList;
        const found = entries[countUpTo(entries, m.number('SEQUENCE')) - 1];
        if (found?.sequence === m.number('SEQUENCE')) removeEntry(editor.accessList, found);
      },
    },
    {
      syntax: 'remark REMARK:LINE',
      help: HELP,
      set: (editor, m) => addRemark(editor.accessList, m.word('REMARK')),
      unset: (editor, m) => {
        const list = editor.accessList;
        list.remarks = (list.remarks ?? []).filter((r) => r.text !== m.word('REMARK'));
      },
    },
    {
      syntax: 'evaluate REFLECT:WORD',
      help: { evaluate: 'Evaluate an access list (not supported: refused)' },
      set: (editor, m) =>
        editor.refuse('reflexive access lists are not supported: ip inspect does their work', m.column('REFLECT')),
    },
    {
      syntax: 'dynamic NAME:WORD REST:LINE',
      help: { dynamic: 'Specify a DYNAMIC list of PERMITs or DENYs (not supported: refused)' },
      set: (editor, m) =>
        editor.refuse('dynamic access list entries (lock-and-key) are not supported', m.column('NAME')),
    },
  ];
}

export const STANDARD_MODE_COMMANDS = modeCommands(STANDARD_ENTRY, standardEntry);
export const EXTENDED_MODE_COMMANDS = modeCommands(EXTENDED_ENTRY, extendedEntry);
