import type { BlockRow } from './row.js';

/**
 * Blocks: header, what the prompt says, and the first words of the lines in them, for files whose indentation was
 * lost. Indented lines need not be in the list.
 */
export const BLOCKS: readonly BlockRow[] = [
  ['voice-card ...', '-voicecard', 'codec dsp local-bypass dspfarm'],
  [
    'voice-port ...',
    '-voiceport',
    'station-id timing signal connection description input output echo-cancel impedance cptone ring dial-type supervisory music-threshold comfort-noise threshold shutdown operation type caller-id compand-type',
  ],
  [
    'voice service ...',
    '-voi-serv',
    'sip h323 signaling fax modem allow-connections rel1xx billing ds0-num clid bind redirect',
  ],
  ['voice class ...', '-class', 'codec'],
  ['voice translation-rule ...', '-translation-rule'],
  ['voice translation-profile ...', '-translation-profile'],
  [
    'dial-peer ...',
    '-dial-peer',
    'destination-pattern port session codec incoming application preference prefix dtmf-relay fax vad huntstop digit-strip direct-inward-dial forward-digits answer-address req-qos acc-qos voice-class modem translate-outgoing translation-profile supplementary-service tech-prefix description shutdown playout-delay max-conn register authentication',
  ],
  ['translation-rule ...', '-translate'],
  ['sip-ua', '-sip-ua', 'authentication retry timers registrar srv sip-server aaa calling-info'],
  ['gateway', '-gateway', 'timer'],
  [
    'telephony-service ...',
    '-telephony',
    'max-ephones max-dn load create keepalive time-format date-format max-conferences voicemail moh web dn-webedit system url cnf-file network-locale user-locale transfer-system transfer-pattern secondary-dialtone',
  ],
  ['ephone ...', '-ephone', 'mac-address button type username device-security-mode description keepalive'],
  [
    'ephone-dn ...',
    '-ephone-dn',
    'number name label call-forward description hold-alert huntstop preference pickup-group translate',
  ],
  [
    'controller ...',
    '-controller',
    'framing linecode clock pri-group channel-group ds0-group tdm-group cablelength description shutdown crc4 fdl mode line-mode dsl-mode bri-group',
  ],
  ['control-plane ...', '-cp'],
  ['redundancy ...', '-red'],
  [
    'router ...',
    '-router',
    'network neighbor redistribute version passive-interface auto-summary synchronization distance distribute-list default-information default-metric area log-adjacency-changes bgp maximum-paths timers eigrp aggregate-address address-family exit-address-family router-id summary-address offset-list net is-type metric-style',
    'routing protocols are not run: only connected networks and ip route count',
  ],
  ['route-map ...', '-route-map', 'match set description continue'],
  ['key chain ...', '-keychain', 'key key-string accept-lifetime send-lifetime'],
  ['map-class ...', '-map-class', 'frame-relay service-policy dialer atm'],
  ['map-list ...', '-map-list'],
  ['vc-class ...', '-vc-class'],
  ['class-map NAME:WORD', '-cmap', 'match description'],
  ['class-map {match-all | match-any} NAME:WORD', '-cmap', 'match description'],
  [
    'policy-map NAME:WORD',
    '-pmap',
    'class bandwidth priority police set shape queue-limit fair-queue random-detect service-policy compression description drop conform-action exceed-action violate-action trust',
  ],
  ['crypto isakmp policy ...', '-isakmp', 'encr encryption hash authentication group lifetime'],
  ['crypto isakmp profile ...', '-isa-prof', 'keyring match self-identity client isakmp initiate virtual-template'],
  [
    'crypto isakmp client configuration group ...',
    '-isakmp-group',
    'key dns wins domain pool acl include-local-lan save-password max-users netmask split-dns',
  ],
  ['crypto ipsec transform-set ...', 'crypto-trans', 'mode'],
  ['crypto ipsec profile ...', '-ipsec-profile', 'set'],
  ['crypto dynamic-map ...', '-crypto-map', 'set match reverse-route description'],
  ['crypto map NAME:WORD SEQUENCE:<1-65535> ...', '-crypto-map', 'set match description qos reverse-route'],
  [
    'crypto ca ...',
    '-ca',
    'enrollment subject-name revocation-check rsakeypair certificate quit crl auto-enroll serial-number ip-address',
  ],
  [
    'crypto pki ...',
    '-pki',
    'enrollment subject-name revocation-check rsakeypair certificate quit crl auto-enroll serial-number ip-address',
  ],
  ['crypto keyring ...', '-keyring', 'pre-shared-key'],
  [
    'ip dhcp pool ...',
    '-dhcp',
    'network host hardware-address client-identifier client-name default-router dns-server domain-name lease option netbios-name-server netbios-node-type import bootfile next-server origin update utilization',
  ],
  ['ip vrf ...', '-vrf', 'rd route-target import export maximum description'],
  ['ip sla monitor NUMBER:<1-2147483647>', '-sla-monitor'],
  ['rtr NUMBER:<1-2147483647>', '-rtr'],
  ['ip explicit-path ...', '-expl-path'],
  [
    'vpdn-group ...',
    '-vpdn',
    'accept-dialin request-dialin protocol virtual-template terminate-from initiate-to local domain l2tp rate-limit',
  ],
  ['aaa group server ...', '-sg', 'server deadtime'],
  ['time-range ...', '-time-range', 'absolute periodic'],
  [
    'line NUMBER:<1-181> [LAST:<1-181>]',
    '-line',
    'transport modem autoselect speed flowcontrol stopbits parity databits exec exec-timeout login password rotary script session-timeout absolute-timeout length',
  ],
  ['line tty NUMBER:<0-181> [LAST:<1-181>]', '-line'],
  ['archive', '-archive', 'log config path write-memory maximum time-period logging notify hidekeys'],
  ['gatekeeper', '-gk', 'zone gw-type-prefix shutdown lrq arq bandwidth'],
  ['dspfarm ...', '-dspfarm'],
  ['sccp ...', '-sccp'],
  ['bba-group ...', '-bba-group'],
  ['ipv6 access-list ...', '-ipv6-acl'],
  ['ipv6 router ...', '-rtr'],
  ['mgcp profile ...', '-mgcp-profile'],
  ['application', '-app'],
  ['vlan VLANS:WORD', '-vlan', 'name state mtu media shutdown remote-span parent private-vlan'],
  ['mac access-list extended NAME:WORD', '-ext-macl', 'permit deny remark'],
  ['vlan access-map ...', '-access-map', 'match action'],
  ['dot11 ssid NAME:WORD', '-ssid', 'authentication max-associations guest-mode wpa-psk vlan mbssid accounting'],
  [
    'l2tp-class ...',
    '-l2tp-class',
    'authentication digest hello hidden hostname password receive-window retransmit timeout',
  ],
  ['pseudowire-class ...', '-pw-class', 'encapsulation protocol ip interworking sequencing'],
  ['trunk group ...', '-trunk-group', 'hunt-scheme carrier-id description max-calls max-retry translation-profile'],
  ['ephone-template ...', '-ephone-template', 'softkeys network-locale user-locale paging-dn features feature-button'],
  ['ephone-dn-template ...', '-ephone-dn-template', 'hold-alert call-forward pickup-group translation-profile'],
  ['ephone-hunt ...', '-ephone-hunt', 'pilot list final timeout max-redirect preference hops no-reg'],
  [
    'call-manager-fallback',
    '-cm-fallback',
    'ip max-ephones max-dn limit-dn transfer-pattern dialplan-pattern default-destination voicemail keepalive',
  ],
  ['credentials', '-credentials', 'ip trustpoint'],
  [
    'voice register {global | pool | dn | template | dialplan} ...',
    '-register',
    'mode id number max-dn max-pool dtmf-relay codec name type username load',
  ],
  ['voice hunt-group ...', '-voice-hunt-group', 'pilot list final timeout preference hops'],
  ['voice source-group ...', '-voice-source-group', 'access-list carrier-id description'],
  ['voice cause-code', '-cause-code'],
  ['voice enum-match-table ...', '-enum'],
  ['crypto identity ...', '-crypto-identity', 'dn fqdn'],
  ['crypto gdoi group ...', '-gdoi-group', 'identity server'],
  ['crypto isakmp peer ...', '-isakmp-peer', 'set description'],
  [
    'crypto ipsec client ezvpn NAME:WORD',
    '-crypto-ezvpn',
    'connect group mode peer username xauth acl local-address virtual-interface backup idletime nat',
  ],
  ['crypto provisioning ...', '-tti', 'registrar template'],
  ['identity profile ...', '-identity-prof', 'device description template'],
  ['identity policy ...', '-identity-policy', 'access-group redirect description'],
  ['ip dhcp class ...', '-dhcp-class', 'relay address'],
  ['ip flow-top-talkers', '-flow-top-talkers', 'top sort-by cache-timeout match'],
  [
    'ip sla NUMBER:<1-2147483647>',
    '-ip-sla',
    'icmp-echo udp-jitter tcp-connect frequency timeout threshold owner tag http path-echo dns',
  ],
  ['ip ssh pubkey-chain', '-ssh-pubkey', 'username key-string'],
  ['ip traffic-export profile ...', '-rite', 'interface mac-address bidirectional incoming outgoing'],
  ['flow-sampler-map ...', '-sampler', 'mode'],
  [
    'oer ...',
    '-oer',
    'border interface learn logging policy-rules max-range-utilization mode periodic-interval local master',
  ],
  ['ima-group ...', '-ima'],
  ['policy-list ...', '-policy-list', 'match'],
  ['ip policy-list ...', '-policy-list', 'match'],
  ['resource-pool {profile | group} ...', '-resource', 'limit guard remote resource'],
  ['srst ...', '-srst'],
  ['template ...', '-template', 'peer ppp multilink'],
  ['track NUMBER:<1-1000> ...', '-track', 'delay object threshold default'],
  ['vc-group ...', '-vc-group'],
  ['event manager applet ...', '-applet', 'event action set description trigger'],
  ['ipx router ...', '-ipx-router', 'network redistribute'],
  ['vrf definition ...', '-vrf', 'rd route-target address-family exit-address-family description vpn'],
  [
    'webvpn ...',
    '-webvpn',
    'ip ssl inservice title url-list policy default-group-policy gateway http-redirect hostname port-forward login-message',
  ],
  ['xot ...', '-xot'],
];

