/** Commands of interface configuration mode that the router acts on. */
import { virtualReassemblyDefaults } from '../config/defaults.js';
import type { ConfigEditor } from '../config/editor.js';
import type { InterfaceConfig } from '../config/model.js';
import type { Command } from '../grammar/command.js';
import { formatAddress } from '../ipv4-text.js';

type Flag = 'unreachables' | 'redirects' | 'proxyArp';

/** A flag that is on unless `no` turns it off. */
const flagOn = (syntax: string, key: Flag, help: Record<string, string>): Command<ConfigEditor> => ({
  syntax,
  help,
  set: (editor) => void (editor.interface[key] = true),
  unset: (editor) => void (editor.interface[key] = false),
  reset: (editor) => void (editor.interface[key] = true),
});

/** Complains where a host cannot have the address: network or broadcast address of its subnet. */
function badMask(address: number, mask: number): boolean {
  const host = address & ~mask;
  const wide = mask !== -1 && mask !== -2; // /31 and /32 have no such addresses
  return wide && (host === 0 || host === ~mask);
}

const overlaps = (a: { address: number; mask: number }, b: { address: number; mask: number }): boolean =>
  (a.address & a.mask & b.mask) === (b.address & a.mask & b.mask);

function setAddress(editor: ConfigEditor, address: number, mask: number, secondary: boolean, column: number): void {
  const { interface: own, config } = editor;
  if (badMask(address, mask)) {
    editor.refuse(`Bad mask /${Math.clz32(~mask)} for address ${formatAddress(address)}`, column);
    return;
  }
  const other = config.interfaces.find((i) => i !== own && i.addresses.some((a) => overlaps(a, { address, mask })));
  if (other !== undefined) {
    editor.refuse(`${formatAddress(address & mask)} overlaps with ${other.name}`, column);
    return;
  }
  const rest = own.addresses.filter((a) => a.address !== address && (secondary || a.secondary === true));
  own.addresses = secondary ? [...rest, { address, mask, secondary }] : [{ address, mask }, ...rest];
}

/** Sets a reference to a list or a rule, and remembers where it was made. */
function refer(
  { interface: own, line }: ConfigEditor,
  key: keyof NonNullable<InterfaceConfig['lines']>,
  name: string,
): void {
  own[key] = name;
  own.lines = { ...own.lines, [key]: line };
}

/** Remembers that inspection was applied last here: `show ip inspect` lists the latest interface first (reference §1). */
function stampInspection(editor: ConfigEditor): void {
  const { interface: own, config } = editor;
  if (own.inspectOrder === 0) own.inspectOrder = Math.max(...config.interfaces.map((i) => i.inspectOrder)) + 1;
}

function unstampInspection(own: InterfaceConfig): void {
  if (own.inspectIn === undefined && own.inspectOut === undefined) own.inspectOrder = 0;
}

const LIST = '{NUMBER:<1-199> | NUMBER:<1300-2699> | LIST:NAME}';

