/**
 * Law: as long as the router holds segments behind a gap, their sender hears what the receiver would say: for each of
 * them one duplicate ACK, never of what the receiver has not acknowledged, with SACK blocks for what is held and nothing
 * else, in the sender's numbers. What is released is what was inspected, in order.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seqAdd } from '../../src/core/wire/seq.js';
import { HOLD, isDrop, PASS } from '../../src/core/verdict.js';
import { checksumsOk, dotted, latin1, tcpPacket } from '../support/packets.js';
import { type Outcome, Router3640 } from '../support/router-3640.js';

const CLIENT = { src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort: 25 };
const SERVER = { src: '10.10.10.2', srcPort: 25, dst: '172.22.1.10', dstPort: 4000 };
const GREETING = '220 mail.example ESMTP\r\n';
/** Bytes of a segment of the client. A line is longer, and cut anywhere. */
const SEGMENT = 7;
const TEXT = 'NOOP abcdefghijkl\r\n'.repeat(12);
const SEGMENTS = Math.floor(TEXT.length / SEGMENT);
const WINDOW = 5000;

interface Options {
  sack: boolean;
  stamps: boolean;
}

interface Heard {
  seq: number;
  ack: number;
  window: number;
  stamp?: number;
  echo?: number;
  blocks: [number, number][];
}

const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];

/** Reads a bare ACK of the router's own. */
function heardOf(packet: Uint8Array): Heard {
  expect(checksumsOk(packet)).toBe(true);
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  expect([dotted(view.getInt32(12)), dotted(view.getInt32(16))]).toEqual([CLIENT.dst, CLIENT.src]);
  expect([view.getUint16(20), view.getUint16(22), packet[33]]).toEqual([25, 4000, 0x10]);
  const end = 20 + (packet[32]! >> 4) * 4;
  expect(packet.length).toBe(end);
  const heard: Heard = { seq: view.getInt32(24), ack: view.getInt32(28), window: view.getUint16(34), blocks: [] };
  for (let at = 40; at < end; at += packet[at] === 1 ? 1 : packet[at + 1]!) {
    if (packet[at] === 8) {
      heard.stamp = view.getInt32(at + 2);
      heard.echo = view.getInt32(at + 6);
    }
    if (packet[at] === 5)
      for (let b = at + 2; b < at + packet[at + 1]!; b += 8)
        heard.blocks.push([view.getInt32(b), view.getInt32(b + 4)]);
  }
  return heard;
}

class Talk {
  readonly r: Router3640;
  /** Segments that the server has in order, and has acknowledged. */
  received = 0;
  acked = 0;
  /** Segments that are held. */
  readonly held = new Set<number>();
  /** Behind the gap and not answered. */
  waiting = 0;
  clientClock = 100;
  serverClock = 9000;
  /** TSval of the client that the server has echoed last, and its own of then. */
  echoed = 100;
  said = 9000;
  /** What the server gets, in the order in which it does. */
  through = '';
  #stamp = 0;
  #heard = 0;
  #token = 0;
  /** Packets as they came, by token: what is released unchanged goes on so. */
  readonly #whole = new Map<number, Uint8Array>();

  constructor(
    readonly o: Options,
    readonly first: number,
    lines = '',
  ) {
    this.r = new Router3640(`ip inspect tcp reassembly timeout 60\n${lines}`);
    const offer = [
      ...(o.sack ? [4, 2, 1, 1] : []),
      ...(o.stamps ? [1, 1, 8, 10, ...word(this.clientClock), ...word(0)] : []),
    ];
    const answer = [
      ...(o.sack ? [4, 2, 1, 1] : []),
      ...(o.stamps ? [1, 1, 8, 10, ...word(this.serverClock), ...word(this.clientClock)] : []),
    ];
    this.r.fromOutside(tcpPacket({ ...CLIENT, flags: 'S', seq: first - 1, options: offer }));
    this.r.fromInside(
      tcpPacket({ ...SERVER, flags: 'SA', seq: first - 1, ack: first, window: WINDOW, options: answer }),
    );
    this.#client('A', first, '', 0);
    this.#server('PA', GREETING);
    this.#client('A', first, '');
    this.#heard = this.r.injected.length;
  }

