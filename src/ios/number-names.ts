/**
 * The names IOS 12.x has for numbers on the wire: ports, protocols, ICMP messages, precedences. Data only. A name
 * listed first for a number is the one IOS prints.
 */

export interface Named {
  name: string;
  value: number;
  help: string;
}

const named = (rows: readonly (readonly [string, number, string])[]): readonly Named[] =>
  rows.map(([name, value, help]) => ({ name, value, help: `${help} (${value})` }));

/** `access-list … tcp … eq ?` */
export const TCP_PORTS = named([
  ['bgp', 179, 'Border Gateway Protocol'],
  ['chargen', 19, 'Character generator'],
  ['cmd', 514, 'Remote commands rcmd'],
  ['daytime', 13, 'Daytime'],
  ['discard', 9, 'Discard'],
  ['domain', 53, 'Domain Name Service'],
  ['drip', 3949, 'Dynamic Routing Information Protocol'],
  ['echo', 7, 'Echo'],
  ['exec', 512, 'Exec'],
  ['finger', 79, 'Finger'],
  ['ftp', 21, 'File Transfer Protocol'],
  ['ftp-data', 20, 'FTP data connections'],
  ['gopher', 70, 'Gopher'],
  ['hostname', 101, 'NIC hostname server'],
  ['ident', 113, 'Ident Protocol'],
  ['irc', 194, 'Internet Relay Chat'],
  ['klogin', 543, 'Kerberos login'],
  ['kshell', 544, 'Kerberos shell'],
  ['login', 513, 'Login rlogin'],
  ['lpd', 515, 'Printer service'],
  ['nntp', 119, 'Network News Transport Protocol'],
  ['pim-auto-rp', 496, 'PIM Auto-RP'],
  ['pop2', 109, 'Post Office Protocol v2'],
  ['pop3', 110, 'Post Office Protocol v3'],
  ['smtp', 25, 'Simple Mail Transport Protocol'],
  ['sunrpc', 111, 'Sun Remote Procedure Call'],
  ['syslog', 514, 'Syslog'],
  ['tacacs', 49, 'TAC Access Control System'],
  ['talk', 517, 'Talk'],
  ['telnet', 23, 'Telnet'],
  ['time', 37, 'Time'],
  ['uucp', 540, 'Unix-to-Unix Copy Program'],
  ['whois', 43, 'Nicname'],
  ['www', 80, 'World Wide Web'],
]);

/** `access-list … udp … eq ?` */
export const UDP_PORTS = named([
  ['biff', 512, 'Biff mail notification, comsat'],
  ['bootpc', 68, 'Bootstrap Protocol client'],
  ['bootps', 67, 'Bootstrap Protocol server'],
  ['discard', 9, 'Discard'],
  ['dnsix', 195, 'DNSIX security protocol auditing'],
  ['domain', 53, 'Domain Name Service, DNS'],
  ['echo', 7, 'Echo'],
  ['isakmp', 500, 'Internet Security Association and Key Management Protocol'],
  ['mobile-ip', 434, 'Mobile IP registration'],
  ['nameserver', 42, 'IEN116 name service, obsolete'],
  ['netbios-dgm', 138, 'NetBios datagram service'],
  ['netbios-ns', 137, 'NetBios name service'],
  ['netbios-ss', 139, 'NetBios session service'],
  ['non500-isakmp', 4500, 'Internet Security Association and Key Management Protocol'],
  ['ntp', 123, 'Network Time Protocol'],
  ['pim-auto-rp', 496, 'PIM Auto-RP'],
  ['rip', 520, 'Routing Information Protocol'],
  ['snmp', 161, 'Simple Network Management Protocol'],
  ['snmptrap', 162, 'SNMP Traps'],
  ['sunrpc', 111, 'Sun Remote Procedure Call'],
  ['syslog', 514, 'System Logger'],
  ['tacacs', 49, 'TAC Access Control System'],
  ['talk', 517, 'Talk'],
  ['tftp', 69, 'Trivial File Transfer Protocol'],
  ['time', 37, 'Time'],
  ['who', 513, 'Who service, rwho'],
  ['xdmcp', 177, 'X Display Manager Control Protocol'],
]);

/** `access-list 101 permit ?` for protocols without ports; tcp, udp and icmp have syntax of their own. */
export const IP_PROTOCOLS: readonly Named[] = [
  { name: 'ahp', value: 51, help: 'Authentication Header Protocol' },
  { name: 'eigrp', value: 88, help: "Cisco's EIGRP routing protocol" },
  { name: 'esp', value: 50, help: 'Encapsulation Security Payload' },
  { name: 'gre', value: 47, help: "Cisco's GRE tunneling" },
  { name: 'igrp', value: 9, help: "Cisco's IGRP routing protocol" },
  { name: 'ipinip', value: 4, help: 'IP in IP tunneling' },
  { name: 'nos', value: 94, help: 'KA9Q NOS compatible IP over IP tunneling' },
  { name: 'ospf', value: 89, help: 'OSPF routing protocol' },
  { name: 'pcp', value: 108, help: 'Payload Compression Protocol' },
  { name: 'pim', value: 103, help: 'Protocol Independent Multicast' },
];