export const INTERFACE_COMMANDS: readonly Command<ConfigEditor>[] = [
  {
    syntax: 'description TEXT:LINE',
    unsetSyntax: 'description [TEXT:LINE]',
    help: { description: 'Interface specific description', TEXT: 'Up to 240 characters describing this interface' },
    set: (editor, m) => void (editor.interface.description = m.word('TEXT')),
    unset: (editor) => {
      delete editor.interface.description;
    },
  },
  {
    syntax: 'ip address ADDRESS:ADDRESS MASK:MASK [secondary]',
    unsetSyntax: 'ip address [ADDRESS:ADDRESS MASK:MASK [secondary]]',
    help: {
      ip: 'Interface Internet Protocol config commands',
      address: 'Set the IP address of an interface',
      secondary: 'Make this IP address a secondary address',
    },
    set: (editor, m) => setAddress(editor, m.number('ADDRESS'), m.number('MASK'), m.has('secondary'), m.column('MASK')),
    unset: (editor, m) => {
      const own = editor.interface;
      if (!m.has('ADDRESS')) own.addresses = [];
      else if (
        own.addresses.length > 1 &&
        own.addresses[0]?.secondary === undefined &&
        own.addresses[0]?.address === m.number('ADDRESS')
      )
        editor.refuse('Must delete secondary before deleting primary');
      else own.addresses = own.addresses.filter((a) => a.address !== m.number('ADDRESS'));
    },
  },
  {
    syntax: `ip access-group ${LIST} DIRECTION:{in | out}`,
    unsetSyntax: `ip access-group [${LIST}] DIRECTION:{in | out}`,
    help: {
      'access-group': 'Specify access control for packets',
      NUMBER: 'IP access list',
      LIST: 'Access-list name',
      'access-group in': 'inbound packets',
      in: 'inbound packets',
      out: 'outbound packets',
    },
    set: (editor, m) => {
      const list = m.list();
      refer(editor, m.word('DIRECTION') === 'in' ? 'accessGroupIn' : 'accessGroupOut', list);
    },
    unset: (editor, m) => {
      if (m.word('DIRECTION') === 'in') delete editor.interface.accessGroupIn;
      else delete editor.interface.accessGroupOut;
    },
  },
  {
    syntax: 'ip inspect RULE:WORD DIRECTION:{in | out}',
    unsetSyntax: 'ip inspect [RULE:WORD] DIRECTION:{in | out}',
    help: { inspect: 'Apply inspect name', RULE: 'Name of inspection defined' },
    set: (editor, m) => {
      refer(editor, m.word('DIRECTION') === 'in' ? 'inspectIn' : 'inspectOut', m.word('RULE'));
      stampInspection(editor);
    },
    unset: (editor, m) => {
      if (m.word('DIRECTION') === 'in') delete editor.interface.inspectIn;
      else delete editor.interface.inspectOut;
      unstampInspection(editor.interface);
    },
  },
  {
    syntax: 'ip nat SIDE:{inside | outside}',
    help: {
      nat: 'NAT interface commands',
      'nat inside': 'Inside interface for address translation',
      'nat outside': 'Outside interface for address translation',
    },
    // As the router does, NAT turns reassembly on (reference §7): ports are needed in every fragment.
    set: (editor, m) => {
      editor.interface.nat = m.word('SIDE') as 'inside' | 'outside';
      editor.interface.virtualReassembly ??= virtualReassemblyDefaults();
    },
    unset: (editor, m) => {
      if (editor.interface.nat === m.word('SIDE')) delete editor.interface.nat;
    },
  },
  {
    syntax:
      'ip virtual-reassembly [in] [max-fragments FRAGMENTS:<1-64>] [max-reassemblies REASSEMBLIES:<1-1024>] [timeout SECONDS:<1-64>] [drop-fragments]',
    unsetSyntax: 'ip virtual-reassembly [OPTIONS:LINE]',
    help: {
      'virtual-reassembly': 'Virtual Reassembly',
      'virtual-reassembly in': 'inbound packets (as later releases print it)',
      'max-fragments': 'Specify max number of fragments per datagram',
      FRAGMENTS: 'Number of fragments',
      'max-reassemblies': 'Specify max number of concurrent reassemblies',
      REASSEMBLIES: 'Number of reassemblies',
      'virtual-reassembly timeout': 'Specify timeout of a reassembly',
      timeout: 'Specify timeout of a reassembly',
      SECONDS: 'Timeout in seconds',
      'drop-fragments': 'Drop all fragments',
    },
    set: (editor, m) => {
      const defaults = virtualReassemblyDefaults();
      editor.interface.virtualReassembly = {
        maxReassemblies: m.optionalNumber('REASSEMBLIES') ?? defaults.maxReassemblies,
        maxFragments: m.optionalNumber('FRAGMENTS') ?? defaults.maxFragments,
        timeout: m.optionalNumber('SECONDS') ?? defaults.timeout,
        dropFragments: m.has('drop-fragments'),
      };
    },
    unset: (editor) => {
      delete editor.interface.virtualReassembly;
    },
  },
  {
    syntax: 'ip tcp adjust-mss BYTES:<500-1460>',
    unsetSyntax: 'ip tcp adjust-mss [BYTES:<500-1460>]',
    help: {
      tcp: 'TCP header compression and other parameters',
      'adjust-mss': 'Adjust the mss of transit packets',
      BYTES: 'Maximum segment size in bytes',
    },
    set: (editor, m) => void (editor.interface.adjustMss = m.number('BYTES')),
    unset: (editor) => {
      delete editor.interface.adjustMss;
    },
  },
  flagOn('ip unreachables', 'unreachables', { unreachables: 'Enable sending ICMP Unreachable messages' }),
  flagOn('ip redirects', 'redirects', { redirects: 'Enable sending ICMP Redirect messages' }),
  flagOn('ip proxy-arp', 'proxyArp', { 'proxy-arp': 'Enable proxy ARP' }),
  {
    syntax: 'shutdown',
    help: { shutdown: 'Shutdown the selected interface' },
    set: (editor) => void (editor.interface.shutdown = true),
    unset: (editor) => void (editor.interface.shutdown = false),
  },
];
