/** Where in the running-config an inert line stands, by its first words. */
import { blockPath } from './editor.js';
import type { InertLine } from './model.js';

/** Groups, and whether each line of a group opens a block of its own (then `!` stands between). */
const INERT_GROUPS: Readonly<Record<string, 'lines' | 'blocks'>> = {
  service: 'lines',
  boot: 'lines',
  aaa: 'lines',
  platform: 'lines',
  ip: 'lines',
  inspect: 'lines',
  security: 'lines',
  'blocks-before': 'blocks',
  router: 'blocks',
  'ip-late': 'lines',
  late: 'lines',
  'blocks-after': 'blocks',
  tail: 'lines',
};

/** First match counts. */
const PLACES: readonly (readonly [RegExp, string])[] = [
  [/^service /, 'service'],
  [/^boot/, 'boot'],
  [/^aaa /, 'aaa'],
  [/^ip inspect /, 'inspect'],
  [/^ip (?:ips|audit|auth-proxy|admission|port-map|urlfilter) ?/, 'security'],
  [/^(?:ftp-server|isdn|vpdn|multilink|async-bootp|key chain) ?/, 'security'],
  [
    /^ip (?:http|classless|local|forward-protocol|flow-|nat|default-|bgp|as-path|pim|prefix-list|community|access-list) ?/,
    'ip-late',
  ],
  [/^ip (?:dhcp pool|vrf|sla) /, 'blocks-before'],
  [/^ip /, 'ip'],
  [
    /^(?:resource|voice-card|memory|mmi|network-clock|card|clock|process|scheduler|exception|config-register)/,
    'platform',
  ],
  [/^(?:router|ipv6 router) /, 'router'],
  [/^(?:controller|crypto|class-map|policy-map|voice (?:class|translation)|redundancy|archive)/, 'blocks-before'],
  [
    /^(?:control-plane|voice-port|dial-peer|route-map|gateway|gatekeeper|sip-ua|telephony|ephone|time-range|line )/,
    'blocks-after',
  ],
  [/^(?:ntp|sntp|scheduler|alias|privilege)/, 'tail'],
];

export interface ArrangedInert {
  /** Lines of global mode that belong to a place in the text, each with its block under it. */
  group: (name: string) => string[];
  /** Lines of the block with this header. */
  block: (header: string) => string[];
}

/** Sorts the inert lines of a configuration by where they are printed. */
export function arrangeInert(inert: readonly InertLine[]): ArrangedInert {
  const groups = new Map<string, string[]>();
  const blocks = new Map<string, string[]>();
  const put = (to: Map<string, string[]>, key: string, text: string): void => {
    const lines = to.get(key);
    if (lines === undefined) to.set(key, [text]);
    else lines.push(text);
  };
  for (const { text, block } of inert) {
    if (block === undefined) put(groups, inertGroup(text), text);
    else put(blocks, block, ` ${text}`);
  }
  const block = (header: string): string[] =>
    (blocks.get(header) ?? []).flatMap((line) => [
      line,
      ...block(blockPath(header, line.slice(1))).map((inner) => ` ${inner}`),
    ]);
  const group = (name: string): string[] => {
    const apart = INERT_GROUPS[name] === 'blocks';
    return (groups.get(name) ?? []).flatMap((text, i) => {
      const body = block(text);
      return [...(i > 0 && (apart || body.length > 0) ? ['!'] : []), text, ...body];
    });
  };
  return { group, block };
}

/** @param text the line, `no` included. @returns the group it is printed in */
function inertGroup(text: string): string {
  const words = text.replace(/^no /, '');
  return PLACES.find(([pattern]) => pattern.test(words))?.[1] ?? 'late';
}
