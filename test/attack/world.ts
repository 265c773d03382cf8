/**
 * An attacker outside, the router, a hop behind it, and a host with a mail server: whole packets through the real engine.
 * The attacker knows all (what the server has read, which numbers it will choose) and decides what is lost behind us.
 */
import type { Outbox } from '../../src/core/outbox.js';
import { Engine } from '../../src/core/engine.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import type { Event } from '../../src/core/events.js';
import type { RouterConfig } from '../../src/ios/config/model.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import { isDrop, PASS, type Verdict } from '../../src/core/verdict.js';
import { i32, put16, u16 } from '../../src/core/wire/bytes.js';
import { completePartial, writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { dotted, received, sent, tcpPacket } from '../support/packets.js';
import { LeftMemory } from '../support/left-memory.js';
import { CONFIG_TEXT } from '../support/router-3640.js';
import type { MemorySource } from '../../src/core/memory/flat-memory.js';
import type { Packet } from '../../src/core/wire/packet.js';
import type { MailHabits } from './mail-application.js';
import { MailHost } from './mail-host.js';

export const ATTACKER = '172.22.1.25';
export const MAIL_GLOBAL = '172.22.1.110';
export const MAIL_LOCAL = '10.10.10.2';
const PORT = 40_000;

/** What becomes of a segment behind the inspection. */
export const FATES = ['arrives', 'dies here', 'dies behind', 'bad sum', 'signed', 'old'] as const;
export type Fate = (typeof FATES)[number];

export type Rule = 'smtp' | 'esmtp' | 'esmtp allow BDAT,STARTTLS';
/** The words behind `allow` of the last rule. */
export const ALLOWED = ['BDAT', 'STARTTLS'];
export const RULES: readonly Rule[] = ['smtp', 'esmtp', 'esmtp allow BDAT,STARTTLS'];

export interface SegmentOut {
  flags?: string;
  seq?: number;
  ack?: number;
  payload?: string;
  fate?: Fate;
  options?: number[];
  window?: number;
  id?: number;
}

export class World {
  readonly host: MailHost;
  readonly config: RouterConfig;
  readonly capacity = 256;
  readonly cookieKey = Int32Array.of(7, 8, 9, 10);
  engine: Engine;
  /** The data plane dies before each packet, and another one goes on in its place. */
  diesAlways = false;
  /** Is asked about each packet before it comes, and told what became of it then. */
  rehearse: ((memory: MemorySource, bytes: Uint8Array, ingress: number) => (p: Packet, v: Verdict) => void) | undefined;
  readonly events: Event[] = [];
  now = 1000;
  /** Sequence number of the attacker's next new byte, and the first. */
  nxt = 100_000;
  iss = 100_000;
  /** What the attacker has received in order. */
  rcvNxt = 0;
  text = '';
  window = 65_535;
  /** The attacker's clock of timestamps; undefined: not offered. */
  timestamp: number | undefined = undefined;
  #outside: number;
  #inside: number;
  readonly #spliced: boolean;
  /** Number of the last SYN ACK that came. */
  #answered = 0;
  #token = 0;
  readonly #held = new Map<number, Uint8Array>();
  readonly #start: () => Engine;
  /** What outlives the data plane. */
  readonly #memory = new LeftMemory();
  /** Packets that have left the router in this burst, towards the inside. */
  #leaving: Uint8Array[] = [];

  /**
   * @param intercept `ip tcp intercept` for all connections: the router answers SYNs, and both ends count differently
   * @param more      lines of configuration
   */
  constructor(rule: Rule, habits: MailHabits, multipath = false, intercept = false, more = '') {
    const config = configOf(rule, intercept, more);
    this.config = config;
    const policy = compilePolicy(config);
    this.#outside = config.interfaces.findIndex((i) => i.nat === 'outside');
    this.#spliced = intercept;
    this.#inside = config.interfaces.findIndex((i) => i.nat === 'inside');
    this.host = new MailHost(MAIL_LOCAL, habits, multipath);
    const outbox: Outbox = {
      event: (e) => this.events.push(e),
      inject: (packet) => this.#leave(packet.slice()),
      release: (token, v, bytes, partial) => this.#released(token, v, bytes, partial),
    };
    this.#start = () =>
      new Engine(
        policy,
        {
          capacity: this.capacity,
          seed: 7,
          now: this.now,
          memory: this.#memory.source,
          cookieKey: this.cookieKey,
        },
        outbox,
      );
    this.engine = this.#start();
  }

  /** The data plane dies between two packets: what the kernel has queued for it is lost. Another one takes over. */
  die(): void {
    this.#held.clear();
    this.engine = this.#start();
    for (const out of this.#leaving.splice(0)) this.#travel(out);
  }

  /** Bytes that outlive the data plane, by name of their table. */
  get memories(): ReadonlyMap<string, ArrayBuffer> {
    return this.#memory.buffers;
  }

  /** Handshake, as far as the greeting. */
  open(options: number[] = []): void {
    this.send({ flags: 'S', options });
    this.send({ flags: 'A' });
    this.send({ flags: 'A' });
  }

  /** A sequence number of the server's, as the attacker has to count: the router may have answered his SYN itself. */
  seen(seq: number): number {
    const c = this.host.connection;
    return this.#spliced && c !== undefined ? (seq - c.iss + this.#answered) | 0 : seq;
  }

  /** A segment of the attacker, built and not sent. */
  segment(s: SegmentOut): Uint8Array {
    const { flags = 'PA', payload = '', fate = 'arrives', options = [], window = this.window } = s;
    const stamp = fate === 'old' ? -1_000_000 : (this.timestamp ?? 0);
    const stamps =
      this.timestamp === undefined
        ? []
        : [1, 1, 8, 10, stamp >>> 24, (stamp >> 16) & 255, (stamp >> 8) & 255, stamp & 255, 0, 0, 0, 0];
    const signature = fate === 'signed' ? [1, 1, 19, 18, ...Array.from({ length: 16 }, (_, i) => i)] : [];
    const packet = tcpPacket({
      src: ATTACKER,
      srcPort: PORT,
      dst: MAIL_GLOBAL,
      dstPort: 25,
      flags,
      seq: s.seq ?? this.nxt,
      ack: flags.includes('A') ? (s.ack ?? this.rcvNxt) : 0,
      options: [...stamps, ...signature, ...options],
      payload,
      window,
    });
    if (fate === 'dies here') packet[8] = 1;
    if (fate === 'dies behind') packet[8] = 2;
    if (s.id !== undefined) put16(packet, 4, s.id);
    if (fate === 'bad sum') put16(packet, 36, u16(packet, 36) ^ 0x5555);
    writeIpv4Checksum(packet, 0, 20);
    return packet;
  }

  /** Sends a segment; the attacker's next new byte lies behind it. @returns the verdict on it */
  send(s: SegmentOut): Verdict {
    const seq = s.seq ?? this.nxt;
    const end = (seq + (s.payload?.length ?? 0) + (/[SF]/.test(s.flags ?? '') ? 1 : 0)) | 0;
    const [v] = this.burst([this.segment(s)]);
    if (((end - this.nxt) | 0) > 0) this.nxt = end;
    return v!;
  }

  /**
   * Packets that come in by the outside interface in one batch.
   * @param order of what leaves the router, as numbers that are sorted by: the network behind us keeps none
   */
  burst(packets: readonly Uint8Array[], order: readonly number[] = []): Verdict[] {
    const verdicts = packets.map((packet) => this.#handle(packet, this.#outside));
    const leaving = this.#leaving;
    this.#leaving = [];
    if (order.length > 0) {
      const rank = leaving.map((_, i) => order[i % order.length]!);
      const sorted = leaving.map((_, i) => i).sort((a, b) => rank[a]! - rank[b]! || a - b);
      for (const i of sorted) this.#travel(leaving[i]!);
    } else for (const packet of leaving) this.#travel(packet);
    this.pump();
    return verdicts;
  }

  /** Lets the server speak until it has no more to say. */
  pump(): void {
    for (let packet = this.host.sent.shift(); packet !== undefined; packet = this.host.sent.shift()) {
      this.#handle(packet, this.#inside);
      for (const out of this.#leaving.splice(0)) this.#travel(out);
    }
  }

  wait(ms: number): void {
    this.now += ms;
    this.engine.tick(this.now);
    for (const out of this.#leaving.splice(0)) this.#travel(out);
    this.pump();
  }

  #handle(bytes: Uint8Array, ingress: number): Verdict {
    this.engine.tick(this.now);
    if (this.diesAlways) this.die();
    const rehearsed = this.rehearse?.(this.#memory.copy(), bytes, ingress);
    const token = ++this.#token;
    const p = received(bytes, ingress, token);
    this.#held.set(token, bytes);
    const at = this.#leaving.length;
    const v = this.engine.handle(p, this.now);
    rehearsed?.(p, v);
    if (v === PASS || isDrop(v)) this.#held.delete(token);
    // A fragment's siblings go before it, a segment before those that waited for it: see `order` for the rest.
    if (v === PASS) this.#leaving.splice(at, 0, sent(p));
    return v;
  }

  #released(token: number, v: Verdict, bytes: Uint8Array | undefined, partial: boolean): void {
    const came = this.#held.get(token);
    this.#held.delete(token);
    if (came === undefined) throw new Error('released twice, or never held');
    if (v !== PASS) return;
    const out = (bytes ?? came).slice();
    if (partial) completePartial(out, 20, out.length, 16);
    this.#leave(out);
  }

  #leave(packet: Uint8Array): void {
    this.#leaving.push(packet);
  }

  /** From the router on: its own kernel, the hop behind it, the host; or back to the attacker. */
  #travel(packet: Uint8Array): void {
    if (dotted(i32(packet, 16)) !== ATTACKER) {
      if (packet[8]! > 2) this.host.receive(packet);
      return;
    }
    if (packet[9] !== 6) return;
    const flags = packet[33]!;
    const seq = i32(packet, 24);
    if ((flags & 2) !== 0) {
      this.#answered = seq;
      this.rcvNxt = (seq + 1) | 0;
    }
    const data = Buffer.from(packet.subarray(20 + (packet[32]! >> 4) * 4)).toString('latin1');
    const known = (this.rcvNxt - seq) | 0;
    if ((flags & 6) !== 0 || known < 0 || known >= data.length) return;
    this.text += data.slice(known);
    this.rcvNxt = (seq + data.length) | 0;
  }
}

const configs = new Map<string, RouterConfig>();

/** 3640.cfg with that rule, parsed once. */
function configOf(rule: Rule, intercept: boolean, more: string): RouterConfig {
  const key = `${rule}, ${intercept}, ${more}`;
  const known = configs.get(key);
  if (known !== undefined) return known;
  const text = CONFIG_TEXT.replace('ip inspect name OUT-IN smtp', `ip inspect name OUT-IN ${rule}`).replace(
    /\nend\n/,
    `\n${more}\n${intercept ? 'ip tcp intercept list 150\naccess-list 150 permit tcp any any\n' : ''}end\n`,
  );
  const { config, errors } = parseConfig(text, '3640.cfg');
  if (errors.length > 0) throw new Error(errors.map(String).join('\n'));
  configs.set(key, config);
  return config;
}