  /** The client sends segment `n`. @returns what its sender hears of it at once */
  send(n: number): Heard[] {
    this.r.now += 1;
    this.clientClock += 2;
    const before = this.received;
    const releasedBefore = this.r.released.length;
    const text = TEXT.slice(n * SEGMENT, (n + 1) * SEGMENT);
    const { verdict: v, bytes } = this.#client('PA', seqAdd(this.first, n * SEGMENT), text);
    const released = this.r.released.slice(releasedBefore);
    if (v === PASS && n === before) this.#goesOn(bytes);
    for (const s of released) {
      expect(s.verdict).toBe(PASS);
      this.#goesOn(s.bytes ?? this.#whole.get(s.token)!);
    }
    if (v === PASS) {
      if (n === this.received) this.received++;
      while (this.held.delete(this.received)) this.received++;
    } else {
      expect(n).toBeGreaterThan(before);
      if (v === HOLD) this.held.add(n);
      else expect(isDrop(v)).toBe(true);
      this.waiting++;
    }
    if (this.held.size === 0 && v === PASS) this.waiting = 0;
    return this.heard();
  }

  /** The server acknowledges what it has. @returns what the client hears of the router for it */
  acknowledge(): Heard[] {
    this.r.now += 1;
    this.acked = this.received;
    this.echoed = this.clientClock;
    this.serverClock += 3;
    this.said = this.serverClock;
    expect(this.#server('A', '')).toBe(PASS);
    return this.heard();
  }

  /** New answers. Each is a copy of the server's last acknowledgement. */
  heard(): Heard[] {
    const fresh = this.r.injected.slice(this.#heard).map(heardOf);
    this.#heard = this.r.injected.length;
    for (const h of fresh) {
      expect(h.ack).toBe(seqAdd(this.first, this.acked * SEGMENT));
      expect(h.seq).toBe(seqAdd(this.first, GREETING.length));
      expect(h.window).toBe(WINDOW);
      expect([h.stamp, h.echo]).toEqual(this.o.stamps ? [this.said, this.echoed] : [undefined, undefined]);
      if (!this.o.sack) expect(h.blocks).toEqual([]);
      const runs = this.runs();
      // Each block is one of the runs of segments that are held.
      for (const block of h.blocks) expect(runs).toContainEqual(block);
      const most = Math.min(runs.length, this.o.stamps ? 3 : 4);
      if (this.o.sack) expect(new Set(h.blocks.map(String)).size).toBe(most);
    }
    this.waiting -= fresh.length;
    expect(this.waiting).toBeGreaterThanOrEqual(0);
    return fresh;
  }

  /** What is held, as the client numbers it. */
  runs(): [number, number][] {
    const runs: [number, number][] = [];
    for (const n of [...this.held].sort((a, b) => a - b)) {
      const start = seqAdd(this.first, n * SEGMENT);
      const last = runs.at(-1);
      if (last !== undefined && last[1] === start) last[1] = seqAdd(start, SEGMENT);
      else runs.push([start, seqAdd(start, SEGMENT)]);
    }
    return runs;
  }

  /** A segment goes on to the server, which would drop it if its timestamp was older than that of the one before. */
  #goesOn(packet: Uint8Array): void {
    const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
    this.through += Buffer.from(packet.subarray(20 + (packet[32]! >> 4) * 4)).toString('latin1');
    if (!this.o.stamps) return;
    expect(view.getInt32(44)).toBeGreaterThanOrEqual(this.#stamp);
    this.#stamp = view.getInt32(44);
  }

  #client(flags: string, seq: number, payload: string, acknowledged = GREETING.length): Outcome {
    const stamps = this.o.stamps ? [1, 1, 8, 10, ...word(this.clientClock), ...word(this.said)] : [];
    const ack = seqAdd(this.first, acknowledged);
    const packet = tcpPacket({ ...CLIENT, flags, seq, ack, options: stamps, payload: latin1(payload) });
    const token = ++this.#token;
    this.#whole.set(token, packet);
    return this.r.fromOutside(packet, token);
  }

  #server(flags: string, payload: string): number {
    const options = this.o.stamps ? [1, 1, 8, 10, ...word(this.serverClock), ...word(this.echoed)] : [];
    const seq = seqAdd(this.first, payload === '' ? GREETING.length : 0);
    const ack = seqAdd(this.first, this.received * SEGMENT);
    return this.r.fromInside(
      tcpPacket({ ...SERVER, flags, seq, ack, options, window: WINDOW, payload: latin1(payload) }),
    ).verdict;
  }
}