/** Blocks that open under an interface. */
export const INTERFACE_BLOCKS: readonly BlockRow[] = [
  [
    'pvc ...',
    '-if-atm-vc',
    'protocol encapsulation ubr ubr+ abr cbr vbr-nrt vbr-rt oam-pvc oam oam-range inarp broadcast class-vc tx-ring-limit dialer pppoe pppoe-client ilmi service-policy',
  ],
  ['svc ...', '-if-atm-vc', 'protocol encapsulation ubr abr cbr vbr-nrt vbr-rt oam-svc inarp broadcast class-vc'],
  [
    'range ...',
    '-if-atm-range',
    'protocol encapsulation ubr abr cbr vbr-nrt vbr-rt oam-range class-range pvc-in-range',
  ],
  ['bundle ...', '-if-atm-bundle', 'protocol encapsulation broadcast inarp oam-bundle class-bundle pvc-bundle oam'],
  ['frame-relay interface-dlci ...', '-fr-dlci', 'class protocol ppp payload-encapsulation'],
  [
    'ssid ...',
    '-if-ssid',
    'authentication accounting guest-mode wpa-psk max-associations infrastructure-ssid vlan mobility information-element',
  ],
  ['xconnect ...', '-if-xconn', 'backup'],
  ['vlan-range ...', '-if-vlan-range'],
];

