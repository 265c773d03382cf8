/**
 * What the data plane is told to do: a configuration after everything that is text has been left behind. Plain data that
 * can be cloned into another process; no line numbers, banners, passwords. `ios/compile` makes it. Addresses are int32 in
 * host order (`| 0`), times are in seconds unless the name says ms.
 */
import type { AclEntry } from './acl/entry.js';
import type { InspectorOptions } from './inspect/inspector.js';
import type { PortMap } from './inspect/port-map.js';
import type { RegisteredService } from './inspect/registry.js';

/**
 * A list that may be very long. Its items are never changed, but replaced; two lists of the same revision are the same,
 * and lists that follow each other have their items in common.
 */
export interface LongList<T> {
  readonly revision: number;
  readonly items: readonly T[];
}

export interface Policy {
  /** In configuration order: a packet's `ingress` is an index into it. */
  interfaces: InterfacePolicy[];
  /** By number or name. Only those that have entries: as on IOS, a list without any permits everything. */
  accessLists: Map<string, LongList<AclEntry>>;
  inspectionRules: RulePolicy[];
  /** `ip port-map`, in configuration order. */
  portMaps: PortMap[];
  inspect: InspectGlobals;
  intercept: InterceptPolicy;
  nat: NatPolicy;
  routing: RoutingPolicy;
}

export interface InterfacePolicy {
  /** Canonical IOS name, e.g. Ethernet2/0. */
  name: string;
  /** The primary one, from which ICMP errors are sent. */
  address?: number;
  nat?: 'inside' | 'outside';
  accessGroupIn?: string;
  accessGroupOut?: string;
  inspectIn?: string;
  inspectOut?: string;
  /** `ip tcp adjust-mss`, bytes; 0: not set. */
  adjustMss: number;
  /** Unreachables are sent. */
  unreachables: boolean;
  /** Virtual reassembly, where it is on. */
  reassembly?: FragmentOptions;
}

/** `ip virtual-reassembly`. */
export interface FragmentOptions {
  maxReassemblies: number; // 16
  maxFragments: number; // 32
  timeout: number; // 3 s
  dropFragments: boolean;
}

export type ProtocolName = 'tcp' | 'udp' | 'icmp' | 'ftp' | 'http' | 'smtp' | 'esmtp' | RegisteredService;

/** One `ip inspect name`. */
export interface RulePolicy {
  name: string;
  protocols: ProtocolPolicy[];
}

/** One protocol of a rule, with the settings that apply to it, global ones included. */
export interface ProtocolPolicy {
  protocol: ProtocolName;
  alert: boolean;
  auditTrail: boolean;
  idleMs: number;
  /** Of smtp and esmtp. */
  smtp?: SmtpOptions;
  /** `http java-list ACL`: servers from which Java applets may come. */
  javaList?: string;
  /** Of a protocol of inspect/registry.ts. */
  options?: InspectorOptions;
}

/** Keywords of `ip inspect name NAME {smtp|esmtp}`. All but max-data are extensions of fw3640. */
export interface SmtpOptions {
  maxData: number; // bytes, 20000000
  /** Most bytes of a command line with its CR LF, 512 (RFC 5321 §4.5.3.1.4); extensions allow theirs on top. */
  lineLength: number;
  /** Inspect and log as if, alter nothing. */
  monitorOnly: boolean;
  /** esmtp: mask EHLO reply lines that offer what inspection does not pass. Default true. */
  maskEhlo: boolean;
  /** esmtp: verbs and extensions passed besides the fifteen, upper case (STARTTLS, BDAT, …). */
  allow: string[];
}

/** `ip inspect …`: what holds for all rules. */
export interface InspectGlobals {
  auditTrail: boolean; // off
  alertOff: boolean;
  maxIncompleteHigh: number; // 500
  maxIncompleteLow: number; // 400
  oneMinuteHigh: number; // 500
  oneMinuteLow: number; // 400
  tcpSynwait: number; // 30 s
  tcpFinwait: number; // 5 s
  tcpIdle: number; // 3600 s
  udpIdle: number; // 30 s
  dnsTimeout: number; // 5 s
  hostMaxIncomplete: number; // 50
  hostBlockMinutes: number; // 0
  logDropPkt: boolean;
  reassemblyQueueLength: number; // 1024 segments a direction; IOS: 16
  reassemblyTimeout: number; // 5 s
  reassemblyMemoryKb: number; // 4096; IOS: 1024
  reassemblyAlarm: boolean;
  /** Dialogues of which a transcript is kept; 0: none is made. An extension of fw3640. */
  transcripts: number; // 0
}

/** `ip tcp intercept`. */
export interface InterceptPolicy {
  /** The extended access list of the connections meant; undefined: it is off. */
  list?: string;
  mode: 'intercept' | 'watch';
  /** Which incomplete connection goes for a new one in aggressive mode. */
  dropMode: 'oldest' | 'random';
  connectionTimeout: number; // 86400 s
  finrstTimeout: number; // 5 s
  watchTimeout: number; // 30 s
  maxIncompleteLow: number; // 900
  maxIncompleteHigh: number; // 1100
  oneMinuteLow: number; // 900
  oneMinuteHigh: number; // 1100
}

export interface NatPolicy {
  /** Another one: translations that exist are looked through. Timeouts do not count. */
  revision: number;
  /** Static entries for a host or a port of it. */
  bindings: LongList<StaticBinding>;
  networks: StaticNetwork[];
  /** `ip nat inside source list …`, in configuration order. */
  mappings: MappingPolicy[];
  /** What mappings take addresses from; those that name the same pool share it. */
  pools: PoolPolicy[];
  /** Addresses of the router's own interfaces: what is not translated there is for the router. */
  own: number[];
  timeouts: NatTimeouts;
}

/** One static entry for a host (protocol 0) or a port of it. */
export interface StaticBinding {
  protocol: number;
  local: number;
  localPort: number;
  global: number;
  globalPort: number;
}

/** `static network`: hosts of one network, number by number. */
export interface StaticNetwork {
  local: number;
  global: number;
  mask: number;
}

/** One `ip nat inside source list`. */
export interface MappingPolicy {
  /** What it is known by when the configuration changes. */
  key: string;
  /** Pool or interface, for messages. */
  name: string;
  /** Name of its access list. */
  list: string;
  overload: boolean;
  /** Index into `pools`. */
  pool: number;
}

/** Inside global addresses from `first` on. */
export interface PoolPolicy {
  first: number;
  size: number;
}

/** Static NAT entries that the translation table has room for. Ours: IOS is limited by its memory. */
export const MAX_STATIC_NAT = 4096;

/** `ip nat translation …-timeout`, seconds; 0 means never. */
export interface NatTimeouts {
  timeout: number; // 86400
  tcp: number; // 86400
  udp: number; // 300
  dns: number; // 60
  finrst: number; // 60
  syn: number; // 60
  icmp: number; // 60
  port: number; // 0: not set apart
  /** `max-entries`; 0: no limit. */
  maxEntries: number;
}

/** Where packets go. */
export interface RoutingPolicy {
  /** Addresses and directed broadcasts that are the router's. */
  own: number[];
  /** The same of interfaces that Linux does not have: nothing is delivered there, and nobody else has them. */
  unmapped: number[];
  /** The longest prefix first, of one prefix the one that counts first. */
  routes: LongList<RoutePolicy>;
}

export interface RoutePolicy {
  /** Host bits clear. */
  prefix: number;
  mask: number;
  /** Index of an interface, or UNREACHABLE or DISCARDED (route/routing-table.ts). */
  egress: number;
}
