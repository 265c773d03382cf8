/** How much of what a stranger does comes to the log. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventLimiter } from '../src/core/limit/event-limiter.js';
import type { Endpoints, Event } from '../src/core/events.js';
import { messageOf } from '../src/ios/messages.js';
import { Tally } from '../src/core/limit/tally.js';
import { TokenBuckets } from '../src/core/limit/token-buckets.js';
import { tcpPacket } from './support/packets.js';
import { Router3640 } from './support/router-3640.js';

const endpoints = (initiator: number, sessionId = initiator): Endpoints => ({
  sessionId,
  service: 'smtp',
  initiator,
  initiatorPort: 1024,
  responder: 1,
  responderPort: 25,
});
const started = (source: number): Event => ({ type: 'session-start', endpoints: endpoints(source) });
const applet = (source: number, session: number): Event => ({
  type: 'java-blocked',
  endpoints: endpoints(source, session),
});
const DEBUG: Event = { type: 'debug', facility: 'objectCreation', what: 'session', sis: 1 };
const admitted = (limiter: EventLimiter, events: Iterable<Event>, now = 0): number =>
  [...events].filter((e) => limiter.admits(e, now)).length;
const times = (n: number, e: (i: number) => Event): Event[] => Array.from({ length: n }, (_, i) => e(i));
const said = (limiter: EventLimiter, now: number): string[] => {
  const lines: string[] = [];
  limiter.report(now, (e) => lines.push(`${messageOf(e).mnemonic}: ${messageOf(e).text}`));
  return lines;
};

test('a bucket gives its burst, then its rate, whatever the order of asking', () => {
  const waits = fc.array(fc.oneof(fc.constant(0), fc.nat(50), fc.nat(5000)), { maxLength: 300 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), waits, (perSecond, burst, ms) => {
      const buckets = new TokenBuckets(1, perSecond, burst);
      const taken: number[] = [];
      let now = 0;
      for (const wait of ms) {
        now += wait;
        if (!buckets.has(0, now)) continue;
        buckets.take(0, now);
        taken.push(now);
      }
      taken.forEach((from, i) => {
        const until = taken.at(-1)!;
        expect(taken.length - i).toBeLessThanOrEqual(burst + ((until - from) * perSecond) / 1000 + 0.01);
      });
      // And no less: a full bucket is never refused.
      now += (burst * 1000) / perSecond;
      for (let i = 0; i < burst; i++) {
        expect(buckets.has(0, now)).toBe(true);
        buckets.take(0, now);
      }
      expect(buckets.has(0, now)).toBe(false);
    }),
  );
});

test('a clock that goes back makes a bucket wait for no longer than it takes to fill', () => {
  const buckets = new TokenBuckets(1, 10, 10);
  for (let n = 0; n < 10; n++) buckets.take(0, 1e9);
  expect(buckets.has(0, 0)).toBe(false);
  expect(buckets.has(0, 1000)).toBe(true);
});

describe('each kind of message', () => {
  test('one session has its limit, and leaves other sessions theirs', () => {
    const limiter = new EventLimiter(1);
    expect(
      admitted(
        limiter,
        times(5000, () => applet(7, 70)),
      ),
    ).toBe(250);
    expect(
      admitted(
        limiter,
        times(10, () => applet(8, 80)),
      ),
    ).toBe(10);
  });

  test('one source has its limit over all its sessions, and leaves other sources theirs', () => {
    const limiter = new EventLimiter(1);
    expect(
      admitted(
        limiter,
        times(5000, (n) => applet(7, n)),
      ),
    ).toBe(500);
    expect(
      admitted(
        limiter,
        times(10, () => applet(8, 80)),
      ),
    ).toBe(10);
  });

  test('all sources together have a limit', () => {
    const limiter = new EventLimiter(1);
    expect(
      admitted(
        limiter,
        times(50_000, (n) => started(n)),
      ),
    ).toBe(5000);
    expect(
      admitted(
        limiter,
        times(50_000, (n) => started(n)),
        1000,
      ),
    ).toBe(500);
  });

  test('a flood of one hides no other', () => {
    const limiter = new EventLimiter(1);
    admitted(
      limiter,
      times(50_000, (n) => started(n)),
    );
    expect(limiter.admits(applet(7, 70), 0)).toBe(true);
    expect(limiter.admits({ type: 'host-blocked', host: 1, limit: 50, minutes: 2 }, 0)).toBe(true);
  });

  test('debug output is limited in all only: 10,000 lines of one session come', () => {
    const limiter = new EventLimiter(1);
    expect(
      admitted(
        limiter,
        times(10_000, () => DEBUG),
      ),
    ).toBe(10_000);
    expect(
      admitted(
        limiter,
        times(30_000, () => DEBUG),
      ),
    ).toBe(10_000);
  });

  test('ordinary traffic comes whole: 200 sessions a second of many clients with their audit trail', () => {
    const limiter = new EventLimiter(1);
    for (let s = 0; s < 60; s++)
      expect(
        admitted(
          limiter,
          times(400, (n) => started((n * 31) % 97)),
          s * 1000,
        ),
      ).toBe(400);
  });
});

describe('what is left out', () => {
  test('is counted, and said once a minute while it goes on, and when it has calmed down', () => {
    const limiter = new EventLimiter(1);
    for (let s = 0; s <= 60; s++) {
      admitted(
        limiter,
        times(1000, () => applet(7, 70)),
        s * 1000,
      );
      if (s < 60) expect(said(limiter, s * 1000)).toEqual([]);
    }
    const before = 61_000 - 250 - 60 * 5;
    expect(said(limiter, 60_000)).toEqual([
      `%SYS-4-LOGRL: logging rate-limited: ${before} inspection messages left out in 60 seconds`,
    ]);
    admitted(
      limiter,
      times(20, () => applet(7, 70)),
      61_000,
    );
    expect(said(limiter, 62_000)).toEqual([]);
    expect(said(limiter, 66_000)).toEqual([
      '%SYS-4-LOGRL: logging rate-limited: 15 inspection messages left out in 1 second',
    ]);
    expect(said(limiter, 200_000)).toEqual([]);
    expect(limiter.leftOut).toBe(before + 15);
  });

  test('of access lists has the words of IOS', () => {
    const limiter = new EventLimiter(1);
    const denied = (n: number): Event => ({
      type: 'acl-denied',
      list: '101',
      protocol: 6,
      src: 7,
      srcPort: n,
      dst: 1,
      dstPort: 25,
      icmpType: 0,
      icmpCode: 0,
      packets: 1,
    });
    admitted(limiter, times(1200, denied));
    expect(said(limiter, 10_000)).toEqual([
      '%SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed 200 packets',
    ]);
  });

  test('of a flood of drops is said, too', () => {
    const r = new Router3640('ip inspect log drop-pkt');
    for (let n = 0; n < 500; n++)
      r.fromInside(
        tcpPacket({
          src: '10.10.10.2',
          srcPort: 1000 + n,
          dst: '172.22.1.10',
          dstPort: 443,
          flags: 'A',
          seq: 7,
          ack: 9,
        }),
      );
    r.wait(10_000);
    expect(messageOf(r.events.at(-1)!).text).toBe(
      'logging rate-limited: 480 dropped packet messages left out in 1 second',
    );
  });
});

test('a tally takes a clock that goes back, or jumps by a year, for the end of what it counts', () => {
  const tally = new Tally();
  tally.note(1e6);
  expect([tally.take(1e6), tally.take(10)]).toEqual([0, 1]);
  tally.note(20);
  expect([tally.take(21), tally.take(31_536_000_000), tally.total]).toEqual([0, 1, 2]);
});

test('forbidden commands one after the other make less log than they are long', () => {
  const r = new Router3640();
  const limiter = new EventLimiter(1);
  const client = { src: '172.22.1.10', srcPort: 4000, dst: '172.22.1.110', dstPort: 25 };
  const server = { src: '10.10.10.2', srcPort: 25, dst: '172.22.1.10', dstPort: 4000 };
  r.fromOutside(tcpPacket({ ...client, flags: 'S', seq: 100 }));
  r.fromInside(tcpPacket({ ...server, flags: 'SA', seq: 200, ack: 101 }));
  r.fromOutside(tcpPacket({ ...client, flags: 'A', seq: 101, ack: 201 }));
  r.fromInside(tcpPacket({ ...server, flags: 'PA', seq: 201, ack: 101, payload: '220 mail\r\n' }));
  let seq = 101;
  let ack = 211;
  let logged = 0;
  // One at a time, each with its reply: so a client gets the most findings for its bytes.
  for (let n = 0; n < 6000; n++) {
    const reply = '500 no\r\n';
    r.fromOutside(tcpPacket({ ...client, flags: 'PA', seq, ack, payload: 'EXPN a\r\n' }));
    seq += 8;
    r.fromInside(tcpPacket({ ...server, flags: 'PA', seq: ack, ack: seq, payload: reply }));
    ack += reply.length;
    r.now += 0.3;
    for (const e of r.events.splice(0)) if (limiter.admits(e, r.now)) logged += messageOf(e).text.length;
  }
  expect(r.sessionCount).toBe(1);
  expect(limiter.leftOut).toBeGreaterThan(5500);
  expect(logged).toBeLessThan(8 * 6000);
});

test('a refusal costs less than a microsecond and a half', () => {
  const limiter = new EventLimiter(1);
  const e = applet(7, 70);
  for (let n = 0; n < 10_000; n++) limiter.admits(e, 0);
  const began = performance.now();
  for (let n = 0; n < 1_000_000; n++) limiter.admits(e, 0);
  expect(performance.now() - began).toBeLessThan(1500);
});
