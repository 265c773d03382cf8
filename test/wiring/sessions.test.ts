/** What sessions are told from outside: counted, cleared one by one, counted anew. */
import { describe, expect, test } from 'vitest';
import { udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { CLIENT, lasts, MAIL, ping, query, state, Talk, told } from './scene.js';

describe('show ip inspect statistics', () => {
  test('counts packets by the protocol of the rule, and sessions by state', () => {
    const r = new Router3640();
    query(r, 4000);
    query(r, 4000);
    ping(r);
    new Talk(r, true, 25);
    const { packets, created, current } = state(r).inspection();
    expect(Object.fromEntries(packets)).toEqual({ smtp: 3, udp: 2, icmp: 1 });
    expect([created, current]).toEqual([3, [1, 2, 0]]);
  });

  test('begins anew when it is cleared, but for the sessions that are there', () => {
    const r = new Router3640();
    new Talk(r, true, 25).says(false, '220 mail\r\n').says(true, 'EXPN root\r\n');
    r.engine.sessions.clearStatistics(r.now);
    const { packets, created, current } = state(r).inspection();
    expect([packets.size, created, current]).toEqual([0, 0, [1, 0, 0]]);
    expect(Object.values(r.engine.sessions.smtpCounters).every((n) => n === 0)).toBe(true);
    r.engine.sessions.clear();
    expect(state(r).inspection().current).toEqual([0, 0, 0]);
  });
});

describe('clear ip inspect session', () => {
  const three = (): Router3640 => {
    const r = new Router3640('ip inspect audit-trail');
    for (const port of [4000, 4001]) query(r, port);
    new Talk(r, true, 25);
    return r;
  };

  test('ends all of them, says how many, and resets those of TCP', () => {
    const r = three();
    expect(r.engine.sessions.clear()).toBe(3);
    expect([r.sessionCount, told(r, 'session-stop').length]).toEqual([0, 3]);
    expect(r.injected.map((b) => b[9])).toEqual([6, 6]);
  });

  test('ends the one that is named, and no other', () => {
    const r = three();
    const [first, ...others] = state(r).sessions();
    expect(r.engine.sessions.clear(first!.id)).toBe(1);
    expect(
      state(r)
        .sessions()
        .map((s) => s.id),
    ).toEqual(others.map((s) => s.id));
    expect(r.engine.sessions.clear(first!.id)).toBe(0);
  });
});

describe('a session of UDP', () => {
  test('lives on with each packet, of either side, and is open with the first answer', () => {
    const r = new Router3640();
    query(r, 4000);
    r.wait(20_000);
    expect(state(r).sessions()[0]!.state).toBe('SIS_OPENING');
    r.fromOutside(udpPacket(CLIENT, 5000, MAIL, 4000, 'answer'));
    expect(state(r).sessions()[0]!).toMatchObject({
      state: 'SIS_OPEN',
      heardAgo: 0,
      initiatorBytes: 5,
      responderBytes: 6,
    });
    expect(lasts(r, () => r.sessionCount > 0)).toBe(30);
  });

  test('of DNS ends soon after its last answer, and a query more gives it its time again', () => {
    const dns = (id: number, answer: boolean): string =>
      `\0${String.fromCharCode(id)}${answer ? '\x80' : '\0'}${'\0'.repeat(9)}`;
    const r = new Router3640();
    const ask = (id: number): unknown => r.fromInside(udpPacket('10.10.10.2', 4000, CLIENT, 53, dns(id, false)));
    const tell = (id: number): unknown => r.fromOutside(udpPacket(CLIENT, 53, MAIL, 4000, dns(id, true)));
    ask(1);
    ask(2);
    tell(1);
    r.wait(4000);
    expect(r.sessionCount).toBe(1); // one is outstanding
    tell(2);
    const afterLast = lasts(r, () => r.sessionCount > 0);
    expect(afterLast).toBeLessThan(5);
    ask(3);
    tell(3);
    ask(4);
    expect(lasts(r, () => r.sessionCount > 0)).toBe(5);
  });
});
