/**
 * The typed running-config: what the parser makes of an IOS configuration and the router acts on. Plain data, in
 * configuration order. Addresses are int32 in host order (`| 0`), times are in seconds as IOS has them. Items of the
 * long lists (entries and remarks of access lists, translations, routes, inert lines) are never changed, but replaced:
 * configurations that follow each other have them in common.
 */
import type { InspectorOptions } from '../../core/inspect/inspector.js';
import type { AclEntry } from '../../core/acl/entry.js';
import type { PortMap } from '../../core/inspect/port-map.js';
import type {
  FragmentOptions,
  InspectGlobals,
  InterceptPolicy,
  NatTimeouts,
  ProtocolName,
  SmtpOptions,
} from '../../core/policy.js';

export interface RouterConfig {
  /** Text of the `version` line, e.g. 12.3. */
  version: string;
  hostname: string;
  interfaces: InterfaceConfig[];
  /** By number or name, in configuration order. */
  accessLists: Map<string, AccessList>;
  /** `ip inspect name`, by name, in configuration order. */
  inspectionRules: Map<string, InspectionRule>;
  inspect: InspectGlobals;
  /** `ip port-map`, in configuration order: what the administrator has added to SYSTEM_PORT_MAPS. */
  portMaps: PortMapLine[];
  intercept: InterceptConfig;
  nat: NatConfig;
  routes: StaticRoute[];
  timestamps: { debug: Timestamps; log: Timestamps };
  /** `service password-encryption`. */
  passwordEncryption: boolean;
  enable: { password?: Password; secret?: Password };
  users: User[];
  login: LoginConfig;
  lines: LineConfig[];
  http: HttpConfig;
  logging: LoggingConfig;
  clock: { timezone?: { name: string; hours: number; minutes: number } };
  /** Text between the delimiters, as typed. */
  banners: Partial<Record<'motd' | 'login' | 'exec', string>>;
  /** `ip domain-lookup`: an unknown EXEC word is "translated" first. */
  domainLookup: boolean;
  names: NameConfig;
  /** `alias`, in configuration order. */
  aliases: Alias[];
  /** Lines that IOS knows and a Linux box has no use for: kept, reported, without effect. */
  inert: InertLine[];
}

export interface SourcePosition {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, where IOS puts its caret. */
  column: number;
}

export type AliasMode = 'exec' | 'configure' | 'interface' | 'line' | 'ipenacl' | 'ipsnacl';

export interface Alias {
  mode: AliasMode;
  name: string;
  /** Empty: an alias that the router has from the start is taken away. */
  text: string;
}

export interface InertLine {
  text: string;
  /** Line of the file, from 1; 0 when typed on the console. */
  line: number;
  /**
   * Header of the block it stands in (`interface Ethernet2/0`, `voice-port 1/0/0`), of a block in a block both headers
   * with a line break between (`interface ATM0\npvc 8/35`); undefined: global.
   */
  block?: string;
  /** Set where the router would have filtered or protected more than we do without this line. */
  weakens?: string;
}

export interface InterfaceConfig {
  name: string; // canonical IOS name, e.g. Ethernet2/0
  description?: string;
  /** The primary address first, then the secondary ones. */
  addresses: InterfaceAddress[];
  shutdown: boolean;
  accessGroupIn?: string;
  accessGroupOut?: string;
  inspectIn?: string;
  inspectOut?: string;
  nat?: 'inside' | 'outside';
  virtualReassembly?: FragmentOptions;
  /** `ip tcp adjust-mss`, bytes. */
  adjustMss?: number;
  /** `no ip unreachables` clears it. */
  unreachables: boolean;
  /** `no ip redirects` clears it. */
  redirects: boolean;
  /** `no ip proxy-arp` clears it. */
  proxyArp: boolean;
  /** When inspection was applied: a later one is printed first by `show ip inspect` (see the reference's §1). 0: never. */
  inspectOrder: number;
  /** Line of the file that begins it, from 1; absent from the console. */
  line?: number;
  /** Lines of the file that name lists and rules, from 1; for messages. */
  lines?: Partial<Record<'accessGroupIn' | 'accessGroupOut' | 'inspectIn' | 'inspectOut', number>>;
}

export interface InterfaceAddress {
  address: number;
  mask: number;
  /** Present on secondary addresses. IOS writes those first, so for a moment there may be no other. */
  secondary?: true;
}