const OPTIONS = fc.record({ sack: fc.boolean(), stamps: fc.boolean() });
const FIRST = fc.oneof(
  fc.integer(),
  fc.integer({ min: -100, max: 0 }),
  fc.integer({ min: 0x7fffff90, max: 0x7fffffff }),
);
const NUMBER = fc.nat(SEGMENTS - 1);

test('a receiver that acknowledges at once: one answer for each segment behind the gap, about that one first', () => {
  fc.assert(
    fc.property(fc.array(NUMBER, { maxLength: 80 }), OPTIONS, FIRST, (numbers, o, first) => {
      const talk = new Talk(o, first);
      for (const n of numbers) {
        const { received } = talk;
        const heard = talk.send(n);
        expect(heard.length).toBe(n > received ? 1 : 0);
        const [block] = heard[0]?.blocks ?? [];
        const at = seqAdd(first, n * SEGMENT);
        if (block !== undefined) expect([(at - block[0]) | 0, (block[1] - at) | 0].every((d) => d >= 0)).toBe(true);
        if (talk.received > received) expect(talk.acknowledge()).toEqual([]);
      }
      expect(talk.through).toBe(TEXT.slice(0, talk.received * SEGMENT));
    }),
    { numRuns: 400 },
  );
});

test('one that acknowledges when it likes: none is left out once it has, none is of what it has not', () => {
  const step = fc.option(NUMBER, { freq: 4 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), OPTIONS, FIRST, (steps, o, first) => {
      const talk = new Talk(o, first);
      for (const n of steps) {
        if (n !== null) {
          talk.send(n);
          continue;
        }
        talk.acknowledge();
        expect(talk.waiting).toBe(0);
      }
      expect(talk.through).toBe(TEXT.slice(0, talk.received * SEGMENT));
    }),
    { numRuns: 400 },
  );
});

test('what is dropped for want of room is answered, too, and in no block; what is held stays', () => {
  const lines = 'ip inspect tcp reassembly queue length 4';
  fc.assert(
    fc.property(fc.array(NUMBER, { maxLength: 80 }), OPTIONS, FIRST, (numbers, o, first) => {
      const talk = new Talk(o, first, lines);
      for (const n of numbers) {
        const { received } = talk;
        expect(talk.send(n).length).toBe(n > received ? 1 : 0);
        expect(talk.held.size).toBeLessThanOrEqual(4);
        if (talk.received > received) talk.acknowledge();
      }
      expect(talk.r.engine.sessions.memory.evicted).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('before the receiver has said anything but its SYN, its timestamp is the one that the sender echoes', () => {
  const r = new Router3640();
  const stamps = (stamp: number, echo: number): number[] => [1, 1, 8, 10, ...word(stamp), ...word(echo)];
  r.fromOutside(tcpPacket({ ...CLIENT, flags: 'S', seq: 99, options: stamps(500, 0) }));
  r.fromInside(tcpPacket({ ...SERVER, flags: 'SA', seq: 299, ack: 100, options: stamps(7000, 500) }));
  r.fromOutside(tcpPacket({ ...CLIENT, flags: 'A', seq: 100, ack: 300, options: stamps(501, 7000) }));
  const early = { ...CLIENT, flags: 'PA', seq: 107, ack: 300, payload: 'lient.example\r\n' };
  expect(r.fromOutside(tcpPacket({ ...early, options: stamps(503, 7000) })).verdict).toBe(HOLD);
  expect(r.injected.map(heardOf)).toEqual([{ seq: 300, ack: 100, window: 65535, stamp: 7000, echo: 501, blocks: [] }]);
});

test('who is outside the window, or of no session, hears nothing and has nobody else hear', () => {
  const talk = new Talk({ sack: true, stamps: false }, 1000);
  const before = talk.r.injected.length;
  for (const seq of [1000 + WINDOW + 2, 1000 - 70_000, 1 << 30])
    talk.r.fromOutside(tcpPacket({ ...CLIENT, flags: 'PA', seq, ack: 1000 + GREETING.length, payload: 'NOOP\r\n' }));
  talk.r.fromOutside(tcpPacket({ ...CLIENT, flags: 'PA', seq: 1050, ack: 1 << 29, payload: 'NOOP\r\n' }));
  talk.r.fromOutside(tcpPacket({ ...CLIENT, srcPort: 4001, flags: 'PA', seq: 1050, ack: 1000, payload: 'NOOP\r\n' }));
  expect(talk.r.injected.length).toBe(before);
});
