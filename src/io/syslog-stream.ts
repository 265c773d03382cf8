/**
 * One syslog server over TCP (RFC 6587 §3.4.1: octet counting) or TLS (RFC 5425). Nothing waits for it: what it does not
 * take stays in memory up to a limit, and beyond it is lost, and counted. It is tried again and again, less and less
 * often. What was on its way when a connection ended goes out again on the next one: a message may be there twice then,
 * and what the other end's kernel had taken may be missing; syslog has no acknowledgements.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SyslogServer } from '../ios/config/model.js';
import { formatAddress } from '../ios/ipv4-text.js';

/** Bytes that wait for one server. */
const MAX_WAITING = 1 << 20;
/** Bytes that are given to the system at a time. */
const MOST_AT_ONCE = 1 << 16;
const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 60_000;
/** ms until a connection that does not come about, or a server that takes nothing, is given up. */
const PATIENCE_MS = 20_000;

export interface StreamEvents {
  /** Messages were lost. */
  lost: (messages: number) => void;
  /** Messages were taken. */
  took: () => void;
  /** It has begun to answer; or it does not, for a reason that was not said before. */
  up: () => void;
  down: (why: string) => void;
}

export class SyslogStream {
  #socket: Socket | undefined;
  #connected = false;
  #closed = false;
  /** Frames that wait, and those that are on their way; their bytes. */
  #waiting: Buffer[] = [];
  #sending: Buffer[] = [];
  #bytes = 0;
  #waitMs = FIRST_WAIT_MS;
  #timer: NodeJS.Timeout | undefined;
  #said = '';
  #whenEmpty: (() => void) | undefined;

  /** @param ca certificates of authorities, PEM, for TLS; undefined: those that Node knows */
  constructor(
    readonly server: SyslogServer,
    private readonly ca: string | undefined,
    private readonly events: StreamEvents,
  ) {
    this.#connect();
  }

  /** Queues one message of RFC 5424. */
  send(message: string): void {
    const frame = Buffer.from(`${Buffer.byteLength(message)} ${message}`);
    if (this.#closed || this.#bytes + frame.length > MAX_WAITING) {
      this.events.lost(1);
      return;
    }
    this.#bytes += frame.length;
    this.#waiting.push(frame);
    this.#flush();
  }

  /** Waits until all is on its way, at most `ms`, and closes. */
  async end(ms: number): Promise<void> {
    if (this.#bytes > 0 && this.#connected) {
      await new Promise<void>((resolve) => {
        setTimeout(resolve, ms);
        this.#whenEmpty = resolve;
      });
    }
    this.close();
  }

  /** What waits is lost. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#timer);
    const waiting = this.#waiting.length + this.#sending.length;
    if (waiting > 0) this.events.lost(waiting);
    this.#socket?.end();
    this.#socket?.unref();
  }

  #connect(): void {
    const { transport, port } = this.server;
    const host = formatAddress(this.server.address);
    const options = { host, port };
    let why = '';
    const socket =
      transport === 'tls'
        ? connectTls({ ...options, ...(this.ca !== undefined && { ca: this.ca }), minVersion: 'TLSv1.2' })
        : connectTcp(options);
    this.#socket = socket;
    socket.unref(); // logging keeps no process alive
    socket.setTimeout(PATIENCE_MS, () => {
      // A server has nothing to say: silence is a fault only where something is to be taken.
      if (!this.#connected || this.#sending.length > 0) socket.destroy(new Error('no answer in time'));
    });
    socket.on('data', () => undefined); // whatever it says
    socket.on('error', (error: NodeJS.ErrnoException) => (why = error.code ?? error.message));
    socket.on(transport === 'tls' ? 'secureConnect' : 'connect', () => {
      if (this.#closed) return;
      this.#connected = true;
      this.#flush();
    });
    socket.on('close', () => this.#ended(why === '' ? 'it closed the connection' : why));
  }

  #ended(why: string): void {
    this.#connected = false;
    if (this.#closed) return;
    // Order is kept, and nothing of it is known to have come.
    this.#waiting = [...this.#sending, ...this.#waiting];
    this.#sending = [];
    if (this.#said !== why) this.events.down(why);
    this.#said = why;
    this.#timer = setTimeout(() => this.#connect(), this.#waitMs);
    this.#timer.unref();
    this.#waitMs = Math.min(2 * this.#waitMs, MOST_WAIT_MS);
  }

  #flush(): void {
    const socket = this.#socket;
    if (!this.#connected || socket === undefined || this.#sending.length > 0 || this.#waiting.length === 0) return;
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && bytes < MOST_AT_ONCE; count++)
      bytes += this.#waiting[count]!.length;
    this.#sending = this.#waiting.splice(0, count);
    const chunk = Buffer.concat(this.#sending);
    socket.write(chunk, (error) => {
      // Where there was an error the connection ends, and what was on its way waits again.
      if ((error !== null && error !== undefined) || socket !== this.#socket || !this.#connected) return;
      this.#sending = [];
      this.#bytes -= chunk.length;
      this.#waitMs = FIRST_WAIT_MS;
      if (this.#said !== '') this.events.up();
      this.#said = '';
      this.events.took();
      if (this.#waiting.length > 0) this.#flush();
      else this.#whenEmpty?.();
    });
  }
}