export interface AccessList {
  name: string;
  kind: 'standard' | 'extended';
  /** In sequence order. */
  entries: AclLine[];
  remarks?: AclRemark[];
}

/** An entry, and where it stands. */
export interface AclLine extends AclEntry {
  /** Line of the configuration file, from 1; 0 when typed on the console. */
  line?: number;
}

export interface AclRemark {
  text: string;
  /** Stands behind the entry with this sequence number and before the next; 0: before the first. */
  after: number;
}

export interface InspectionRule {
  name: string;
  protocols: InspectedProtocol[];
}

export interface InspectedProtocol {
  protocol: ProtocolName;
  /** Undefined: as the global setting. */
  alert?: boolean;
  auditTrail?: boolean;
  /** Seconds; undefined: the default of the protocol (tcp idle-time, udp idle-time, icmp 10). */
  timeout?: number;
  /** `router-traffic`: sessions of the router itself are inspected too (tcp, udp, icmp). */
  routerTraffic?: boolean;
  /** `http java-list ACL`: servers from which Java applets may come. */
  javaList?: string;
  smtp?: SmtpOptions;
  /** Of a protocol of ios/features: what differs from its defaults. */
  options?: InspectorOptions;
  /** Line of the file, from 1; 0 from the console. */
  line?: number;
}

/** A line of `ip port-map`. */
export interface PortMapLine extends PortMap {
  description?: string;
  /** Line of the file, from 1; 0 from the console. */
  line?: number;
}

/** `ip tcp intercept`. */
export interface InterceptConfig extends InterceptPolicy {
  /** Line of the file that names its list. */
  line?: number;
}

export interface NatConfig {
  /** `ip nat inside source static …`. */
  staticEntries: StaticNat[];
  /** `ip nat pool`, by name. */
  pools: Map<string, NatPool>;
  /** `ip nat inside source list …`, in configuration order. */
  dynamic: DynamicNat[];
  timeouts: NatTimeouts;
}

export interface StaticNat {
  insideLocal: number;
  /** 0 while `interfaceName` is set: the address of that interface. */
  insideGlobal: number;
  /** `static tcp|udp`: only this port. */
  ports?: { protocol: 'tcp' | 'udp'; insideLocal: number; insideGlobal: number };
  /** `static network`: both addresses are network addresses under this mask. */
  mask?: number;
  /** `static {tcp|udp} … interface NAME PORT`. */
  interfaceName?: string;
  extendable?: boolean;
  /** `no-payload`: addresses in what is carried stay. Kept; FTP's are translated all the same. */
  noPayload?: boolean;
  /** `no-alias`: no ARP for the inside global address. */
  noAlias?: boolean;
  /** Line of the file, from 1; 0 from the console. */
  line?: number;
}

export interface NatPool {
  name: string;
  start: number;
  end: number;
  mask: number;
}

export interface DynamicNat {
  list: string;
  /** Either a pool or an interface. */
  pool?: string;
  interfaceName?: string;
  overload: boolean;
  line: number;
}

export interface StaticRoute {
  prefix: number;
  mask: number;
  nextHop?: number;
  interfaceName?: string;
  distance: number; // 1
  /** Line of the file, from 1; 0 from the console. */
  line?: number;
}

/** `service timestamps {debug|log} …`. */
export type Timestamps =
  | { kind: 'none' }
  | { kind: 'uptime' }
  | { kind: 'datetime'; msec: boolean; localtime: boolean; showTimezone: boolean; year: boolean };

/** A password as stored: `0` clear, `5` MD5 crypt, `7` Vigenère. Never printed in clear in a log. */
export interface Password {
  type: 0 | 5 | 7;
  text: string;
}

export interface User {
  name: string;
  privilege: number; // 1
  password?: Password;
  secret?: Password;
  /** Line of the file, from 1. */
  line?: number;
}

