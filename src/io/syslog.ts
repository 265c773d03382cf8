/**
 * `logging host`: messages to syslog servers. As UDP datagrams, in the form of IOS (RFC 3164's priority, then the count of
 * messages and the text with its time stamp); over TCP and TLS by RFC 5424. Nothing waits for the network, and what cannot be sent is counted: what the
 * system refuses, and what is too much at a time.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { LoggingConfig, SyslogServer } from '../ios/config/model.js';
import { formatAddress } from '../ios/ipv4-text.js';
import { Tally } from '../core/limit/tally.js';
import type { Message } from '../ios/messages.js';
import { SyslogStream } from './syslog-stream.js';

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

  /** Those of `#servers` that are told by TCP or TLS. */
  #streams: SyslogStream[] = [];
  #servers: readonly SyslogServer[] = [];
  /** Told that a server of TCP or TLS does not answer, or does again. */
  say: (m: Message) => void = () => undefined;

  /**
   * @param port UDP port of the servers; 514 but in tests
   * @param ca   PEM, for TLS; undefined: the authorities that Node knows
   */
  constructor(
    private readonly port = PORT,
    private readonly ca?: string,
  ) {}

  /**
   * Sends a message to every configured server, where its severity is within `logging trap`.
   * @param severity 0..7; `line` the message with its time stamp
   * @param event    the message without; `hostname` of the router
   */
  send(
    severity: number,
    line: string,
    logging: LoggingConfig,
    event: Pick<Message, 'mnemonic' | 'text'> = { mnemonic: '', text: line },
    hostname = '-',
  ): void {
    const { on, trap, hosts, servers, facility } = logging;
    if (servers !== this.#servers) this.#use(servers);
    if (!on || trap === undefined || severity > trap || hosts.length + servers.length === 0) return;
    this.sent++;
    const priority = (FACILITIES[facility] ?? FACILITIES['local7']!) * 8 + severity;
    const datagram = Buffer.from(`<${priority}>${this.sent}: ${line}`);
    for (const host of hosts) {
      if (this.#waiting + datagram.length > MAX_WAITING) this.#lose(1);
      else this.#post(datagram, formatAddress(host));
    }
    for (const { address, transport, port } of servers) {
      if (transport !== 'udp') continue;
      if (this.#waiting + datagram.length > MAX_WAITING) this.#lose(1);
      else this.#post(datagram, formatAddress(address), port);
    }
    if (this.#streams.length === 0) return;
    const message = structured(priority, new Date(), hostname, this.sent, event);
    for (const stream of this.#streams) stream.send(message);
  }

  close(): void {
    this.#closeSocket();
    for (const stream of this.#streams) stream.close();
    this.#streams = [];
    this.#servers = [];
  }

  #closeSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#pending = 0;
    this.#waiting = 0;
    socket?.close();
  }

  /** Before the process ends: has what waits sent, as far as the servers take it in a moment. */
  async end(ms: number): Promise<void> {
    await Promise.all(this.#streams.map((stream) => stream.end(ms)));
  }

  #use(servers: readonly SyslogServer[]): void {
    this.#servers = servers;
    const wanted = servers.filter((s) => s.transport !== 'udp');
    const key = ({ address, transport, port }: SyslogServer): string => `${transport} ${address} ${port}`;
    const before = new Map(this.#streams.map((stream) => [key(stream.server), stream]));
    this.#streams = wanted.map((server) => before.get(key(server)) ?? this.#stream(server));
    for (const [, stream] of before) if (!this.#streams.includes(stream)) stream.close();
  }

  #stream(server: SyslogServer): SyslogStream {
    const where = `Logging to host ${formatAddress(server.address)} port ${server.port}`;
    return new SyslogStream(server, this.ca, {
      lost: (messages) => this.#lose(messages),
      took: () => (this.works = true),
      up: () =>
        this.say({ severity: 6, mnemonic: '%SYS-6-LOGGINGHOST_STARTSTOP', text: `${where} started`, fields: {} }),
      // The mnemonic is that of IOS; why stands behind its text.
      down: (why) =>
        this.say({
          severity: 3,
          mnemonic: '%SYS-3-LOGGINGHOST_FAIL',
          text: `${where} failed: ${why}`,
          fields: { why },
        }),
    });
  }

  #post(datagram: Buffer, host: string, port = this.port): void {
    const socket = (this.#socket ??= this.#open());
    this.#pending++;
    this.#waiting += datagram.length;
    socket.send(datagram, port, host, (error) => {
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
      this.#closeSocket();
    });
    socket.unref(); // logging keeps no process alive
    return socket;
  }
}

/** `FW-4-SMTP_INVALID_COMMAND`; what RFC 5424 allows there, and no more. */
const messageId = (mnemonic: string): string => mnemonic.replace(/[^!-~]|%/g, '').slice(0, 32) || '-';

/** A message of RFC 5424 §6. Its number is the one of §7.3.1. */
function structured(
  priority: number,
  now: Date,
  hostname: string,
  number: number,
  { mnemonic, text }: Pick<Message, 'mnemonic' | 'text'>,
): string {
  const host = hostname.replace(/[^!-~]/g, '') || '-';
  const words = mnemonic === '' ? text : `${mnemonic}: ${text}`;
  const data = `[meta sequenceId="${((number - 1) % 2_147_483_647) + 1}"]`;
  return `<${priority}>1 ${now.toISOString()} ${host} fw3640 - ${messageId(mnemonic)} ${data} ${words}`;
}
