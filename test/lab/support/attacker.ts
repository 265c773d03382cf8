/**
 * An attacker on the outside segment: many TCP clients made of packets, each of its own address and port. What a client
 * sends, in which order and how often, is its own affair; no kernel answers for it.
 */
import { ip, dotted, latin1, tcpPacket } from '../../support/packets.js';
import { put16, u16 } from '../../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../../src/core/wire/checksum.js';
import type { Lab } from './lab.js';
import { frameOf, ipv4In, macBytes, macOf, Wire } from './wire.js';

const MAC = '02:00:00:00:00:66';
const FIRST_HOST = 130;
const HOSTS = 120;
const PORTS = 500;
/** The address from which nobody speaks TCP. */
const FIRST_PORT = 20_000;

/** What becomes of a segment: 'dies here' at the router's own kernel, 'dies behind' at the server's, unread. */
export type Fate = 'arrives' | 'dies here' | 'dies behind' | 'bad sum' | 'signed' | 'old';

/** TTL with which a packet that the router forwards is still too low for the server's host (`dropLowTtl`). */
const TTL: Readonly<Partial<Record<Fate, number>>> = { 'dies here': 1, 'dies behind': 2 };

export interface Sent {
  flags?: string;
  seq?: number;
  ack?: number;
  payload?: string;
  fate?: Fate;
  options?: readonly number[];
  window?: number;
  id?: number;
}

/** The hop behind the router, as a rule in the server's host: what would die there dies before TCP sees it. */
export function dropLowTtl(lab: Lab): void {
  lab.run('inside', 'iptables', ['-t', 'raw', '-A', 'PREROUTING', '-m', 'ttl', '--ttl-lt', '2', '-j', 'DROP']);
}

export class Attacker {
  #wire!: Wire;
  readonly #clients = new Map<string, Client>();
  readonly #routerMac: string;
  #next = 0;

  private constructor(lab: Lab) {
    this.#routerMac = macOf(lab, 'router', 'outside');
  }

  static async start(lab: Lab): Promise<Attacker> {
    const attacker = new Attacker(lab);
    const filter = 'inbound and (arp or (tcp and dst net 172.22.1.128/25))';
    attacker.#wire = await Wire.tap(lab, 'outside', 'eth0', filter, (frame) => attacker.#receive(frame));
    attacker.#wire.frames.length = 0;
    return attacker;
  }

  /** A client of its own address and port; it has sent nothing yet. */
  client(server: string, random: () => number): Client {
    const n = this.#next++;
    const address = `172.22.1.${FIRST_HOST + (n % HOSTS)}`;
    const port = FIRST_PORT + (Math.floor(n / HOSTS) % PORTS) * 7 + (n % 7);
    const client = new Client(this, address, port, server, random);
    this.#clients.set(`${address}:${port}`, client);
    return client;
  }

  forget(c: Client): void {
    this.#clients.delete(`${c.address}:${c.port}`);
  }

  inject(packet: Uint8Array): void {
    this.#wire.inject(frameOf(packet, this.#routerMac, MAC));
  }

  close(): Promise<void> {
    return this.#wire.close();
  }

  #receive(frame: Uint8Array): void {
    this.#wire.frames.length = 0;
    if (u16(frame, 12) === 0x0806) this.#answerArp(frame);
    const packet = ipv4In(frame);
    if (packet?.[9] !== 6) return;
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    const port = view.getUint16((packet[0]! & 15) * 4 + 2);
    this.#clients.get(`${dotted(view.getInt32(16))}:${port}`)?.take(packet, view);
  }

  #answerArp(frame: Uint8Array): void {
    const asked = dotted(new DataView(frame.buffer, frame.byteOffset).getInt32(38));
    const host = Number(asked.split('.')[3]);
    if (frame[21] !== 1 || !asked.startsWith('172.22.1.') || host < FIRST_HOST || host >= FIRST_HOST + HOSTS) return;
    const reply = Uint8Array.from(frame);
    reply.set(frame.subarray(6, 12), 0);
    reply.set(macBytes(MAC), 6);
    reply[21] = 2;
    reply.set(frame.subarray(22, 32), 32);
    reply.set(macBytes(MAC), 22);
    new DataView(reply.buffer).setInt32(28, ip(asked));
    this.#wire.inject(reply);
  }
}

const delay = (ms: number): Promise<void> => new Promise((done) => void setTimeout(done, ms));

export class Client {
  /** Sequence number of the next new byte. */
  nxt: number;
  iss: number;
  rcvNxt = 0;
  /** Highest acknowledgement, and what the server has sent in order. */
  acked: number;
  text = '';
  window = 65_535;
  /** The server's SYN ACK has come; a RST or FIN of it. */
  opened = false;
  closed = false;
  /** Keys of MPTCP, as it is spoken: the server's. */
  serverKey: Uint8Array | undefined = undefined;
  /** Value of the timestamp option that is sent; undefined: not offered. */
  stamp: number | undefined = undefined;
  #peerStamp = 0;
  /** Acknowledges at once, as kernels do. Off where the attack says when. */
  prompt = true;
  /** What was done, to be read by a person. */
  readonly trail: string[] = [];
  #heard = 0;

  constructor(
    readonly attacker: Attacker,
    readonly address: string,
    readonly port: number,
    readonly server: string,
    random: () => number,
  ) {
    this.iss = Math.floor(random() * 2 ** 32) | 0;
    this.nxt = this.iss;
    this.acked = this.iss;
  }

