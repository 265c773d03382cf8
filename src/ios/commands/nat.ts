/** `ip nat …` in global configuration (IP Addressing Command Reference, NAT). */
import { natTimeoutDefaults } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import { indexed } from '../config/indexed-list.js';
import type { NatTimeouts } from '../../core/policy.js';
import type { DynamicNat, StaticNat } from '../config/model.js';
import type { Command } from '../grammar/command.js';
import type { Match } from '../grammar/match.js';
import { formatAddress, isNetmask, netmask } from '../ipv4-text.js';
import { mix } from '../../core/memory/hash.js';

const OPTIONS = '[extendable] [no-alias] [no-payload]';

function flags(m: Match, line: number): Pick<StaticNat, 'extendable' | 'noAlias' | 'noPayload' | 'line'> {
  return {
    ...(m.has('extendable') ? { extendable: true } : {}),
    ...(m.has('no-alias') ? { noAlias: true } : {}),
    ...(m.has('no-payload') ? { noPayload: true } : {}),
    line,
  };
}

/** The translation itself, without its options. */
function sameTranslation(a: StaticNat, b: StaticNat): boolean {
  return (
    a.insideLocal === b.insideLocal &&
    a.insideGlobal === b.insideGlobal &&
    a.mask === b.mask &&
    a.interfaceName === b.interfaceName &&
    a.ports?.protocol === b.ports?.protocol &&
    a.ports?.insideLocal === b.ports?.insideLocal &&
    a.ports?.insideGlobal === b.ports?.insideGlobal
  );
}

/** True where two entries would translate the same inside global address and port, or the same inside local one twice. */
function conflicts(a: StaticNat, b: StaticNat): boolean {
  if (a.mask !== b.mask || a.interfaceName !== b.interfaceName) return false;
  if (a.ports === undefined && b.ports === undefined)
    return (
      a.insideGlobal === b.insideGlobal ||
      (a.insideLocal === b.insideLocal && !(a.extendable === true && b.extendable === true))
    );
  if (a.ports === undefined || b.ports === undefined) return false;
  return (
    a.ports.protocol === b.ports.protocol &&
    a.insideGlobal === b.insideGlobal &&
    a.ports.insideGlobal === b.ports.insideGlobal
  );
}

const globalKey = (e: StaticNat): number => mix(e.insideGlobal, e.ports?.insideGlobal ?? -1);
const localKey = (e: StaticNat, extendable: boolean): number => mix(e.insideLocal, extendable ? -3 : -2);
const translations = indexed((e: StaticNat) => [
  globalKey(e),
  ...(e.ports === undefined ? [localKey(e, e.extendable === true)] : []),
]);

/** Where what is in conflict with an entry is filed: one host may have any number of entries that are extendable. */
const conflictKeys = (e: StaticNat): number[] =>
  e.ports !== undefined
    ? [globalKey(e)]
    : [globalKey(e), localKey(e, false), ...(e.extendable === true ? [] : [localKey(e, true)])];

function add(editor: ConfigEditor, entry: StaticNat): void {
  const entries = translations(editor.config.nat.staticEntries);
  const same = entries.find(entry, sameTranslation, [globalKey(entry)]);
  if (same !== undefined) {
    entries.replace(same, entry);
    return;
  }
  const similar = entries.find(entry, conflicts, conflictKeys(entry));
  if (similar === undefined) {
    entries.insert(entry);
    return;
  }
  const pair = `${formatAddress(similar.insideLocal)} -> ${formatAddress(similar.insideGlobal)}`;
  editor.refuse(`similar static entry (${pair}) already exists`);
}

function remove(editor: ConfigEditor, entry: StaticNat): void {
  const entries = translations(editor.config.nat.staticEntries);
  const same = entries.find(entry, sameTranslation, [globalKey(entry)]);
  if (same === undefined) editor.refuse('Translation not found');
  else entries.remove(same);
}

/** A static command in its two forms, from how its entry is read. */
function staticCommand(
  syntax: string,
  read: (m: Match) => StaticNat,
  help: Record<string, string> = {},
): Command<ConfigEditor> {
  return {
    syntax,
    help,
    set: (editor, m) => add(editor, { ...read(m), ...flags(m, editor.line) }),
    unset: (editor, m) => remove(editor, read(m)),
  };
}

