/**
 * `logging host`: messages as UDP datagrams to syslog servers, in the form of IOS (RFC 3164's priority, then the count of
 * messages and the text with its time stamp). Nothing waits for the network, and what cannot be sent is counted: what the
 * system refuses, and what is too much at a time.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { LoggingConfig } from '../ios/config/model.js';
import { formatAddress } from '../ios/ipv4-text.js';
import { Tally } from '../core/limit/tally.js';

const PORT = 514;

/** Bytes that wait to be sent. */
const MAX_WAITING = 1 << 20;

/** Facility codes of RFC 3164 §4.1.1 by their IOS names. */
const FACILITIES: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};

export class Syslog {
  #socket: Socket | undefined;
  /** Messages sent, which also number them. */
  sent = 0;
  /** Datagrams that were not sent. */
  readonly lost = new Tally();
  /** The last datagram of which we know went out. */
  works = true;
  /** Datagrams with the system, and their bytes. */
  #pending = 0;
  #waiting = 0;

  /** @param port UDP port of the servers; 514 but in tests */
  constructor(private readonly port = PORT) {}

  /**
   * Sends a message to every configured server, where its severity is within `logging trap`.
   * @param severity 0..7; `line` the message with its time stamp
   */
  send(severity: number, line: string, logging: LoggingConfig): void {
    const { on, trap, hosts, facility } = logging;
    if (!on || trap === undefined || severity > trap || hosts.length === 0) return;
    this.sent++;
    const priority = (FACILITIES[facility] ?? FACILITIES['local7']!) * 8 + severity;
    const datagram = Buffer.from(`<${priority}>${this.sent}: ${line}`);
    for (const host of hosts) {
      if (this.#waiting + datagram.length > MAX_WAITING) this.#lose(1);
      else this.#post(datagram, formatAddress(host));
    }
  }

  close(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#pending = 0;
    this.#waiting = 0;
    socket?.close();
  }

  #post(datagram: Buffer, host: string): void {
    const socket = (this.#socket ??= this.#open());
    this.#pending++;
    this.#waiting += datagram.length;
    socket.send(datagram, this.port, host, (error) => {
      if (socket !== this.#socket) return; // counted when it was given up
      this.#pending--;
      this.#waiting -= datagram.length;
      if (error === null) this.works = true;
      else this.#lose(1);
    });
  }

  #lose(datagrams: number): void {
    this.works = false;
    this.lost.note(performance.now(), datagrams);
  }

  #open(): Socket {
    const socket = createSocket('udp4');
    // No descriptor is free (EMFILE): what waits for this socket is lost, and the next message tries another one.
    socket.on('error', () => {
      if (socket !== this.#socket) return;
      this.#lose(Math.max(this.#pending, 1));
      this.close();
    });
    socket.unref(); // logging keeps no process alive
    return socket;
  }
}
