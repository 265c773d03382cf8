/** The configuration of a 3640 that was just unpacked: every default the manuals state, in one place. */
import type { InspectGlobals, NatTimeouts, SmtpOptions, FragmentOptions } from '../../core/policy.js';
import type { HttpConfig, InterceptConfig, InterfaceConfig, LineConfig, RouterConfig, SyslogServer } from './model.js';

/** `ip inspect …` global settings (Security Command Reference, CBAC). */
export const inspectDefaults = (): InspectGlobals => ({
  auditTrail: false,
  alertOff: false,
  maxIncompleteHigh: 500,
  maxIncompleteLow: 400,
  oneMinuteHigh: 500,
  oneMinuteLow: 400,
  tcpSynwait: 30,
  tcpFinwait: 5,
  tcpIdle: 3600,
  udpIdle: 30,
  dnsTimeout: 5,
  hostMaxIncomplete: 50,
  hostBlockMinutes: 0,
  logDropPkt: false,
  reassemblyQueueLength: 1024,
  reassemblyTimeout: 5,
  reassemblyMemoryKb: 4096,
  reassemblyAlarm: true,
  transcripts: 0,
});

/** `ip tcp intercept …` (Security Command Reference, TCP Intercept). */
export const interceptDefaults = (): InterceptConfig => ({
  mode: 'intercept',
  dropMode: 'oldest',
  connectionTimeout: 86_400,
  finrstTimeout: 5,
  watchTimeout: 30,
  maxIncompleteLow: 900,
  maxIncompleteHigh: 1100,
  oneMinuteLow: 900,
  oneMinuteHigh: 1100,
});

/** Timeout of `icmp` inspection in seconds, which no global command sets. */
export const ICMP_TIMEOUT = 10;

export const smtpDefaults = (): SmtpOptions => ({
  maxData: 20_000_000,
  lineLength: 512,
  monitorOnly: false,
  maskEhlo: true,
  allow: [],
});

export const virtualReassemblyDefaults = (): FragmentOptions => ({
  maxReassemblies: 16,
  maxFragments: 32,
  timeout: 3,
  dropFragments: false,
});

export const natTimeoutDefaults = (): NatTimeouts => ({
  timeout: 86_400,
  tcp: 86_400,
  udp: 300,
  dns: 60,
  finrst: 60,
  syn: 60,
  icmp: 60,
  port: 0,
  maxEntries: 0,
});

export const interfaceDefaults = (name: string): InterfaceConfig => ({
  name,
  addresses: [],
  shutdown: false,
  unreachables: true,
  redirects: true,
  proxyArp: true,
  inspectOrder: 0,
});

/** `ip http …` (Cisco IOS HTTP Services Command Reference). */
export const httpDefaults = (): HttpConfig => ({
  port: 80,
  securePort: 443,
  authentication: 'enable',
  maxConnections: 5,
  timeouts: { idle: 180, life: 180, requests: 1 },
});

export const lineDefaults = (kind: LineConfig['kind'], first: number, last: number): LineConfig => ({
  kind,
  first,
  last,
  // Terminal lines ask for a password unless told otherwise; the console does not.
  login: kind === 'vty' ? 'line' : 'none',
  execTimeout: 600,
  privilege: 1,
  exec: true,
  length: 24,
});

export const emptyConfig = (): RouterConfig => ({
  version: '12.3',
  hostname: 'Router',
  interfaces: [],
  accessLists: new Map(),
  inspectionRules: new Map(),
  inspect: inspectDefaults(),
  portMaps: [],
  intercept: interceptDefaults(),
  nat: { staticEntries: [], pools: new Map(), dynamic: [], timeouts: natTimeoutDefaults() },
  routes: [],
  timestamps: { debug: { kind: 'uptime' }, log: { kind: 'uptime' } },
  passwordEncryption: false,
  enable: {},
  users: [],
  login: {},
  lines: [],
  http: httpDefaults(),
  logging: { on: true, console: 7, monitor: 7, bufferSize: 4096, trap: 6, hosts: [], servers: [], facility: 'local7' },
  clock: {},
  banners: {},
  domainLookup: true,
  names: { servers: [], hosts: [] },
  aliases: [],
  inert: [],
});

/** Ports of syslog servers. TCP: as IOS. TLS: RFC 5425 §4.1. */
export const SYSLOG_PORTS: Readonly<Record<SyslogServer['transport'], number>> = { udp: 514, tcp: 601, tls: 6514 };