/**
 * Blocks in a block without effect: the header of the outer one, the first words of the line that opens the inner one,
 * what the prompt says, and the first words of the lines in it. `exit` leads to the outer block.
 */
const NESTED_BLOCKS: readonly (readonly [outer: RegExp, opens: RegExp, prompt: string, words: string])[] = [
  [
    /^policy-map /,
    /^class /,
    '-pmap-c',
    'bandwidth compression drop fair-queue netflow-sampler police priority queue-limit random-detect service-policy set shape',
  ],
  [
    /^router /,
    /^address-family /,
    '-router-af',
    'network neighbor redistribute auto-summary synchronization distance distribute-list default-information default-metric maximum-paths aggregate-address bgp',
  ],
  [/^vrf definition /, /^address-family /, '-vrf-af', 'route-target import export maximum'],
  [/^key chain /, /^key /, '-keychain-key', 'key-string accept-lifetime send-lifetime'],
  [/^archive$/, /^log config$/, '-archive-log-cfg', 'logging notify hidekeys record'],
  [/^vpdn-group /, /^accept-dialin$/, '-vpdn-acc-in', 'protocol virtual-template'],
  [/^vpdn-group /, /^request-dialin$/, '-vpdn-req-in', 'protocol pool-member rotary-group'],
  [/^ip ssh pubkey-chain$/, /^username /, '-ssh-pubkey-user', 'key-string key-hash'],
];

/** @returns what a line of an inert block opens; undefined: nothing */
export function nestedBlock(outer: string, line: string): { prompt: string; words: readonly string[] } | undefined {
  const found = NESTED_BLOCKS.find(([header, opens]) => header.test(outer) && opens.test(line));
  return found === undefined ? undefined : { prompt: found[2], words: found[3].split(' ') };
}

/** Lines of inert blocks that would have filtered. */
const WEAKENING_IN_BLOCKS: readonly (readonly [block: RegExp, line: RegExp, reason: string])[] = [
  [/^control-plane/, /^service-policy/, 'the policy map is not enforced: nothing polices traffic to the router'],
  [/^interface /, /^service-policy/, 'the policy map is not enforced'],
];

/** @returns what is not filtered because this line of an inert block has no effect; undefined: nothing */
export const weakensInBlock = (header: string, line: string): string | undefined =>
  WEAKENING_IN_BLOCKS.find(([block, text]) => block.test(header) && text.test(line))?.[2];