export interface IcmpMessage {
  name: string;
  type: number;
  /** Undefined: any code. */
  code?: number;
}

const message = (name: string, type: number, code?: number): IcmpMessage =>
  code === undefined ? { name, type } : { name, type, code };

/** `access-list 101 permit icmp any any ?` (RFC 792, 950, 1256, 1393, 1812). */
export const ICMP_MESSAGES: readonly IcmpMessage[] = [
  message('administratively-prohibited', 3, 13),
  message('alternate-address', 6),
  message('conversion-error', 31),
  message('dod-host-prohibited', 3, 10),
  message('dod-net-prohibited', 3, 9),
  message('echo', 8),
  message('echo-reply', 0),
  message('general-parameter-problem', 12, 0),
  message('host-isolated', 3, 8),
  message('host-precedence-unreachable', 3, 14),
  message('host-redirect', 5, 1),
  message('host-tos-redirect', 5, 3),
  message('host-tos-unreachable', 3, 12),
  message('host-unknown', 3, 7),
  message('host-unreachable', 3, 1),
  message('information-reply', 16),
  message('information-request', 15),
  message('mask-reply', 18),
  message('mask-request', 17),
  message('mobile-redirect', 32),
  message('net-redirect', 5, 0),
  message('net-tos-redirect', 5, 2),
  message('net-tos-unreachable', 3, 11),
  message('net-unreachable', 3, 0),
  message('network-unknown', 3, 6),
  message('no-room-for-option', 12, 2),
  message('option-missing', 12, 1),
  message('packet-too-big', 3, 4),
  message('parameter-problem', 12),
  message('port-unreachable', 3, 3),
  message('precedence-unreachable', 3, 15),
  message('protocol-unreachable', 3, 2),
  message('reassembly-timeout', 11, 1),
  message('redirect', 5),
  message('router-advertisement', 9),
  message('router-solicitation', 10),
  message('source-quench', 4),
  message('source-route-failed', 3, 5),
  message('time-exceeded', 11),
  message('timestamp-reply', 14),
  message('timestamp-request', 13),
  message('traceroute', 30),
  message('ttl-exceeded', 11, 0),
  message('unreachable', 3),
];

/** `precedence ?` (RFC 791). */
export const PRECEDENCES = named([
  ['critical', 5, 'Match packets with critical precedence'],
  ['flash', 3, 'Match packets with flash precedence'],
  ['flash-override', 4, 'Match packets with flash override precedence'],
  ['immediate', 2, 'Match packets with immediate precedence'],
  ['internet', 6, 'Match packets with internetwork control precedence'],
  ['network', 7, 'Match packets with network control precedence'],
  ['priority', 1, 'Match packets with priority precedence'],
  ['routine', 0, 'Match packets with routine precedence'],
]);

/** `tos ?` (RFC 1349). */
export const TYPES_OF_SERVICE = named([
  ['max-reliability', 2, 'Match packets with max reliable TOS'],
  ['max-throughput', 4, 'Match packets with max throughput TOS'],
  ['min-delay', 8, 'Match packets with min delay TOS'],
  ['min-monetary-cost', 1, 'Match packets with min monetary cost TOS'],
  ['normal', 0, 'Match packets with normal TOS'],
]);

/** `dscp ?` (RFC 2474, 2597, 3246). */
export const CODE_POINTS = named([
  ...[1, 2, 3, 4].flatMap((c) =>
    [1, 2, 3].map((d) => [`af${c}${d}`, c * 8 + d * 2, `Match packets with AF${c}${d} dscp`] as const),
  ),
  ...[1, 2, 3, 4, 5, 6, 7].map((c) => [`cs${c}`, c * 8, `Match packets with CS${c}(precedence ${c}) dscp`] as const),
  ['default', 0, 'Match packets with default dscp'],
  ['ef', 46, 'Match packets with EF dscp'],
]);

/** `logging trap ?`, most severe first. */
export const SEVERITIES = named([
  ['emergencies', 0, 'System is unusable'],
  ['alerts', 1, 'Immediate action needed'],
  ['critical', 2, 'Critical conditions'],
  ['errors', 3, 'Error conditions'],
  ['warnings', 4, 'Warning conditions'],
  ['notifications', 5, 'Normal but significant conditions'],
  ['informational', 6, 'Informational messages'],
  ['debugging', 7, 'Debugging messages'],
]);

/** @returns the name IOS prints for a value, or the number as text. */
export const nameOf = (table: readonly Named[], value: number): string =>
  table.find((n) => n.value === value)?.name ?? String(value);

/** Months as commands name them. */
export const MONTH_NAMES: readonly string[] =
  'january february march april may june july august september october november december'.split(' ');