const portPair = (m: Match): NonNullable<StaticNat['ports']> => ({
  protocol: m.word('PROTOCOL') as 'tcp' | 'udp',
  insideLocal: m.number('LOCAL-PORT'),
  insideGlobal: m.number('GLOBAL-PORT'),
});

function dynamicEntry(m: Match, line: number): DynamicNat {
  return {
    list: m.list(),
    ...(m.has('POOL') ? { pool: m.word('POOL') } : { interfaceName: m.word('INTERFACE') }),
    overload: m.has('overload') || m.has('INTERFACE'), // through an interface IOS always overloads
    line,
  };
}

const TIMEOUTS: readonly (readonly [string, keyof NatTimeouts, string])[] = [
  ['timeout', 'timeout', 'Specify timeout for dynamic NAT translations'],
  ['tcp-timeout', 'tcp', 'Specify timeout for NAT TCP flows'],
  ['udp-timeout', 'udp', 'Specify timeout for NAT UDP flows'],
  ['dns-timeout', 'dns', 'Specify timeout for NAT DNS flows'],
  ['finrst-timeout', 'finrst', 'Specify timeout for NAT TCP flows after a FIN or RST'],
  ['syn-timeout', 'syn', 'Specify timeout for NAT TCP flows after a SYN and no further data'],
  ['icmp-timeout', 'icmp', 'Specify timeout for NAT ICMP flows'],
  ['port-timeout', 'port', 'Specify timeout for NAT TCP/UDP port specific flows'],
];

