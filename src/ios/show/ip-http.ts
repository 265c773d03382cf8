/** `show ip http server …`. */
import type { HttpConfig } from '../config/model.js';
import type { OpenConnection } from '../management-plane.js';

const state = (on: boolean | undefined): string => (on === true ? 'Enabled' : 'Disabled');
const text = (lines: readonly string[]): string => lines.map((l) => `${l}\n`).join('');

export const showHttpStatus = (http: HttpConfig): string =>
  text([
    `HTTP server status: ${state(http.server)}`,
    `HTTP server port: ${http.port}`,
    `HTTP server authentication method: ${http.authentication}`,
    `HTTP server access class: ${http.accessClass ?? 0}`,
    'HTTP server base path: ',
    `Maximum number of concurrent server connections allowed: ${http.maxConnections}`,
    `Server idle time-out: ${http.timeouts.idle} seconds`,
    `Server life time-out: ${http.timeouts.life} seconds`,
    `Maximum number of requests allowed on a connection: ${http.timeouts.requests}`,
    'HTTP server active session modules: ALL',
  ]) + showHttpSecureStatus(http);

/** Inferred: the cipher suites are those of TLS itself, which IOS of that time did not have. */
export const showHttpSecureStatus = (http: HttpConfig): string =>
  text([
    'HTTP secure server capability: Present',
    `HTTP secure server status: ${state(http.secureServer)}`,
    `HTTP secure server port: ${http.securePort}`,
    'HTTP secure server ciphersuite: tls-1.2 tls-1.3',
    'HTTP secure server client authentication: Disabled',
    'HTTP secure server trustpoint: ',
  ]);

const LOCAL_WIDTH = 21;
const REMOTE_WIDTH = 22;
const IN_WIDTH = 10;

export const showHttpConnections = (open: readonly OpenConnection[]): string =>
  text([
    'HTTP server current connections:',
    'local-ipaddress:port  remote-ipaddress:port  in-bytes  out-bytes',
    ...open.map(
      (c) =>
        `${c.local.padStart(LOCAL_WIDTH)} ${c.remote.padStart(REMOTE_WIDTH)} ${String(c.inBytes).padStart(IN_WIDTH)} ${c.outBytes}`,
    ),
  ]);
