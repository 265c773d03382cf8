/**
 * Read-only views of the running router, for `show`, the console and tests. Edges and `ios/` read these; no stage
 * does. Taken on demand: building one costs nothing while nobody asks.
 */
import type { BufferedPacket, CapturesSnapshot } from '../capture/capture.js';
import type { Reading } from '../observe/row.js';

export type SisState = 'SIS_OPENING' | 'SIS_OPEN' | 'SIS_CLOSING' | 'SIS_CLOSED';

export interface SessionSnapshot {
  /** Printed as eight hex digits. */
  id: number;
  protocol: number;
  /** The rule's protocol: tcp, udp, icmp, smtp, … */
  service: string;
  state: SisState;
  initiator: number;
  initiatorPort: number;
  /** As the inspection point saw it (outside → inside: the inside global address). */
  responder: number;
  /** The same end as the router knows it: inside local, of an inside host. Its port is the one here. */
  responderLocal: number;
  responderPort: number;
  /** ms ago. */
  createdAgo: number;
  heardAgo: number;
  initiatorBytes: number;
  responderBytes: number;
  /** Lists that the session's return traffic passes by (Firewall ACL Bypass), where it passes any. */
  bypassIn?: string;
  bypassOut?: string;
}

export interface TranslationSnapshot {
  /** 'tcp' | 'udp' | 'icmp' | number as text | '---'. */
  protocol: string;
  insideGlobal: number;
  insideLocal: number;
  /** Undefined in a simple entry. Ports only in extended entries. */
  outside?: number;
  insideGlobalPort?: number;
  insideLocalPort?: number;
  outsidePort?: number;
  static: boolean;
  createdAgo: number;
  usedAgo: number;
  /** Idle timeout, ms; absent: never. */
  timeoutMs?: number;
  useCount?: number;
  /** Which `ip nat inside source list` made it: index into NatConfig.dynamic. */
  mapping?: number;
}

/** What `show ip inspect statistics` counts. Triples are established, half-open, terminating. */
export interface InspectionSnapshot {
  /** Inspected packets by the rule's protocol, in the order of their first packet. */
  packets: ReadonlyMap<string, number>;
  created: number;
  current: readonly [number, number, number];
  maximum: readonly [number, number, number];
  /** ms ago; undefined: never. */
  lastCreatedAgo: number | undefined;
  lastResetAgo: number | undefined;
  /** Sessions made in the last minute. */
  creationRate: number;
}

/** `show ip virtual-reassembly`, one interface. */
export interface ReassemblySnapshot {
  reassemblies: number;
  fragments: number;
  totalReassemblies: number;
  totalFailures: number;
}

/** Of TCP; inside hosts by their inside local addresses. */
export interface ExpectedSnapshot {
  src: number;
  dst: number;
  dstPort: number;
}

/** A connection of `ip tcp intercept`. The server as the router knows it, inside local. */
export interface InterceptedConnection {
  client: number;
  clientPort: number;
  server: number;
  serverPort: number;
  /** SYNSENT, SYNRCVD, ESTAB, CLOSEWAIT, CLOSED. */
  state: string;
  incomplete: boolean;
  /** Mode watch; else mode intercept. */
  watched: boolean;
  /** ms. */
  createdAgo: number;
  leftMs: number;
}

export interface InterceptSnapshot {
  connections: InterceptedConnection[];
  requestsInMinute: number;
  /** SYNs answered with a cookie since the start, and cookies that came back. */
  answered: number;
  proven: number;
}

/** What of a router's state can be asked for. `show` says what it reads. */
export type ViewName =
  | 'sessions'
  | 'recent'
  | 'translations'
  | 'expected'
  | 'aclMatches'
  | 'counters'
  | 'inspection'
  | 'intercept'
  | 'reassembly'
  | 'captures'
  | 'captured';

/** How many sessions the view `recent` has, at most. */
export const MOST_RECENT_SESSIONS = 500;

export interface RouterSnapshot {
  /** Canonical names of the interfaces that a Linux interface is bound to; absent: all that can be. */
  readonly mapped?: ReadonlySet<string> | undefined;
  sessions(): SessionSnapshot[];
  /** MOST_RECENT_SESSIONS of them at most, the one that was heard of last first. */
  recent(): SessionSnapshot[];
  translations(): TranslationSnapshot[];
  /** Data connections that a control session has announced: their first packet needs no access list. */
  expected(): ExpectedSnapshot[];
  /** Matches of each entry of a list, in entry order. */
  aclMatches(list: string): readonly number[];
  counters(): readonly Reading[];
  inspection(): InspectionSnapshot;
  intercept(): InterceptSnapshot;
  /** By canonical interface name. */
  reassembly(name: string): ReassemblySnapshot;
  /** Capture points and buffers. */
  captures(): CapturesSnapshot;
  /** What a capture buffer holds, the oldest packet first. */
  captured(buffer: string): readonly BufferedPacket[];
}

/** An interface as the host has it now. Counters since the router started. */
export interface InterfaceSnapshot {
  /** Canonical IOS name. */
  name: string;
  /** Carrier on the bound Linux interface; false where none is bound. */
  lineUp: boolean;
  /** Six bytes as IOS prints them, e.g. 0050.0f0b.8181; undefined without hardware. */
  hardwareAddress?: string;
  mtu: number;
  kbits: number;
  /** False where the host does not say. */
  halfDuplex: boolean;
  packetsIn: number;
  bytesIn: number;
  broadcastsIn: number;
  errorsIn: number;
  dropsIn: number;
  packetsOut: number;
  bytesOut: number;
  errorsOut: number;
  dropsOut: number;
  collisions: number;
  /** ms since the last packet; undefined: never. */
  lastInputAgo?: number;
  lastOutputAgo?: number;
  /** Five-minute averages. */
  bitsPerSecondIn: number;
  packetsPerSecondIn: number;
  bitsPerSecondOut: number;
  packetsPerSecondOut: number;
}

export interface ArpSnapshot {
  address: number;
  /** e.g. 0050.0f0b.8181; undefined: incomplete. */
  hardwareAddress?: string;
  /** Canonical IOS name. */
  interfaceName: string;
  /** Minutes; undefined: an address of the router's own. */
  ageMinutes?: number;
}

/** What the edges know: clock, interfaces, neighbours, load. */
export interface SystemSnapshot {
  /** Version of fw3640. */
  release: string;
  now(): Date;
  uptimeMs(): number;
  /** True after `reload`; before it the router was powered on. */
  wasReloaded?(): boolean;
  interfaces(): InterfaceSnapshot[];
  arp(): ArpSnapshot[];
  /** Per cent of one processor, averaged; and processor time used since the start, ms. */
  cpu(): { fiveSeconds: number; oneMinute: number; fiveMinutes: number; runtimeMs?: number };
  /** Bytes. */
  memory(): { total: number; used: number };
  /** What the host's IP stack has counted since the router started, by the kernel's names: IpInReceives, … */
  ipCounters(): Readonly<Record<string, number>>;
}