export const NAT_COMMANDS: readonly Command<ConfigEditor>[] = [
  staticCommand(
    `ip nat inside source static LOCAL:ADDRESS GLOBAL:ADDRESS ${OPTIONS}`,
    (m) => ({ insideLocal: m.number('LOCAL'), insideGlobal: m.number('GLOBAL') }),
    {
      'ip nat': 'NAT configuration commands',
      'nat inside': 'Inside address translation',
      source: 'Source address translation',
      static: 'Specify static local->global mapping',
      LOCAL: 'Inside local IP address',
      GLOBAL: 'Inside global IP address',
      extendable: 'Extend this translation when used',
      'no-alias': 'Do not create an alias for the global address',
      'no-payload': 'No translation of embedded address/port in the payload',
    },
  ),
  staticCommand(
    `ip nat inside source static PROTOCOL:{tcp | udp} LOCAL:ADDRESS LOCAL-PORT:<1-65535> GLOBAL:ADDRESS GLOBAL-PORT:<1-65535> ${OPTIONS}`,
    (m) => ({ insideLocal: m.number('LOCAL'), insideGlobal: m.number('GLOBAL'), ports: portPair(m) }),
    {
      'static tcp': 'Transmission Control Protocol',
      'static udp': 'User Datagram Protocol',
      'LOCAL-PORT': 'Local UDP/TCP port',
      'GLOBAL-PORT': 'Global UDP/TCP port',
    },
  ),
  staticCommand(
    `ip nat inside source static PROTOCOL:{tcp | udp} LOCAL:ADDRESS LOCAL-PORT:<1-65535> interface INTERFACE:INTERFACE GLOBAL-PORT:<1-65535> ${OPTIONS}`,
    (m) => ({
      insideLocal: m.number('LOCAL'),
      insideGlobal: 0,
      ports: portPair(m),
      interfaceName: m.word('INTERFACE'),
    }),
    { 'LOCAL-PORT interface': 'Specify interface for global address' },
  ),
  ...['MASK:MASK', 'LENGTH:PREFIX'].map((mask) =>
    staticCommand(
      `ip nat inside source static network LOCAL:ADDRESS GLOBAL:ADDRESS ${mask} ${OPTIONS}`,
      (m) => {
        const bits = m.has('MASK') ? m.number('MASK') : netmask(m.number('LENGTH'));
        return { insideLocal: m.number('LOCAL') & bits, insideGlobal: m.number('GLOBAL') & bits, mask: bits };
      },
      {
        network: 'Subnet translation',
        MASK: 'Network mask for the translation',
        LENGTH: 'Prefix length of the translation',
      },
    ),
  ),
  {
    syntax:
      'ip nat inside source list {NUMBER:<1-199> | NUMBER:<1300-2699> | LIST:NAME} {pool POOL:WORD | interface INTERFACE:INTERFACE} [overload]',
    help: {
      'source list': 'Specify access list describing local addresses',
      NUMBER: 'Access list number for local addresses',
      LIST: 'Access list name',
      pool: 'Name pool of global addresses',
      POOL: 'Pool name for global addresses',
      'NUMBER interface': 'Specify interface for global address',
      'LIST interface': 'Specify interface for global address',
      overload: 'Overload an address translation',
    },
    set: (editor, m) => {
      const { dynamic } = editor.config.nat;
      const entry = dynamicEntry(m, editor.line);
      const at = dynamic.findIndex((d) => d.list === entry.list);
      if (at < 0) dynamic.push(entry);
      else if (dynamic[at]!.pool === entry.pool && dynamic[at]!.interfaceName === entry.interfaceName)
        dynamic[at] = entry;
      else editor.refuse(`Dynamic mapping for list ${entry.list} already exists`);
    },
    unset: ({ config }, m) =>
      void (config.nat.dynamic = config.nat.dynamic.filter(
        (d) =>
          d.list !== m.list() || d.pool !== m.optionalWord('POOL') || d.interfaceName !== m.optionalWord('INTERFACE'),
      )),
  },
  {
    syntax:
      'ip nat pool POOL:WORD START:ADDRESS END:ADDRESS {netmask MASK:MASK | prefix-length LENGTH:<1-32>} [type TYPE:{rotary | match-host}]',
    unsetSyntax: 'ip nat pool POOL:WORD [OPTIONS:LINE]',
    help: {
      'nat pool': 'Define pool of addresses',
      START: 'Start IP address',
      END: 'End IP address',
      netmask: 'Specify the network mask',
      MASK: 'Network mask',
      'prefix-length': 'Specify the prefix length',
      LENGTH: 'Prefix length',
      type: 'Specify the pool type (not supported: refused)',
      rotary: 'Rotary address pool',
      'match-host': 'Keep host numbers the same after translation',
    },
    set: (editor, m) => {
      const [name, start, end] = [m.word('POOL'), m.number('START'), m.number('END')];
      const mask = m.has('MASK') ? m.number('MASK') : netmask(m.number('LENGTH'));
      if (m.has('TYPE')) editor.refuse(`pools of type ${m.word('TYPE')} are not supported`, m.column('TYPE'));
      else if (!isNetmask(mask) || (start & mask) !== (end & mask))
        editor.refuse('start and end addresses must be on the same subnet', m.column('END'));
      else if (start >>> 0 > end >>> 0) editor.refuse('End address less than start address', m.column('END'));
      else editor.config.nat.pools.set(name, { name, start, end, mask });
    },
    unset: (editor, m) => {
      const { nat } = editor.config;
      if (nat.dynamic.some((d) => d.pool === m.word('POOL')))
        editor.refuse(`Pool ${m.word('POOL')} in use, cannot destroy`);
      else nat.pools.delete(m.word('POOL'));
    },
  },
  ...TIMEOUTS.map(([word, key, help]): Command<ConfigEditor> => ({
    syntax: `ip nat translation ${word} {SECONDS:<1-536870> | never}`,
    unsetSyntax: `ip nat translation ${word} [OPTIONS:LINE]`,
    help: {
      'nat translation': 'NAT translation entry configuration',
      [word]: help,
      SECONDS: 'Timeout in seconds',
      never: 'Never timeout',
    },
    set: ({ config }, m) => void (config.nat.timeouts[key] = m.optionalNumber('SECONDS') ?? 0),
    unset: ({ config }) => void (config.nat.timeouts[key] = natTimeoutDefaults()[key]),
  })),
  {
    syntax: 'ip nat translation max-entries ENTRIES:<1-2147483647>',
    unsetSyntax: 'ip nat translation max-entries [ENTRIES:<1-2147483647>]',
    help: { 'max-entries': 'Specify maximum number of NAT entries', ENTRIES: 'Number of entries' },
    set: ({ config }, m) => void (config.nat.timeouts.maxEntries = m.number('ENTRIES')),
    unset: ({ config }) => void (config.nat.timeouts.maxEntries = 0),
  },
];
