/**
 * The host of the mail server behind the router, as its kernel sees packets: fragment cache (RFC 791 §3.2), listener and
 * connections (RFC 9293 §3.10.7, RFC 5961, RFC 7323 PAWS), MPTCP where it is on (RFC 8684, its data sequence mappings
 * alone). Slow and obvious. It drops what Linux drops, and no more: an attacker chooses with it what is lost.
 */
import { i32, put16, u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk, dotted, latin1, tcpPacket } from '../support/packets.js';
import { MailApplication, type MailHabits } from './mail-application.js';

export const TCP_OPTION = { md5: 19, mptcp: 30, timestamp: 8 } as const;

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const WINDOW = 65_535;

const diff = (a: number, b: number): number => (a - b) | 0;

interface SegmentIn {
  from: string;
  seq: number;
  ack: number;
  flags: number;
  window: number;
  options: Map<number, Uint8Array>;
  data: string;
}

interface Connection {
  key: string;
  port: number;
  from: string;
  application: MailApplication;
  opened: boolean;
  iss: number;
  rcvNxt: number;
  /** What was acknowledged last: Linux delays acknowledgements. */
  lastAck: number;
  sndUna: number;
  sndNxt: number;
  sndWnd: number;
  sending: string;
  /** Out of order: first come, first kept. */
  pending: Map<number, string>;
  tsRecent: number | undefined;
  multipath: boolean;
  /** By data sequence number, which begins with 0. */
  mapped: Map<number, string>;
  dataNxt: number;
}

export class MailHost {
  /** Lines that any connection has executed. */
  readonly executed: string[] = [];
  readonly sent: Uint8Array[] = [];
  /** ISN of the next connection: Linux's clock comes round in 274.9 s, and an attacker can wait. */
  nextIss = 5000;
  connection: Connection | undefined = undefined;
  readonly #fragments = new Map<string, Uint8Array[]>();

  constructor(
    readonly address: string,
    readonly habits: MailHabits,
    readonly multipath: boolean,
  ) {}

  /** Takes an IPv4 packet from its wire. */
  receive(packet: Uint8Array): void {
    if (dotted(i32(packet, 16)) !== this.address) return;
    if ((u16(packet, 6) & 0x3fff) === 0) this.#deliver(packet);
    else this.#join(packet);
  }

  /** The delayed acknowledgement is due. */
  acknowledge(): void {
    const c = this.connection;
    if (c?.opened === true && c.lastAck !== c.rcvNxt) this.#emit(c, ACK, c.sndNxt, '');
  }

  /** Sends again what was not acknowledged, as far as the window goes, or one byte of it. */
  retransmit(): void {
    const c = this.connection;
    if (c === undefined) return;
    if (!c.opened) this.#emit(c, SYN | ACK, c.iss, '');
    else if (c.sending !== '') {
      c.sndNxt = c.sndUna;
      this.#transmit(c);
    }
  }

  #join(packet: Uint8Array): void {
    const key = [i32(packet, 12), packet[9], u16(packet, 4)].join();
    const parts = [...(this.#fragments.get(key) ?? []), packet.slice()].sort((a, b) => offsetOf(a) - offsetOf(b));
    this.#fragments.set(key, parts);
    let end = 0;
    for (const part of parts) {
      if (offsetOf(part) < end) {
        this.#fragments.delete(key); // Linux drops the datagram with the first overlap
        return;
      }
      if (offsetOf(part) > end) return;
      end += part.length - 20;
    }
    if ((u16(parts.at(-1)!, 6) & 0x2000) !== 0) return;
    this.#fragments.delete(key);
    const whole = Uint8Array.from([...parts[0]!, ...parts.slice(1).flatMap((part) => [...part.subarray(20)])]);
    put16(whole, 2, whole.length);
    put16(whole, 6, 0);
    put16(whole, 10, 0);
    this.#deliver(whole, true);
  }

  #deliver(packet: Uint8Array, joined = false): void {
    const copy = packet.slice();
    if (joined) fixHeader(copy);
    if (packet[9] !== 6 || !checksumsOk(copy)) return;
    const s = segmentIn(copy);
    // RFC 2385 §3: where no key is configured, a segment with a signature is dropped.
    if (s === undefined || s.options.has(TCP_OPTION.md5)) return;
    const c = this.connection;
    if (c?.key === s.from) this.#arrives(c, s);
    else if ((s.flags & RST) === 0) this.#listen(s);
  }

