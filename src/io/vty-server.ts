/** `fw3640 run --vty ADDRESS:PORT`: the terminal lines (`line vty`) of the configuration, by telnet. Off unless asked for. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { mayConnect, takesTelnet } from '../ios/exec/access-class.js';
import type { ConsoleRouter } from '../ios/exec/router.js';
import { ConsoleSession } from '../ios/exec/session.js';
import { usersOf } from '../ios/exec/users.js';
import { parseAddress } from '../ios/ipv4-text.js';
import { serveTerminal } from './terminal.js';
import type { OpenTerminal } from './terminal.js';
import { TelnetStream } from './telnet.js';

const LOGIN_DELAY_MS = 1000; // after a wrong password
const DEFAULT_LAST_VTY = 4; // `line vty 0 4` is there without being configured

export class VtyServer {
  readonly #terminals = new Set<OpenTerminal>();
  readonly #sockets = new Set<Socket>();

  private constructor(
    private readonly router: ConsoleRouter,
    private readonly server: Server,
    private readonly loginDelayMs: number,
  ) {}

  /**
   * Listens for telnet. Lines, passwords and access classes are those of the configuration at the time of each call.
   * @param where `ADDRESS:PORT` or `PORT` alone, which is the loopback's
   * @throws Error where the address is none, or cannot be listened on
   */
  static async listen(where: string, router: ConsoleRouter, loginDelayMs = LOGIN_DELAY_MS): Promise<VtyServer> {
    const { host, port } = parseEndpoint(where);
    const server = createServer({ noDelay: true });
    const vty = new VtyServer(router, server, loginDelayMs);
    server.on('connection', (socket) => vty.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    return vty;
  }

  /** The port that is listened on. */
  get port(): number {
    const address = this.server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Writes a log line to every terminal that monitors. */
  monitor(line: string): void {
    for (const t of this.#terminals) t.monitor(line);
  }

  close(): void {
    this.server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #accept(socket: Socket): void {
    const from = parseAddress(socket.remoteAddress ?? '') ?? 0;
    const number = this.#freeLine(from);
    if (number === undefined) {
      socket.destroy(); // as the router: the connection is refused without a word
      return;
    }
    this.#sockets.add(socket);
    const session = new ConsoleSession(this.router, { vty: number, from });
    const stream = new TelnetStream(socket, (rows, columns) => {
      if (session.settings.length !== 0) session.length = rows;
      session.width = columns;
    });
    const terminal = serveTerminal(stream, session, this.loginDelayMs);
    this.#terminals.add(terminal);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      this.#terminals.delete(terminal);
    });
  }

  /** The first line that is free and takes calls from this address. */
  #freeLine(from: number): number | undefined {
    const config = this.router.config();
    const busy = new Set([...usersOf(this.router)].filter((u) => u.line === 'vty').map((u) => u.number));
    const vtys = config.lines.filter((l) => l.kind === 'vty');
    const last = Math.max(DEFAULT_LAST_VTY, ...vtys.map((l) => l.last));
    for (let n = 0; n <= last; n++) {
      const line = vtys.find((l) => l.first <= n && n <= l.last);
      const acl = line?.accessClassIn;
      if (busy.has(n) || (line !== undefined && !takesTelnet(line))) continue;
      if (acl === undefined || mayConnect(config.accessLists.get(acl), from)) return n;
    }
    return undefined;
  }
}

function parseEndpoint(where: string): { host: string; port: number } {
  const [, host = '127.0.0.1', digits = ''] = /^(?:([\d.]+):)?(\d{1,5})$/.exec(where) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535 || parseAddress(host) === undefined)
    throw new Error(`--vty ${where}: give it as ADDRESS:PORT, for example 127.0.0.1:2323`);
  return { host, port };
}
