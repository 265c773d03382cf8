/** `ip tcp intercept` by itself: what it takes for an acknowledgement of its cookie, who goes for whom, and when. */
import { describe, expect, test } from 'vitest';
import type { Event } from '../../src/core/events.js';
import { StateReader, StateWriter } from '../../src/core/memory/state-io.js';
import type { InterceptPolicy } from '../../src/core/policy.js';
import { FLAG, INTERCEPT, type Session } from '../../src/core/session/session.js';
import { SessionTable } from '../../src/core/session/session-table.js';
import * as tcp from '../../src/core/session/tcp-state.js';
import { Intercept } from '../../src/core/tracker/intercept.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { seqAdd } from '../../src/core/wire/seq.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { checksumsOk, dotted, ip, received, sent, tcpPacket, type TcpFields } from '../support/packets.js';
import { routerConfig } from '../support/router-config.js';

const CLIENT = '172.22.1.50';
const SERVER = '10.10.10.2';
const DEFAULTS = compilePolicy(routerConfig()).intercept;
const KEY = Int32Array.of(1, 2, 3, 4);
const SYNWAIT = 30_000;

const decoded = (f: Partial<TcpFields>): Packet => {
  const p = received(tcpPacket({ src: CLIENT, srcPort: 1025, dst: SERVER, dstPort: 25, flags: 'A', ...f }), 0);
  expect([decodeIpv4(p), decodeTransport(p)]).toEqual([PASS, PASS]);
  return p;
};

class World {
  readonly events: Event[] = [];
  readonly injected: Uint8Array[] = [];
  /** What the sessions are asked for, in order. */
  readonly asked: string[] = [];
  readonly table = new SessionTable(256, 7);
  readonly intercept: Intercept;
  now = 1000;
  #next = 1;

  constructor(config: Partial<InterceptPolicy> = {}, key = KEY) {
    const flags = (f: number): string => Array.from('FSRPA').filter((_, i) => (f >> i) & 1).join(''); // prettier-ignore
    this.intercept = new Intercept(
      { ...DEFAULTS, ...config },
      key,
      { event: (e) => this.events.push(e), inject: (b) => this.injected.push(b.slice()), release: () => undefined },
      this.table.cursor(),
      {
        toServer: (s, f, seq, ack, window, mss) =>
          this.asked.push(`to server of ${s.initiator} ${flags(f)} ${seq} ${ack} ${window} ${mss}`),
        toClient: (s, f, seq, ack) => this.asked.push(`to client ${s.initiator} ${flags(f)} ${seq} ${ack}`),
        restart: (s, ms, now) => {
          s.timeoutMs = ms;
          this.asked.push(`restart ${s.initiator} ${ms} at ${now}`);
        },
        end: (s, why) => {
          this.asked.push(`end ${s.initiator} ${why}`);
          this.intercept.incomplete.remove(s);
          this.table.remove(s);
        },
      },
    );
  }

  /** What was asked since the last call. */
  did(): string[] {
    return this.asked.splice(0);
  }

