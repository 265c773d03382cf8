/** Two ends, one outside and one inside of the 3640, and what can be seen of the router between them. */
import type { Event } from '../../src/core/events.js';
import { RouterState } from '../../src/core/state/router-state.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import type { Verdict } from '../../src/core/verdict.js';
import { fragmentOf } from '../fragment/fragments.js';
import { dotted, icmpPacket, tcpPacket, udpPacket } from '../support/packets.js';
import { type Outcome, Router3640 } from '../support/router-3640.js';

export const CLIENT = '172.22.1.10';
export const MAIL = '172.22.1.110';
/** The mail server's inside local address, and that of a host without a static translation. */
export const SERVER = '10.10.10.2';
export const HOST = '10.10.10.7';
export const OUTSIDE = '172.22.1.16';

/** A TCP connection through the router; each end speaks in turn. */
export class Talk {
  private readonly next = { true: 1001, false: 5001 };
  last!: Outcome;

  /** @param inside the inside host, if it is not the mail server; it speaks from its own address */
  constructor(
    readonly r: Router3640,
    readonly fromOutside: boolean,
    readonly port: number,
    readonly srcPort = 4000,
    readonly outside = CLIENT,
    readonly inside = SERVER,
  ) {
    this.send(true, 'S', { seq: 1000, ack: 0 });
    this.send(false, 'SA', { seq: 5000, ack: 1001 });
    this.send(true, 'A');
  }

  /** The same connection through the router that has taken over. */
  with(r: Router3640): Talk {
    const other = Object.create(Talk.prototype) as Talk;
    return Object.assign(other, this, { r });
  }

  /** @param skip bytes that are left out in front of it */
  says(initiator: boolean, payload: string, skip = 0): this {
    this.send(initiator, 'PA', { seq: this.next[`${initiator}`] + skip }, payload);
    if (skip === 0) this.next[`${initiator}`] += payload.length;
    return this;
  }

  /** Both ends send a FIN, and the first acknowledges the other's. */
  ends(): this {
    for (const initiator of [true, false]) {
      this.send(initiator, 'FA');
      this.next[`${initiator}`]++;
    }
    this.send(true, 'A');
    return this;
  }

  send(initiator: boolean, flags: string, at: { seq?: number; ack?: number } = {}, payload = ''): Verdict {
    const { srcPort, port, r } = this;
    const outside = initiator === this.fromOutside;
    const numbers = { seq: this.next[`${initiator}`], ack: this.next[`${!initiator}`], ...at };
    const ports = initiator ? { srcPort, dstPort: port } : { srcPort: port, dstPort: srcPort };
    const ends = outside ? { src: this.outside, dst: MAIL } : { src: this.inside, dst: this.outside };
    const bytes = tcpPacket({ ...ends, ...ports, ...numbers, flags, payload });
    this.last = outside ? r.fromOutside(bytes) : r.fromInside(bytes);
    return this.last.verdict;
  }
}

/** The SYN of client number `n` to the mail server. */
export const syn = (r: Router3640, n: number): Verdict =>
  r.fromOutside(
    tcpPacket({
      src: `172.22.${2 + (n >> 8)}.${n & 255}`,
      srcPort: 1024,
      dst: MAIL,
      dstPort: 25,
      flags: 'S',
      seq: 1000,
      options: [2, 4, 5, 180],
    }),
  ).verdict;

/** The mail server's answer to client number `n`, which makes an end of half-open with the client's ACK. */
export const establish = (r: Router3640, n: number): void => {
  const client = `172.22.${2 + (n >> 8)}.${n & 255}`;
  r.fromInside(tcpPacket({ src: SERVER, srcPort: 25, dst: client, dstPort: 1024, flags: 'SA', seq: 1, ack: 1001 }));
  r.fromOutside(tcpPacket({ src: client, srcPort: 1024, dst: MAIL, dstPort: 25, flags: 'A', seq: 1001, ack: 2 }));
};

export const query = (r: Router3640, srcPort: number, dstPort = 5000, src = SERVER): Outcome =>
  r.fromInside(udpPacket(src, srcPort, CLIENT, dstPort, 'query'));

export const ping = (r: Router3640, src = SERVER): Outcome =>
  r.fromInside(icmpPacket(src, CLIENT, 8, 0, [0, 9, 0, 1, 1, 2]));

export const opening = (r: Router3640, srcPort: number, src = SERVER, dstPort = 443): Outcome =>
  r.fromInside(tcpPacket({ src, srcPort, dst: CLIENT, dstPort, flags: 'S', seq: 100 }));

/** Pieces of a datagram from outside to the mail server, eight bytes each but for the last, which is left out. */
export const pieces = (r: Router3640, identification: number, count: number, src = CLIENT): Verdict[] => {
  const whole = tcpPacket({ src, srcPort: 4000, dst: MAIL, dstPort: 25, flags: 'S', payload: 'x'.repeat(600) });
  whole[4] = identification >> 8;
  whole[5] = identification & 255;
  return Array.from({ length: count }, (_, i) => {
    const from = i === 0 ? 0 : 16 + 8 * i;
    return r.fromOutside(fragmentOf(whole, from, i === 0 ? 24 : from + 8, true), i + 1).verdict;
  });
};

/** Seconds until `there` is false, looked at each `step` of them. */
export function lasts(r: Router3640, there: () => boolean, step = 1): number {
  let seconds = 0;
  while (there() && seconds < 200_000) {
    r.wait(1000 * step);
    seconds += step;
  }
  return seconds;
}

export const sessionLasts = (r: Router3640, step = 1): number => lasts(r, () => r.sessionCount > 0, step);

/** Translations but for those that stand in the configuration. */
export const dynamic = (r: Router3640): number => r.engine.nat.translations.dynamic;

export const translationLasts = (r: Router3640, step = 1): number => lasts(r, () => dynamic(r) > 0, step);

/** The event of this type. */
type Told<T, E = Event> = E extends { type: infer K } ? (T extends K ? E : never) : never;

export const told = <T extends Event['type']>(r: Router3640, type: T): Told<T>[] =>
  r.events.filter((e) => e.type === type) as Told<T>[];

export const state = (r: Router3640): RouterState => new RouterState(r.engine, () => r.now);

export const source = (o: Outcome): string => dotted(i32(o.bytes, 12));
export const destination = (o: Outcome): string => dotted(i32(o.bytes, 16));
export const sourcePort = (o: Outcome): number => u16(o.bytes, 20);
/** What a TCP packet carries. */
export const carried = (o: Outcome): string =>
  Buffer.from(o.bytes.subarray(20 + (o.bytes[32]! >> 4) * 4)).toString('latin1');
