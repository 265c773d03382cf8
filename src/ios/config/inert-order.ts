/** Where in the running-config an inert line stands, by its first words: data for running-config.ts. */

/** Groups, and whether each line of a group opens a block of its own (then `!` stands between). */
export const INERT_GROUPS: Readonly<Record<string, 'lines' | 'blocks'>> = {
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
  [/^ip (?:ips|audit|auth-proxy|admission|tcp intercept|port-map|urlfilter) ?/, 'security'],
  [/^(?:ftp-server|isdn|vpdn|multilink|async-bootp|key chain) ?/, 'security'],
  [/^ip (?:http|classless|local|forward-protocol|flow-|nat|default-|bgp|as-path|pim|prefix-list|community|access-list) ?/, 'ip-late'],
  [/^ip (?:dhcp pool|vrf|sla) /, 'blocks-before'],
  [/^ip /, 'ip'],
  [/^(?:resource|voice-card|memory|mmi|network-clock|card|clock|process|scheduler|exception|config-register)/, 'platform'],
  [/^(?:router|ipv6 router) /, 'router'],
  [/^(?:controller|crypto|class-map|policy-map|voice (?:class|translation)|redundancy|archive)/, 'blocks-before'],
  [/^(?:control-plane|voice-port|dial-peer|route-map|gateway|gatekeeper|sip-ua|telephony|ephone|time-range|line )/, 'blocks-after'],
  [/^(?:ntp|sntp|scheduler|alias|privilege)/, 'tail'],
];

/** @param text the line, `no` included. @returns the group it is printed in */
export function inertGroup(text: string): string {
  const words = text.replace(/^no /, '');
  return PLACES.find(([pattern]) => pattern.test(words))?.[1] ?? 'late';
}
