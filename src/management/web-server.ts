/**
 * HTTP and HTTPS for the sockets that the control plane has opened. Callers are nobody's friends: how many there are, how
 * long they may take and how much they may send has a bound each, and who does not read is cut off.
 */
import { createServer as createHttp, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer as createHttps, type Server as HttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { OpenConnection, Service, WebSettings } from '../ios/management-plane.js';
import type { App } from './site.js';
import type { Channels } from './control-channel.js';
import { LIVE_EVENTS } from './live/routes.js';

export interface Limits {
  /** ms for the head of a request, and for all of it. */
  headMs: number;
  requestMs: number;
  /** ms in which nothing that we send is taken. */
  stuckMs: number;
  /** How often it is looked at that. */
  lookMs: number;
}

const LIMITS: Limits = { headMs: 10_000, requestMs: 30_000, stuckMs: 20_000, lookMs: 500 };
const FAREWELL_MS = 1000;
/** ms that a call waits for one of the places of max-connections, and how many wait. */
const WAIT_MS = 5000;
const MOST_WAITING = 32;
const MOST_HEAD_BYTES = 16 << 10;
const MOST_HEADERS = 64;
/** Reported connections, for `show ip http server connection`. */
const REPORT_EVERY_MS = 1000;

interface Call {
  /** Of the listener. */
  readonly key: string;
  readonly socket: Socket;
  readonly from: string;
  readonly since: number;
  requests: number;
  /** When it is cut off unless a request has come; undefined: one is being answered. */
  due: number | undefined;
  /** Looks at the live page: its request lasts. */
  isViewer: boolean;
  /** What was sent when it was looked at last, and since when that is the same. */
  sent: number;
  sentAt: number;
}

const OFF: WebSettings = { hostname: 'Router', maxConnections: 0, idle: 180, life: 180, requests: 1 };

export class WebServer {
  settings: WebSettings;
  readonly #acceptors = new Map<string, Server>();
  /** By the other end's address and port. */
  readonly #calls = new Map<string, Call>();
  readonly #http: HttpServer;
  #https: { of: string; server: HttpsServer } | undefined;
  /** Those that wait for room, the one that came first first. */
  readonly #waiting = new Set<() => void>();
  #reportedAt = 0;
  #reported = 0;
  readonly #answer: ReturnType<typeof getRequestListener>;
  readonly #timer: NodeJS.Timeout;

  /** @param report told of the open connections */
  constructor(
    private readonly control: Channels,
    app: App,
    private readonly report: (open: OpenConnection[]) => void,
    settings = OFF,
    private readonly limits = LIMITS,
  ) {
    this.settings = settings;
    this.#answer = getRequestListener(app.fetch, { hostname: 'router', overrideGlobalObjects: false });
    this.#http = this.#prepare(createHttp({ maxHeaderSize: MOST_HEAD_BYTES }));
    this.#timer = setInterval(() => this.#look(), limits.lookMs);
  }

  /** Takes over a socket that is bound. */
  listen(key: string, service: Service, socket: Server): void {
    this.unlisten(key);
    // Nothing is read before it is known whether the caller may speak.
    const acceptor = createServer(
      { pauseOnConnect: true, noDelay: true },
      (call) => void this.#accept(key, service, call),
    );
    acceptor.on('error', () => undefined);
    acceptor.listen(socket);
    this.#acceptors.set(key, acceptor);
  }

  /** Nobody calls there any more. Who is there gets what he has asked for, if that is soon. */
  unlisten(key: string): void {
    this.#acceptors.get(key)?.close();
    if (!this.#acceptors.delete(key)) return;
    const there = [...this.#calls.values()].filter((c) => c.key === key);
    setTimeout(() => there.forEach(({ socket }) => socket.destroy()), FAREWELL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    for (const key of [...this.#acceptors.keys()]) this.unlisten(key);
    for (const { socket } of this.#calls.values()) socket.destroy();
  }

  #prepare<S extends HttpServer | HttpsServer>(server: S): S {
    server.maxHeadersCount = MOST_HEADERS;
    server.keepAliveTimeout = 0; // the calls are looked after here
    server.on('request', (request, response) => {
      const call = this.#calls.get(endOf(request.socket));
      if (call !== undefined) this.#serves(call, request);
      // Node's own maxRequestsPerSocket says `close`, and leaves it to the client.
      if (call === undefined || ++call.requests >= this.settings.requests) response.shouldKeepAlive = false;
      response.on('close', () => {
        if (call !== undefined) call.isViewer = false;
        if (call !== undefined) call.due = performance.now() + this.settings.idle * 1000;
      });
      void this.#answer(request, response);
    });
    server.on('clientError', (_error, socket) => {
      const call = this.#calls.get(endOf(socket));
      // Never into the middle of an answer.
      if (socket.writable && call?.due !== undefined)
        socket.end('HTTP/1.1 400 Bad Request\r\nServer: cisco-IOS\r\nConnection: close\r\n\r\n');
      else socket.destroy();
    });
    return server;
  }

  async #accept(listener: string, service: Service, socket: Socket): Promise<void> {
    socket.on('error', () => socket.destroy());
    const from = socket.remoteAddress ?? '';
    if (this.#isFull && !this.#makeRoom(from) && !(await this.#waitForRoom(socket))) {
      socket.destroy();
      return;
    }
    const now = performance.now();
    const call: Call = {
      key: listener,
      socket,
      from,
      since: now,
      requests: 0,
      due: now + this.limits.headMs,
      isViewer: false,
      sent: 0,
      sentAt: now,
    };
    const key = endOf(socket);
    this.#calls.set(key, call);
    socket.on('close', () => {
      if (this.#calls.get(key) === call) this.#calls.delete(key);
      this.#tellWaiting();
    });
    const port = socket.localPort ?? 0;
    const mayCome = await this.control.ask('admit', { service, address: from, port }).catch(() => false);
    if (socket.destroyed) return;
    const server = service === 'https' ? this.#secure() : this.#http;
    if (!mayCome || server === undefined) {
      socket.destroy();
      return;
    }
    server.emit('connection', socket);
    socket.resume();
  }

  /** Who looks at the live page does not count: viewers have a limit of their own. */
  get #isFull(): boolean {
    let counted = 0;
    for (const { isViewer } of this.#calls.values()) if (!isViewer) counted++;
    return counted >= this.settings.maxConnections;
  }

  /** A browser opens six connections at a time, for a moment: one too many waits, and nothing of it is read meanwhile. */
  async #waitForRoom(socket: Socket): Promise<boolean> {
    const until = performance.now() + WAIT_MS;
    while (this.#isFull && !socket.destroyed) {
      const leftMs = until - performance.now();
      if (leftMs <= 0 || this.#waiting.size >= MOST_WAITING) return false;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiting.add(wake);
      });
    }
    return !socket.destroyed;
  }

  /** There is room again, perhaps: the one that has waited longest looks first. */
  #tellWaiting(): void {
    const all = [...this.#waiting];
    for (const wake of all) wake();
  }

  /** The server for the certificate in force; undefined: there is none. */
  #secure(): HttpsServer | undefined {
    const { tls } = this.settings;
    if (tls === undefined) return undefined;
    if (this.#https?.of !== tls.certificate) {
      const { key, certificate: cert } = tls;
      const server = createHttps({
        key,
        cert,
        minVersion: 'TLSv1.2',
        maxHeaderSize: MOST_HEAD_BYTES,
        handshakeTimeout: this.limits.headMs,
      });
      server.on('tlsClientError', (_error, socket) => socket.destroy());
      this.#https = { of: tls.certificate, server: this.#prepare(server) };
    }
    return this.#https.server;
  }

  /**
   * Cuts off a caller of whom no request is being answered, where his address holds at least two connections more in that
   * way than the new one does: who only calls must not keep everybody else out. Inferred: a 3640 refuses the new call.
   */
  #makeRoom(from: string): boolean {
    const waiting = [...this.#calls.values()].filter((c) => c.due !== undefined);
    const held = (address: string): number => waiting.filter((c) => c.from === address).length;
    const [first] = waiting.filter((c) => held(c.from) > held(from) + 1).sort((a, b) => held(b.from) - held(a.from));
    if (first === undefined) return false;
    first.socket.destroy();
    this.#calls.delete(endOf(first.socket));
    return true;
  }

  #serves(call: Call, request: IncomingMessage): void {
    call.due = performance.now() + this.limits.requestMs; // for its body
    call.isViewer = request.url === LIVE_EVENTS;
    if (call.isViewer) this.#tellWaiting();
    const whole = (): void => {
      call.due = undefined;
    };
    const { headers } = request;
    if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') whole();
    else request.once('end', whole);
  }

  #look(): void {
    const now = performance.now();
    const { idle, life } = this.settings;
    for (const call of this.#calls.values()) {
      const { socket } = call;
      if (socket.bytesWritten !== call.sent || socket.writableLength === 0) {
        call.sent = socket.bytesWritten;
        call.sentAt = now;
      }
      const late = call.due !== undefined && now > call.due;
      const stuck = now - call.sentAt > Math.min(this.limits.stuckMs, idle * 1000);
      const old = now - call.since > life * 1000;
      if (late || stuck || old) socket.destroy();
    }
    if (now - this.#reportedAt < REPORT_EVERY_MS || (this.#calls.size === 0 && this.#reported === 0)) return;
    this.#reportedAt = now;
    this.#reported = this.#calls.size;
    this.report([...this.#calls.values()].map(({ socket }) => connection(socket)));
  }
}

/** A TLS socket has the ends of the one below it. */
function endOf(socket: object): string {
  const { remoteAddress = '', remotePort = 0 } = socket as { remoteAddress?: string; remotePort?: number };
  return `${remoteAddress}:${remotePort}`;
}

const connection = (socket: Socket): OpenConnection => ({
  local: `${socket.localAddress ?? ''}:${socket.localPort ?? 0}`,
  remote: endOf(socket),
  inBytes: socket.bytesRead,
  outBytes: socket.bytesWritten,
});
