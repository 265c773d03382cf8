/**
 * The typed running-config: what the parser makes of an IOS configuration and the router acts on. Plain data, in
 * configuration order. Addresses are int32 in host order (`| 0`), times are in seconds as IOS has them.
 */
import type { AclEntry } from '../../acl/entry.js';

export interface RouterConfig {
  hostname: string;
  interfaces: InterfaceConfig[];
  /** By number or name, in configuration order. */
  accessLists: Map<string, AccessList>;
  /** `ip inspect name`, by name, in configuration order. */
  inspectionRules: Map<string, InspectionRule>;
  inspect: InspectGlobals;
  nat: NatConfig;
  routes: StaticRoute[];
  timestamps: { debug: Timestamps; log: Timestamps };
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

export interface InertLine {
  text: string;
  line: number;
}

export interface InterfaceConfig {
  name: string; // canonical IOS name, e.g. Ethernet2/0
  /** First is the primary address. */
  addresses: { address: number; mask: number }[];
  shutdown: boolean;
  accessGroupIn?: string;
  accessGroupOut?: string;
  inspectIn?: string;
  inspectOut?: string;
  nat?: 'inside' | 'outside';
  virtualReassembly?: VirtualReassembly;
  /** `no ip unreachables` clears it. */
  unreachables: boolean;
  /** When inspection was applied: a later one is printed first by `show ip inspect` (see the reference's §1). 0: never. */
  inspectOrder: number;
}

export interface VirtualReassembly {
  maxReassemblies: number; // 16
  maxFragments: number; // 32
  timeout: number; // 3 s
  dropFragments: boolean;
}

export interface AccessList {
  name: string;
  kind: 'standard' | 'extended';
  entries: AclEntry[];
}

export interface InspectionRule {
  name: string;
  protocols: InspectedProtocol[];
}

export type ProtocolName = 'tcp' | 'udp' | 'icmp' | 'ftp' | 'http' | 'smtp' | 'esmtp';

export interface InspectedProtocol {
  protocol: ProtocolName;
  /** Undefined: as the global setting. */
  alert?: boolean;
  auditTrail?: boolean;
  /** Seconds; undefined: the default of the protocol (tcp idle-time, udp idle-time, icmp 10). */
  timeout?: number;
  smtp?: SmtpOptions;
}

/** Keywords of `ip inspect name NAME {smtp|esmtp}`. All but max-data are extensions of fw3640. */
export interface SmtpOptions {
  maxData: number; // bytes, 20000000
  /** Inspect and log as if, alter nothing. */
  monitorOnly: boolean;
  /** esmtp: mask EHLO reply lines that offer what inspection does not pass. Default true. */
  maskEhlo: boolean;
  /** esmtp: verbs and extensions passed besides the fifteen, upper case (STARTTLS, BDAT, …). */
  allow: string[];
}

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
  reassemblyQueueLength: number; // 16 segments a direction
  reassemblyTimeout: number; // 5 s
  reassemblyMemoryKb: number; // 1024
  reassemblyAlarm: boolean;
}

export interface NatConfig {
  /** `ip nat inside source static LOCAL GLOBAL`. */
  staticEntries: StaticNat[];
}

export interface StaticNat {
  insideLocal: number;
  insideGlobal: number;
}

export interface StaticRoute {
  prefix: number;
  mask: number;
  nextHop?: number;
  interfaceName?: string;
  distance: number; // 1
}

/** `service timestamps {debug|log} …`. */
export type Timestamps =
  | { kind: 'none' }
  | { kind: 'uptime' }
  | { kind: 'datetime'; msec: boolean; localtime: boolean; showTimezone: boolean; year: boolean };