  /** A connection begins: its SYN was let pass, or its acknowledgement has been taken for one. */
  begin(): Session {
    const { intercept, table } = this;
    expect(intercept.admit(decoded({ flags: 'S', seq: 99 }), ip(SERVER), 25, this.now)).toBe(PASS);
    table.create(this.#next++, 1, 2, 25, 6, 0, this.now);
    const s = table.session;
    tcp.noteOpening(s, decoded({ flags: 'S', seq: 99, window: 4000 }));
    intercept.begin(s, SYNWAIT, this.now);
    return s;
  }

  /** The router's answer to a SYN: its ISN. */
  cookie(f: Partial<TcpFields> = {}): number {
    expect(this.intercept.admit(decoded({ flags: 'S', seq: 1000, ...f }), ip(SERVER), 25, this.now)).toBe(
      DROP.intercepted,
    );
    return i32(this.injected.at(-1)!, 24);
  }

  get left(): number[] {
    const all: number[] = [];
    this.table.forEach((s) => all.push(s.initiator));
    return all;
  }
}

describe('a SYN', () => {
  test('is answered in the name of the server as the client knows it, with window 0 and an MSS', () => {
    const w = new World();
    expect(w.intercept.admit(decoded({ flags: 'S', seq: 1000 }), ip('172.22.1.110'), 2525, 1000)).toBe(
      DROP.intercepted,
    );
    const [b] = w.injected as [Uint8Array];
    expect([dotted(i32(b, 12)), u16(b, 20), dotted(i32(b, 16)), u16(b, 22)]).toEqual([
      '172.22.1.110',
      2525,
      CLIENT,
      1025,
    ]);
    expect([b[33], i32(b, 28), u16(b, 34), [...b.subarray(40)], checksumsOk(b)]).toEqual([0x12, 1001, 0, [2, 4, 5, 180], true]); // prettier-ignore
    expect([w.intercept.answered, w.intercept.proven, w.asked]).toEqual([1, 0, []]);
  });

  test.each([
    { name: 'that carries data', f: { flags: 'S', payload: 'x' }, want: DROP.synWithData },
    { name: 'that is none', f: { flags: 'SA' }, want: DROP.noSession },
  ])('$name is answered by nobody', ({ f, want }) => {
    const w = new World();
    expect(w.intercept.admit(decoded(f), ip(SERVER), 25, 1000)).toBe(want);
    expect([w.injected, w.intercept.answered]).toEqual([[], 0]);
  });
});

describe('an acknowledgement of a cookie', () => {
  const ack = (w: World, f: Partial<TcpFields> = {}): Packet =>
    decoded({ flags: 'A', seq: 1001, ack: seqAdd(w.cookie(), 1), window: 29_200, ...f });

  test('becomes the SYN that the cookie had answered', () => {
    const w = new World();
    const p = ack(w, { payload: 'early' });
    expect(w.intercept.takeAcknowledgement(p, w.now)).toBe(true);
    expect([p.flags, p.seq, p.ack, p.window, p.end - p.payload]).toEqual([2, 1000, 0, 29_200, 0]);
    expect([...sent(p).subarray(40)]).toEqual([2, 4, 2, 24]); // RFC 9293 §3.7.1: 536 where the SYN says nothing
    expect([w.intercept.inHand, w.intercept.proven]).toEqual([true, 1]);
  });

  test('may be a probe of the window, which has the number of the SYN', () => {
    const w = new World();
    const p = ack(w, { seq: 1000 });
    expect(w.intercept.takeAcknowledgement(p, w.now)).toBe(true);
    expect(p.seq).toBe(1000);
  });

  test.each<[string, (w: World) => Packet]>([
    ['has another number', (w) => ack(w, { seq: 1002 })],
    ['acknowledges another', (w) => ack(w, { ack: 77 })],
    ['is from another port', (w) => ack(w, { srcPort: 1026 })],
    ['is a RST', (w) => ack(w, { flags: 'RA' })],
    ['is a SYN ACK', (w) => ack(w, { flags: 'SA' })],
    ['acknowledges nothing', (w) => ack(w, { flags: 'F' })],
    ['is a first fragment', (w) => Object.assign(ack(w), { moreFragments: true })],
    ['is a later fragment', (w) => Object.assign(ack(w), { fragmentOffset: 8 })],
    ['is not all here', (w) => Object.assign(ack(w), { truncated: true })],
  ])('is none where it %s, and stays as it is', (_, make) => {
    const w = new World();
    const p = make(w);
    const before = [sent(p), p.flags];
    expect(w.intercept.takeAcknowledgement(p, w.now)).toBe(false);
    expect([[sent(p), p.flags], w.intercept.inHand, w.intercept.proven]).toEqual([before, false, 0]);
  });

  test('that may not go on is reset, as the client counts', () => {
    const w = new World();
    const p = ack(w);
    const cookie = seqAdd(p.ack, -1);
    w.intercept.takeAcknowledgement(p, w.now);
    w.intercept.refuse();
    const b = w.injected.at(-1)!;
    expect([dotted(i32(b, 12)), u16(b, 20), dotted(i32(b, 16)), u16(b, 22)]).toEqual([SERVER, 25, CLIENT, 1025]);
    expect([b[33]! & 4, i32(b, 24), i32(b, 28), w.intercept.inHand]).toEqual([4, seqAdd(cookie, 1), 1001, false]);
  });

  test('opens a connection that the router completes: it is told the cookie, and its SYN goes out again soon', () => {
    const w = new World();
    const p = ack(w);
    const cookie = seqAdd(p.ack, -1);
    w.intercept.takeAcknowledgement(p, w.now);
    const s = w.begin();
    expect([s.has(FLAG.intercepted), s.has(FLAG.watched), s.has(FLAG.incomplete)]).toEqual([true, false, true]);
    expect([s.words[s.at + INTERCEPT.splice], s.words[s.at + INTERCEPT.mss]]).toEqual([cookie, 536]);
    expect([w.did(), w.intercept.inHand]).toEqual([['restart 1 1000 at 1000'], false]);
    expect(w.intercept.requests.count(w.now)).toBe(1);
  });

  test('cookies of another key are of nobody', () => {
    const w = new World();
    const p = ack(w);
    expect(new World({}, Int32Array.of(1, 2, 3, 9)).intercept.takeAcknowledgement(p, w.now)).toBe(false);
  });
});

describe('the time of an incomplete connection', () => {
  const intercepted = (w: World): Session => {
    w.intercept.takeAcknowledgement(decoded({ seq: 1001, ack: seqAdd(w.cookie(), 1) }), w.now);
    const s = w.begin();
    w.did();
    return s;
  };

  test('doubles with each SYN to the server, and ends with synwait-time: then the client is reset', () => {
    const w = new World();
    const s = intercepted(w);
    const waits: number[] = [];
    for (let at = 1000; at < SYNWAIT; at += s.timeoutMs) {
      expect(w.intercept.timedOut(s, SYNWAIT, 1000 + at)).toBe(true);
      const [syn, restart] = w.did();
      expect(syn).toBe('to server of 1 S 99 0 4000 536');
      expect(restart).toBe(`restart 1 ${s.timeoutMs} at ${1000 + at}`);
      waits.push(s.timeoutMs);
    }
    expect(waits).toEqual([2000, 4000, 8000, 15_000]);
    expect(w.intercept.timedOut(s, SYNWAIT, 1000 + SYNWAIT)).toBe(false);
    const cookie = s.words[s.at + INTERCEPT.splice]!;
    expect(w.did()).toEqual([`to client 1 RA ${seqAdd(cookie, 1)} 100`]);
  });

  test('of one that is watched is the watch-timeout, no longer than synwait-time: then the server is reset', () => {
    const w = new World({ mode: 'watch', watchTimeout: 20 });
    const s = w.begin();
    expect([s.has(FLAG.watched), s.has(FLAG.intercepted), w.did()]).toEqual([true, false, ['restart 1 20000 at 1000']]);
    expect(w.intercept.timedOut(s, SYNWAIT, 21_000)).toBe(false);
    expect(w.did()).toEqual(['to server of 1 R 100 0 0 0']);
    const long = new World({ mode: 'watch', watchTimeout: 50 });
    long.begin();
    expect(long.did()).toEqual(['restart 1 30000 at 1000']);
  });

  test('is half as long in aggressive mode', () => {
    const MARKS = { maxIncompleteHigh: 0, maxIncompleteLow: 0 };
    const w = new World({ ...MARKS, mode: 'watch', watchTimeout: 20 });
    w.begin();
    w.begin();
    expect(w.did().at(-1)).toBe('restart 2 10000 at 1000');
    const i = new World(MARKS);
    intercepted(i);
    i.intercept.takeAcknowledgement(decoded({ seq: 1001, ack: seqAdd(i.cookie(), 1) }), i.now);
    i.begin();
    expect(i.did().at(-1)).toBe('restart 2 500 at 1000');
  });
});

describe('aggressive mode', () => {
  const WATCH = { mode: 'watch', maxIncompleteHigh: 3, maxIncompleteLow: 2 } as const;

  test('begins above high, costs the oldest for each new one, and ends below low', () => {
    const w = new World(WATCH);
    for (let n = 0; n < 4; n++) w.begin();
    expect([w.intercept.aggressive, w.left, w.intercept.oldestCreated]).toEqual([false, [1, 2, 3, 4], 1000]);
    w.did();
    w.begin();
    expect(w.events).toEqual([{ type: 'intercept-on', count: 4, limit: 3, rate: 5 }]);
    expect(w.did().slice(0, 2)).toEqual(['to server of 1 R 100 0 0 0', 'end 1 intercept']);
    expect(w.left.sort()).toEqual([2, 3, 4, 5]);
    w.now += 60_000;
    for (const left of [3, 2, 1]) {
      w.intercept.resetOne(0);
      w.intercept.review(w.now);
      expect([w.intercept.incomplete.count, w.intercept.aggressive]).toEqual([left, left >= 2]);
    }
    expect(w.events.at(-1)).toEqual({ type: 'intercept-off', count: 1, limit: 2, rate: 0 });
    w.intercept.resetOne(5);
    w.intercept.resetOne(5);
    expect([w.left, w.intercept.oldestCreated]).toEqual([[], undefined]);
  });

  test('by the requests of a minute, to the one', () => {
    const w = new World({ mode: 'watch', oneMinuteHigh: 3, oneMinuteLow: 2 });
    for (let n = 0; n < 3; n++) w.begin();
    w.now += 30_000;
    w.intercept.review(w.now);
    expect(w.intercept.aggressive).toBe(false);
    w.begin();
    expect(w.events).toEqual([{ type: 'intercept-on', count: 3, limit: 1100, rate: 4 }]);
    w.begin();
    w.now += 31_000; // two are left: not below low
    w.intercept.review(w.now);
    expect(w.intercept.aggressive).toBe(true);
    w.now += 30_000;
    w.intercept.review(w.now);
    expect(w.events.at(-1)).toMatchObject({ type: 'intercept-off', rate: 0 });
    w.intercept.review(w.now);
    expect(w.events).toHaveLength(2);
  });

  test('drop-mode random takes one of the 64 oldest, not always the same', () => {
    const w = new World({ ...WATCH, dropMode: 'random', maxIncompleteHigh: 99 });
    for (let n = 0; n < 100; n++) w.begin();
    w.did();
    const gone: number[] = [];
    for (let n = 0; n < 30; n++) {
      const order = [...w.left].sort((a, b) => a - b);
      w.begin();
      const [, initiator] = /^end (\d+)/m.exec(w.did().join('\n')) ?? [];
      gone.push(order.indexOf(Number(initiator)));
    }
    expect(gone.every((place) => place >= 0 && place < 64)).toBe(true);
    expect(new Set(gone).size).toBeGreaterThan(10);
  });

  test('steps to a younger one as far as there are any', () => {
    const w = new World(WATCH);
    for (let n = 0; n < 3; n++) w.begin();
    w.intercept.resetOne(1);
    expect(w.left).toEqual([1, 3]);
    w.intercept.resetOne(9);
    expect(w.left).toEqual([1]);
  });
});

test('its counts and its mode go on with another process', () => {
  const w = new World({ mode: 'watch', maxIncompleteHigh: 1, maxIncompleteLow: 1 });
  for (let n = 0; n < 3; n++) w.begin();
  w.intercept.answered = 7;
  w.intercept.proven = 5;
  const writer = new StateWriter();
  writer.begin();
  w.intercept.sync(writer);
  const reader = new StateReader();
  reader.begin(writer.bytesOut.slice(0, writer.length), 0, writer.length);
  const heir = new World({ mode: 'watch' });
  heir.intercept.sync(reader);
  const { aggressive, answered, proven, requests } = heir.intercept;
  expect([reader.complete, aggressive, answered, proven, requests.count(w.now)]).toEqual([true, true, 7, 5, 3]);
});
