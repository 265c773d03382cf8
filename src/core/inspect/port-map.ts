/**
 * Port to Application Mapping: which inspected service is behind a TCP port of a server. System-defined ports, and what
 * `ip port-map` adds to them: for all servers, or for those of an access list, which goes before everything else.
 */
import { type RegisteredService, REGISTRY } from './registry.js';

/** Protocols of a rule that look into a connection by the port of its server. */
type Service = 'ftp' | 'http' | 'smtp' | 'esmtp' | RegisteredService;

/** On these ports the service of an application is to be found (`ip port-map`). */
export interface PortMap {
  /** As the line names it: smtp, http, ftp, … */
  application: string;
  /** Undefined: the line does not say (12.3 has no word for it). */
  protocol?: 'tcp' | 'udp';
  port: number;
  /** `from PORT to LAST`. */
  last?: number;
  /** Standard access list of the servers that are meant; undefined: all. */
  list?: string;
}

/**
 * The system-defined port mappings of 12.3, which no line can change (Security Command Reference, PAM; `show ip
 * port-map`). The user's own are in the configuration.
 */
export const SYSTEM_PORT_MAPS: readonly Readonly<Required<Pick<PortMap, 'application' | 'protocol' | 'port'>>>[] = [
  { application: 'vdolive', protocol: 'tcp', port: 7000 },
  { application: 'sunrpc', protocol: 'tcp', port: 111 },
  { application: 'netshow', protocol: 'tcp', port: 1755 },
  { application: 'cuseeme', protocol: 'udp', port: 7648 },
  { application: 'tftp', protocol: 'udp', port: 69 },
  { application: 'rtsp', protocol: 'tcp', port: 8554 },
  { application: 'realmedia', protocol: 'tcp', port: 7070 },
  { application: 'streamworks', protocol: 'udp', port: 1558 },
  { application: 'ftp', protocol: 'tcp', port: 21 },
  { application: 'telnet', protocol: 'tcp', port: 23 },
  { application: 'rtsp', protocol: 'tcp', port: 554 },
  { application: 'h323', protocol: 'tcp', port: 1720 },
  { application: 'sip', protocol: 'udp', port: 5060 },
  { application: 'smtp', protocol: 'tcp', port: 25 },
  { application: 'http', protocol: 'tcp', port: 80 },
  { application: 'msrpc', protocol: 'tcp', port: 135 },
  { application: 'exec', protocol: 'tcp', port: 512 },
  { application: 'login', protocol: 'tcp', port: 513 },
  { application: 'sql-net', protocol: 'tcp', port: 1521 },
  { application: 'shell', protocol: 'tcp', port: 514 },
  { application: 'mgcp', protocol: 'udp', port: 2427 },
  ...REGISTRY.map(({ service, port }) => ({ application: service, protocol: 'tcp' as const, port })),
];

/**
 * Services that an inspector reads; `smtp` is esmtp too. `none`: nothing is known of the port, or another service. Those
 * of the registry follow.
 */
export const APPLICATION = { none: 0, ftp: 1, http: 2, smtp: 3, registered: 4 } as const;
export type Application = number;

/** By application: the protocols of a rule that inspect it, the one that goes first first. */
export const INSPECTED_AS: readonly (readonly Service[])[] = [
  [],
  ['ftp'],
  ['http'],
  ['smtp', 'esmtp'],
  ...REGISTRY.map((p) => [p.service]),
];

/** Whether a standard access list permits an address; undefined where the list is not defined. */
export type PermitsAddress = (list: string, address: number) => boolean | undefined;

interface HostMap {
  from: number;
  to: number;
  list: string;
  application: Application;
}

function applicationOf(name: string): Application {
  switch (name) {
    case 'ftp':
      return APPLICATION.ftp;
    case 'http':
      return APPLICATION.http;
    case 'smtp':
    case 'esmtp':
      return APPLICATION.smtp;
    default: {
      const index = REGISTRY.findIndex((p) => p.service === name);
      return index < 0 ? APPLICATION.none : APPLICATION.registered + index;
    }
  }
}

/** True where a service is read by an inspector here, so that a mapping of it does something. */
export const isInspected = (m: PortMap): boolean =>
  m.protocol !== 'udp' && applicationOf(m.application) !== APPLICATION.none;

export class PortApplications {
  readonly #ofAll = new Uint8Array(1 << 16);
  readonly #ofHosts: HostMap[] = [];

  /** @param permits asked for each first packet to a port that a line with `list` names */
  constructor(
    maps: readonly PortMap[],
    private readonly permits: PermitsAddress,
  ) {
    for (const { protocol, port, application } of SYSTEM_PORT_MAPS)
      if (protocol === 'tcp') this.#ofAll[port] = applicationOf(application);
    for (const m of maps) {
      if (m.protocol === 'udp') continue;
      const [from, to, application] = [m.port, m.last ?? m.port, applicationOf(m.application)];
      if (m.list === undefined) this.#ofAll.fill(application, from, to + 1);
      else this.#ofHosts.push({ from, to, list: m.list, application });
    }
  }

  /**
   * The service behind `port` of the server `address` (int32). Inferred: of several lines for single hosts the first
   * one counts whose list permits the server, and a list that is not defined means no server.
   */
  at(port: number, address: number): Application {
    for (const m of this.#ofHosts)
      if (m.from <= port && port <= m.to && this.permits(m.list, address) === true) return m.application;
    return this.#ofAll[port]!;
  }
}