  #listen(s: SegmentIn): void {
    if ((s.flags & ACK) !== 0) {
      this.#send(s.from, RST, s.ack, 0, '');
      return;
    }
    if ((s.flags & (SYN | FIN)) !== SYN) return;
    const iss = this.nextIss;
    const ts = s.options.get(TCP_OPTION.timestamp);
    const connection: Connection = {
      key: s.from,
      from: s.from.split(':')[0]!,
      port: Number(s.from.split(':')[1]),
      application: new MailApplication(this.habits),
      opened: false,
      iss,
      rcvNxt: (s.seq + 1) | 0,
      lastAck: (s.seq + 1) | 0,
      sndUna: iss,
      sndNxt: (iss + 1) | 0,
      sndWnd: s.window,
      sending: '',
      pending: new Map(),
      tsRecent: ts === undefined ? undefined : i32(ts, 0),
      multipath: this.multipath && s.options.has(TCP_OPTION.mptcp),
      mapped: new Map(),
      dataNxt: 0,
    };
    this.connection = connection;
    this.#emit(connection, SYN | ACK, iss, '');
  }

  #arrives(c: Connection, s: SegmentIn): void {
    if (c.tsRecent !== undefined && (s.flags & RST) === 0) {
      const ts = s.options.get(TCP_OPTION.timestamp);
      if (ts === undefined) return; // Linux takes it; RFC 7323 §3.2 drops it. What is worse for us is asked by `old`.
      if (diff(i32(ts, 0), c.tsRecent) < 0) {
        this.#emit(c, ACK, c.sndNxt, '');
        return;
      }
      if (diff(s.seq, c.lastAck) <= 0) c.tsRecent = i32(ts, 0);
    }
    if (!c.opened && (s.flags & SYN) !== 0) {
      this.#emit(c, SYN | ACK, c.iss, '');
      return;
    }
    const length = s.data.length + (s.flags & FIN);
    const acceptable = diff(s.seq + length, c.rcvNxt) >= 0 && diff(s.seq, c.rcvNxt) <= WINDOW;
    if (!acceptable) {
      if ((s.flags & RST) === 0) this.#emit(c, ACK, c.sndNxt, '');
      return;
    }
    if ((s.flags & RST) !== 0) {
      if (s.seq === c.rcvNxt) this.connection = undefined;
      else this.#emit(c, ACK, c.sndNxt, '');
      return;
    }
    if ((s.flags & SYN) !== 0) {
      this.#emit(c, ACK, c.sndNxt, '');
      return;
    }
    if ((s.flags & ACK) === 0) return;
    if (!c.opened) {
      if (s.ack !== ((c.iss + 1) | 0)) {
        this.#send(s.from, RST, s.ack, 0, '');
        return;
      }
      c.opened = true;
      c.sndUna = s.ack;
      c.sending = c.application.greeting;
    }
    if (diff(s.ack, c.sndNxt) > 0) return;
    if (diff(s.ack, c.sndUna) > 0) {
      c.sending = c.sending.slice(diff(s.ack, c.sndUna));
      c.sndUna = s.ack;
    }
    c.sndWnd = s.window;
    this.#takeData(c, s);
    this.#transmit(c);
  }

  #takeData(c: Connection, s: SegmentIn): void {
    for (let i = 0; i < s.data.length; i++) {
      const at = (s.seq + i) | 0;
      if (diff(at, c.rcvNxt) < 0 || c.pending.has(at)) continue;
      c.pending.set(at, s.data[i]!);
    }
    const mapping = s.options.get(TCP_OPTION.mptcp);
    let text = '';
    for (let next = c.pending.get(c.rcvNxt); next !== undefined; next = c.pending.get(c.rcvNxt)) {
      c.pending.delete(c.rcvNxt);
      c.rcvNxt = (c.rcvNxt + 1) | 0;
      text += next;
    }
    if (c.multipath && mapping !== undefined && text === s.data) {
      // DSS with a data sequence number of four octets, behind subtype and flags (RFC 8684 §3.3).
      const at = i32(mapping, 2);
      for (let i = 0; i < text.length; i++) c.mapped.set(at + i, text[i]!);
      text = '';
      for (let next = c.mapped.get(c.dataNxt); next !== undefined; next = c.mapped.get(c.dataNxt)) {
        c.dataNxt++;
        text += next;
      }
    } else c.dataNxt += text.length;
    const before = c.application.executed.length;
    c.sending += c.application.receive(text);
    this.executed.push(...c.application.executed.slice(before));
  }

  /** Sends what the window lets out. */
  #transmit(c: Connection): void {
    const inFlight = diff(c.sndNxt, c.sndUna);
    const room = Math.max(c.sndWnd - inFlight, 0);
    const text = c.sending.slice(inFlight, inFlight + Math.min(room, 1400));
    if (text !== '') this.#emit(c, ACK, c.sndNxt, text);
  }

  #emit(c: Connection, flags: number, seq: number, text: string): void {
    c.lastAck = c.rcvNxt;
    this.#send(c.key, flags, seq, c.rcvNxt, text, c.tsRecent, c.multipath);
    if ((flags & SYN) === 0) c.sndNxt = (seq + text.length) | 0;
  }

  #send(to: string, flags: number, seq: number, ack: number, text: string, ts?: number, multipath = false): void {
    const [dst, port] = to.split(':') as [string, string];
    const options = [
      ...(ts === undefined ? [] : [1, 1, 8, 10, 0, 0, 0, 1, ts >>> 24, (ts >> 16) & 255, (ts >> 8) & 255, ts & 255]),
      ...(multipath && (flags & SYN) !== 0 ? [30, 12, 1, 1, 1, 2, 3, 4, 5, 6, 7, 8] : []),
    ];
    const letters = [flags & SYN ? 'S' : '', flags & RST ? 'R' : '', flags & ACK ? 'A' : ''].join('');
    const fields = { src: this.address, srcPort: 25, dst, dstPort: Number(port), flags: letters, seq, ack, options };
    this.sent.push(tcpPacket({ ...fields, payload: latin1(text) }));
  }
}

const offsetOf = (fragment: Uint8Array): number => (u16(fragment, 6) & 0x1fff) * 8;

function fixHeader(b: Uint8Array): void {
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += u16(b, i);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  put16(b, 10, ~sum & 0xffff);
}

function segmentIn(packet: Uint8Array): SegmentIn | undefined {
  const header = (packet[32]! >> 4) * 4;
  if (header < 20 || 20 + header > packet.length || u16(packet, 22) !== 25) return undefined;
  const options = new Map<number, Uint8Array>();
  for (let i = 40; i < 20 + header;) {
    const kind = packet[i]!;
    if (kind === 0) break;
    const length = kind === 1 ? 1 : packet[i + 1]!;
    if (kind !== 1 && (length < 2 || i + length > 20 + header)) break;
    if (kind !== 1) options.set(kind, packet.subarray(i + 2, i + length));
    i += length;
  }
  return {
    from: `${dotted(i32(packet, 12))}:${u16(packet, 20)}`,
    seq: i32(packet, 24),
    ack: i32(packet, 28),
    flags: packet[33]!,
    window: u16(packet, 34),
    options,
    data: Buffer.from(packet.subarray(20 + header)).toString('latin1'),
  };
}
