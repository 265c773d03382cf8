/** `fw3640 run --vty ADDRESS:PORT`: the terminal lines (`line vty`) of the configuration, by telnet. Off unless asked for. */
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { mayConnect, takesTelnet } from '../ios/exec/access-class.js';
import { loginWatch } from '../ios/exec/login-watch.js';
import type { ConsoleRouter } from '../ios/exec/router.js';
import { ConsoleSession } from '../ios/exec/session.js';
import { usersOf } from '../ios/exec/terminal-users.js';
import { formatAddress, parseAddress } from '../ios/ipv4-text.js';
import { serveTerminal } from './terminal.js';
import type { OpenTerminal } from './terminal.js';
import { TelnetStream } from './telnet.js';

const LOGIN_DELAY_SECONDS = 1; // after a wrong password, unless `login delay` says more
const DEFAULT_LAST_VTY = 4; // `line vty 0 4` is there without being configured

/** A caller on a terminal line. */
interface Call {
  session: ConsoleSession;
  socket: Socket;
  from: number;
}

export class VtyServer {
  readonly #terminals = new Set<OpenTerminal>();
  /** In the order they came. */
  readonly #calls = new Set<Call>();
  #quiet: NodeJS.Timeout | undefined; // `login block-for`: to its end

  private constructor(
    private readonly router: ConsoleRouter,
    private readonly server: Server,
    private readonly loginDelayMs: number | undefined,
  ) {}

  /**
   * Listens for telnet. Lines, passwords and access classes are those of the configuration at the time of each call.
   * @param where `ADDRESS:PORT` or `PORT` alone, which is the loopback's
   * @throws Error where the address is none, or cannot be listened on
   */
  static async listen(where: string, router: ConsoleRouter, loginDelayMs?: number): Promise<VtyServer> {
    const { host, port } = parseEndpoint(where);
    const server = createServer({ noDelay: true });
    const vty = new VtyServer(router, server, loginDelayMs);
    server.on('connection', (socket) => vty.#accept(socket));
    const watch = loginWatch(router);
    watch.onQuiet = (ms) => {
      clearTimeout(vty.#quiet);
      vty.#quiet = setTimeout(() => watch.review(), ms).unref();
    };
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
    clearTimeout(this.#quiet);
    this.server.close();
    for (const { socket } of this.#calls) socket.destroy();
  }

  #accept(socket: Socket): void {
    const from = parseAddress(socket.remoteAddress ?? '') ?? 0;
    const lines = this.#linesFor(from);
    const number = this.#free(lines) ?? this.#freeForAnother(lines, from);
    if (number === undefined) {
      socket.destroy(); // as the router: the connection is refused without a word
      return;
    }
    const session = new ConsoleSession(this.router, { vty: number, from });
    const stream = new TelnetStream(socket, (rows, columns) => {
      if (session.settings.length !== 0) session.length = rows;
      session.width = columns;
    });
    const call: Call = { session, socket, from };
    this.#calls.add(call);
    const delayMs = this.loginDelayMs ?? (this.router.config().login.delay ?? LOGIN_DELAY_SECONDS) * 1000;
    const terminal = serveTerminal(stream, session, delayMs);
    this.#terminals.add(terminal);
    socket.on('close', () => {
      this.#calls.delete(call);
      this.#terminals.delete(terminal);
    });
  }

  /** Numbers of the lines that take calls from this address. */
  #linesFor(from: number): number[] {
    if (loginWatch(this.router).blocks(formatAddress(from))) return [];
    const config = this.router.config();
    const vtys = config.lines.filter((l) => l.kind === 'vty');
    const last = Math.max(DEFAULT_LAST_VTY, ...vtys.map((l) => l.last));
    return Array.from({ length: last + 1 }, (_, n) => n).filter((n) => {
      const line = vtys.find((l) => l.first <= n && n <= l.last);
      const acl = line?.accessClassIn;
      if (line !== undefined && !takesTelnet(line)) return false;
      return acl === undefined || mayConnect(config.accessLists.get(acl), from);
    });
  }

  #free(lines: readonly number[]): number | undefined {
    const busy = new Set([...usersOf(this.router)].filter((u) => u.line === 'vty').map((u) => u.number));
    return lines.find((n) => !busy.has(n));
  }

  /**
   * Hangs up on a caller who has not logged in, where his address holds at least two lines more in that way than the
   * new one does: who only calls must not keep everybody else out. Inferred: a 3640 refuses the new call.
   */
  #freeForAnother(lines: readonly number[], from: number): number | undefined {
    const waiting = [...this.#calls].filter((c) => !c.session.loggedIn && !c.session.isClosed());
    const held = (address: number): number => waiting.filter((c) => c.from === address).length;
    const candidates = waiting.filter((c) => lines.includes(c.session.number) && held(c.from) > held(from) + 1);
    const [first] = candidates.sort((a, b) => held(b.from) - held(a.from));
    if (first === undefined) return undefined;
    first.session.close();
    first.socket.destroy();
    return first.session.number;
  }
}

/** @param option of the command line, for the message. @throws Error where it is neither ADDRESS:PORT nor PORT */
export function parseEndpoint(where: string, option = '--vty'): { host: string; port: number } {
  const [, host = '127.0.0.1', digits = ''] = /^(?:([\d.]+):)?(\d{1,5})$/.exec(where) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535 || parseAddress(host) === undefined)
    throw new Error(`${option} ${where}: give it as ADDRESS:PORT, for example 127.0.0.1:2323`);
  return { host, port };
}