export interface LineConfig {
  kind: 'con' | 'aux' | 'vty';
  first: number;
  last: number;
  password?: Password;
  /** `login`: asks the line password; `login local`: user name and password; `no login`: nobody is asked. */
  login: 'none' | 'line' | 'local';
  /** Seconds; 0: never. Default 600. */
  execTimeout: number;
  privilege: number; // 1
  /** `access-class ACL in`: source addresses that may connect. */
  accessClassIn?: string;
  /** `access-class ACL in vrf-also`: calls from a VRF too. There is one routing table here: the class is the same. */
  accessClassVrfAlso?: true;
  /** `transport input`: how calls may come in. Absent: in every way, as on a vty of 12.x; empty: not at all. */
  transportInput?: TransportProtocol[];
  /** `no exec` clears it: who calls gets no command line. */
  exec: boolean;
  /** `session-limit`: outgoing sessions of one user. There are none here. */
  sessionLimit?: number;
  /** `timeout login response`: seconds for each answer of the login. Absent: 30. */
  loginTimeout?: number;
  /** `absolute-timeout`: minutes after which a session ends, whatever it does. */
  absoluteTimeout?: number;
  /** `length`: lines of a screen; 0: no paging. */
  length: number; // 24
  /** Lines of the file that say so, from 1; for messages. */
  lines?: Partial<Record<'accessClassIn' | 'privilege' | 'transportInput' | 'exec' | 'sessionLimit', number>>;
  /** Kept here and not in RouterConfig.inert, because ranges of lines are cut and joined. */
  inert?: InertLine[];
}

/** What `transport input` names; `ssh` and `telnet` are those of today. */
export type TransportProtocol =
  'lapb-ta' | 'lat' | 'mop' | 'nasi' | 'pad' | 'rlogin' | 'ssh' | 'telnet' | 'udptn' | 'v120';

/** `login block-for` and its kin: what becomes of wrong passwords on the terminal lines. */
export interface LoginConfig {
  /** `login block-for S attempts N within S`: no logins for a while after so many failures. Sets a delay of 1 s too. */
  blockFor?: { seconds: number; attempts: number; within: number };
  /** Line of the file that says so. */
  line?: number;
  /** `login delay`, seconds that a failed login waits for its answer. */
  delay?: number;
  /** `login quiet-mode access-class`: who may log in even then. */
  quietModeList?: string;
  /** Line of the file that says so. */
  quietModeLine?: number;
  /** `login on-failure`, `login on-success`. */
  onFailure?: LoginReport;
  onSuccess?: LoginReport;
}

export interface LoginReport {
  log: boolean;
  trap: boolean;
  /** Each so-manieth login is reported. */
  every: number; // 1
  /** Line of the file, from 1; 0 from the console. */
  line?: number;
}

/** `ip http …`. */
export interface HttpConfig {
  /** `ip http server`; false: `no ip http server` was typed. */
  server?: boolean;
  port: number; // 80
  secureServer?: boolean;
  securePort: number; // 443
  /** `ip http access-class`: source addresses that may connect. */
  accessClass?: string;
  /** Line of the file that says so. */
  accessClassLine?: number;
  /** Whose passwords count. There is no AAA and no TACACS here: with these nobody gets in. */
  authentication: 'aaa' | 'enable' | 'local' | 'tacacs'; // enable
  maxConnections: number; // 5
  /** `ip http timeout-policy`: seconds without a byte, seconds of a connection, requests of it. */
  timeouts: { idle: number; life: number; requests: number }; // 180 180 1
}

/** How the router finds the address of a name that is typed. */
export interface NameConfig {
  /** `ip domain-name`: appended to a name without a dot. */
  domain?: string;
  /** `ip name-server`, in the order they are asked. */
  servers: number[];
  /** `ip host`, in configuration order. */
  hosts: StaticHost[];
}

export interface StaticHost {
  name: string;
  /** For `telnet`, which this router does not have. */
  port?: number;
  /** The first is the one that is used. */
  addresses: number[];
}

/** 0 emergencies … 7 debugging. */
export type Severity = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** A syslog server that is not told by UDP to port 514. */
export interface SyslogServer {
  address: number;
  /** `tls` is fw3640's own. */
  transport: 'udp' | 'tcp' | 'tls';
  port: number;
}

export interface LoggingConfig {
  on: boolean;
  /** Undefined: `no logging console`. */
  console?: Severity; // 7
  monitor?: Severity; // 7
  buffered?: Severity; // undefined: no buffer
  /** Bytes. */
  bufferSize: number; // 4096
  trap?: Severity; // 6
  hosts: number[];
  /** `logging host A transport …`. */
  servers: SyslogServer[];
  facility: string; // local7
}