  segment(s: Sent): Uint8Array {
    const { flags = 'PA', fate = 'arrives', payload = '', window = this.window } = s;
    const syn = flags.includes('S');
    const value = fate === 'old' ? (this.stamp ?? 0) - 100_000 : (this.stamp ?? 0);
    const stamps = [1, 1, 8, 10, ...word(value), ...word(syn ? 0 : this.#peerStamp)];
    const signature = [1, 1, 19, 18, ...new Array<number>(16).fill(7)];
    const packet = tcpPacket({
      src: this.address,
      srcPort: this.port,
      dst: this.server,
      dstPort: 25,
      flags,
      seq: s.seq ?? this.nxt,
      ack: flags.includes('A') ? (s.ack ?? this.rcvNxt) : 0,
      window,
      options: [
        ...(this.stamp === undefined ? [] : stamps),
        ...(fate === 'signed' ? signature : []),
        ...(s.options ?? []),
      ],
      payload: latin1(payload),
    });
    packet[8] = TTL[fate] ?? 64;
    put16(packet, 4, s.id ?? (this.#id = (this.#id + 1) & 0xffff));
    if (fate === 'bad sum') put16(packet, 36, u16(packet, 36) ^ 0x1357);
    writeIpv4Checksum(packet, 0, 20);
    return packet;
  }
  #id = 0;

  /** Sends a segment; the next new byte lies behind it, if it reaches so far. */
  send(s: Sent): void {
    const seq = s.seq ?? this.nxt;
    const payload = s.payload ?? '';
    const at = (seq - this.iss) | 0;
    const shown = payload.length > 60 ? `${payload.slice(0, 40)}… ${payload.length}` : payload;
    const more = [s.fate ?? '', s.window === undefined ? '' : `win ${s.window}`, s.ack === undefined ? '' : 'ack']
      .concat(s.options === undefined ? [] : [`options ${s.options.join(' ')}`])
      .filter((word) => word !== '')
      .join(', ');
    this.note(`> ${s.flags ?? 'PA'} ${at} ${JSON.stringify(shown)}${more === '' ? '' : ` (${more})`}`);
    this.attacker.inject(this.segment(s));
    const end = (seq + payload.length + (/[SF]/.test(s.flags ?? '') ? 1 : 0)) | 0;
    if (((end - this.nxt) | 0) > 0) this.nxt = end;
  }

  note(line: string): void {
    if (this.trail.length < 400) this.trail.push(line);
  }

  /** Sends a packet as it is. */
  inject(packet: Uint8Array, what: string): void {
    this.note(`> ${what}`);
    this.attacker.inject(packet);
  }

  /** Waits until nothing has come for `quietMs`, but no longer than `mostMs`. */
  async settle(quietMs = 6, mostMs = 150): Promise<void> {
    const begin = performance.now();
    const heard = this.#heard;
    // Something is to come first: what is sent takes its way.
    while (this.#heard === heard && performance.now() - begin < mostMs / 3) await delay(2);
    while (performance.now() - this.#heard < quietMs && performance.now() - begin < mostMs) await delay(2);
  }

  /** Waits for a condition, in vain after `mostMs`. */
  async until(probe: () => boolean, mostMs: number): Promise<boolean> {
    const begin = performance.now();
    while (!probe()) {
      if (performance.now() - begin > mostMs) return false;
      await delay(2);
    }
    return true;
  }

  /**
   * @param options  of the SYN
   * @param answered of the ACK that follows
   * @returns whether the server has answered the SYN
   */
  async open(options: readonly number[] = [], answered: () => readonly number[] = () => []): Promise<boolean> {
    this.send({ flags: 'S', options });
    if (!(await this.until(() => this.opened, 10_000))) return false;
    this.send({ flags: 'A', options: answered() });
    return true;
  }

  /** A packet for this client. */
  take(packet: Uint8Array, view: DataView): void {
    const at = (packet[0]! & 15) * 4;
    const flags = packet[at + 13]!;
    const seq = view.getInt32(at + 4);
    const ack = view.getInt32(at + 8);
    const header = (packet[at + 12]! >> 4) * 4;
    this.#heard = performance.now();
    this.#takeOptions(packet.subarray(at + 20, at + header), (flags & 2) !== 0);
    const text = Buffer.from(packet.subarray(at + header)).toString('latin1');
    const names = ['F', 'S', 'R', 'P', 'A'].filter((_, i) => (flags & (1 << i)) !== 0).join('');
    this.note(`< ${names} ack ${(ack - this.iss) | 0} ${JSON.stringify(text.slice(0, 70))}`);
    if ((flags & 4) !== 0) this.closed = true;
    if ((flags & 16) !== 0 && ((ack - this.acked) | 0) > 0) this.acked = ack;
    if ((flags & 2) !== 0) {
      this.opened = true;
      this.rcvNxt = (seq + 1) | 0;
      return;
    }
    const known = (this.rcvNxt - seq) | 0;
    const fresh = text.length > 0 && known >= 0 && known < text.length;
    if (fresh) {
      this.text += text.slice(known);
      this.rcvNxt = (seq + text.length) | 0;
    }
    if ((flags & 1) !== 0 && ((seq + text.length) | 0) === this.rcvNxt) {
      this.rcvNxt = (this.rcvNxt + 1) | 0;
      this.closed = true;
    }
    if (this.prompt && (text.length > 0 || (flags & 1) !== 0)) this.attacker.inject(this.segment({ flags: 'A' }));
  }

  #takeOptions(options: Uint8Array, syn: boolean): void {
    for (let i = 0; i < options.length;) {
      const kind = options[i]!;
      if (kind === 0) return;
      const length = kind === 1 ? 1 : options[i + 1]!;
      if (length < 1) return;
      if (kind === 8) this.#peerStamp = new DataView(options.buffer, options.byteOffset).getInt32(i + 2);
      if (kind === 30 && syn && length >= 12) this.serverKey = options.slice(i + 4, i + 12);
      i += length;
    }
  }
}

const word = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
