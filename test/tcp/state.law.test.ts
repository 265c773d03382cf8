/**
 * The TCP tracker through the engine: whatever an honest connection's network does, no segment of it is dropped; and a
 * stranger who does not know the numbers gets nothing through, nor ends the connection.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tcpPacket, type TcpFields } from '../support/packets.js';
import { isDrop, type Verdict } from '../../src/core/verdict.js';
import { PASS, Router3640 } from '../support/router-3640.js';

const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';
const PEER = '172.22.1.10';
const WINDOW = 20_000;

interface End {
  isn: number;
  /** Offsets in its stream: sent, acknowledged by the other, received from the other. */
  sent: number;
  acked: number;
  received: number;
  shift: number;
}

class Connection {
  readonly r = new Router3640();
  readonly host: End;
  readonly peer: End;
  /** Forwarded segments that the network may still bring, or bring again. */
  readonly toPeer: { at: number; length: number; ack: number }[] = [];
  readonly toHost: { at: number; length: number; ack: number }[] = [];

  constructor(isnHost: number, isnPeer: number, shiftHost: number, shiftPeer: number) {
    this.host = { isn: isnHost, sent: 0, acked: 0, received: 0, shift: shiftHost };
    this.peer = { isn: isnPeer, sent: 0, acked: 0, received: 0, shift: shiftPeer };
    const scale = (s: number): number[] => [3, 3, s, 1];
    expect(this.raw(true, { flags: 'S', seq: isnHost, window: WINDOW, options: scale(shiftHost) })).toBe(PASS);
    const answer = { flags: 'SA', seq: isnPeer, ack: isnHost + 1, window: WINDOW, options: scale(shiftPeer) };
    expect(this.raw(false, answer)).toBe(PASS);
    expect(this.segment(true, 0, 0)).toBe(PASS);
  }

  raw(fromHost: boolean, more: Partial<TcpFields> & { flags: string }): Verdict {
    const ports = fromHost ? { srcPort: 4000, dstPort: 443 } : { srcPort: 443, dstPort: 4000 };
    return fromHost
      ? this.r.fromInside(tcpPacket({ src: HOST, dst: PEER, ...ports, ...more })).verdict
      : this.r.fromOutside(tcpPacket({ src: PEER, dst: HOST_GLOBAL, ...ports, ...more })).verdict;
  }

  /** Bytes at..at+length of an end's stream, with its acknowledgement as of now or of then. */
  segment(fromHost: boolean, at: number, length: number, ack?: number): Verdict {
    const [from, to] = fromHost ? [this.host, this.peer] : [this.peer, this.host];
    const acknowledged = ack ?? from.received;
    const v = this.raw(fromHost, {
      flags: 'A',
      seq: (from.isn + 1 + at) | 0,
      ack: (to.isn + 1 + acknowledged) | 0,
      window: WINDOW >>> from.shift,
      payload: new Uint8Array(length),
    });
    from.sent = Math.max(from.sent, at + length);
    if (!isDrop(v)) (fromHost ? this.toPeer : this.toHost).push({ at, length, ack: acknowledged });
    return v;
  }

  deliver(toPeer: boolean, which: number): void {
    const list = toPeer ? this.toPeer : this.toHost;
    const s = list[which % Math.max(list.length, 1)];
    if (s === undefined) return;
    const [to, from] = toPeer ? [this.peer, this.host] : [this.host, this.peer];
    if (s.at <= to.received) to.received = Math.max(to.received, s.at + s.length);
    to.acked = Math.max(to.acked, s.ack);
    expect(from.sent).toBeGreaterThanOrEqual(to.received);
  }
}

type Step =
  | { do: 'send'; fromHost: boolean; length: number; skip: number }
  | { do: 'again'; fromHost: boolean; at: number; length: number }
  | { do: 'deliver'; toPeer: boolean; which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('send' as const),
    fromHost: fc.boolean(),
    length: fc.integer({ min: 0, max: 1460 }),
    skip: fc.constantFrom(0, 0, 0, 700),
  }),
  fc.record({
    do: fc.constant('again' as const),
    fromHost: fc.boolean(),
    at: fc.nat(),
    length: fc.integer({ min: 0, max: 1460 }),
  }),
  fc.record({ do: fc.constant('deliver' as const), toPeer: fc.boolean(), which: fc.nat(50) }),
);
const isn = fc.oneof(
  fc.integer(),
  fc.integer({ min: -3000, max: 0 }),
  fc.integer({ min: 0x7ffff000, max: 0x7fffffff }),
);
const shift = fc.integer({ min: 0, max: 7 });
const connection = fc.tuple(isn, isn, shift, shift).map((numbers) => new Connection(...numbers));

function run(c: Connection, s: Step): void {
  if (s.do === 'deliver') {
    c.deliver(s.toPeer, s.which);
    return;
  }
  const end = s.fromHost ? c.host : c.peer;
  // What an honest sender may send: within the window it was given, not what is long acknowledged.
  const limit = end.acked + (((WINDOW >>> end.shift) << end.shift) - 2000);
  if (s.do === 'send') {
    const at = end.sent + s.skip; // a segment before it went another way, and was lost there
    if (at + s.length <= limit) expect(c.segment(s.fromHost, at, s.length)).toBe(PASS);
  } else {
    const at = end.acked + (s.at % Math.max(end.sent - end.acked, 1));
    expect(c.segment(s.fromHost, at, Math.min(s.length, end.sent - at))).toBe(PASS);
  }
}

test('no segment of an honest connection is dropped, whatever is lost, repeated and disordered', () => {
  fc.assert(
    fc.property(connection, fc.array(step, { maxLength: 60 }), (c, steps) => {
      for (const s of steps) run(c, s);
    }),
    { numRuns: 200 },
  );
});

test('a stranger outside the window gets nothing through, and the connection goes on', () => {
  const forged = fc.record({
    fromHost: fc.boolean(),
    flags: fc.constantFrom('A', 'PA', 'FA', 'R', 'RA', 'F', '', 'FPU', 'SA'),
    /** Far from the window in either direction. */
    distance: fc.oneof(fc.integer({ min: 70_000, max: 0x3fffffff }), fc.integer({ min: -0x3fffffff, max: -70_000 })),
    length: fc.constantFrom(0, 1, 100),
  });
  fc.assert(
    fc.property(connection, fc.array(step, { maxLength: 20 }), fc.array(forged, { maxLength: 10 }), (c, steps, all) => {
      for (const s of steps) run(c, s);
      for (const f of all) {
        const [from, to] = f.fromHost ? [c.host, c.peer] : [c.peer, c.host];
        const v = c.raw(f.fromHost, {
          flags: f.flags,
          seq: (from.isn + 1 + from.sent + f.distance) | 0,
          // Whoever knows the ISN that a SYN ACK acknowledges is no stranger.
          ack: (to.isn + 1 + to.acked + (f.flags === 'SA' ? f.distance : 0)) | 0,
          payload: new Uint8Array(f.length),
        });
        expect(isDrop(v)).toBe(true);
      }
      expect(c.r.sessionCount).toBe(1);
      expect(c.segment(true, c.host.sent, 0)).toBe(PASS);
    }),
    { numRuns: 100 },
  );
});
