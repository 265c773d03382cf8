/** How sessions end: which are looked at in one tick, what is in hand meanwhile, and what takes whose place. */
import { describe, expect, test } from 'vitest';
import { SESSION_WORDS, type Session } from '../../src/core/session/session.js';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { dotted, tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { CLIENT, MAIL, opening, query, SERVER, state, syn, Talk, told } from '../wiring/scene.js';

const sessionAt = (r: Router3640, slot: number): Session => {
  const s = r.engine.sessions.table.cursor();
  s.at = slot * SESSION_WORDS;
  return s;
};

test('2,000 sessions at most end in one tick, the others in the next ones', () => {
  const marks = ['max-incomplete', 'one-minute'].map((mark) => `ip inspect ${mark} high 5000\nip inspect ${mark} low 4000`); // prettier-ignore
  const r = new Router3640(marks.join('\n'), 4096);
  for (let port = 1; port <= 2100; port++) query(r, port);
  r.now += 60_000;
  r.engine.tick(r.now);
  expect(r.sessionCount).toBe(100);
  r.engine.tick(r.now);
  expect(r.sessionCount).toBe(0);
});

describe('the record that is in hand, which a successor does not trust', () => {
  test('is another one again when one has ended meanwhile, and none when it was that one', () => {
    const r = new Router3640();
    for (const port of [1, 2, 3]) query(r, port);
    const { sessions } = r.engine;
    sessions.table.inHand = 2;
    sessions.end(sessionAt(r, 0), 'cleared');
    expect(sessions.table.inHand).toBe(2);
    sessions.end(sessionAt(r, 2), 'cleared');
    expect(sessions.table.inHand).toBe(-1);
  });

  test('is that of the session which ends, while it is told', () => {
    const r = new Router3640('ip inspect audit-trail');
    const { table } = r.engine.sessions;
    query(r, 1);
    query(r, 2);
    const inHand: number[] = [];
    const { push } = r.events;
    r.events.push = function (...events) {
      if (events[0]!.type === 'session-stop') inHand.push(table.inHand);
      return push.apply(r.events, events);
    };
    r.wait(60_000);
    expect(inHand.sort()).toEqual([0, 1]);
    expect(table.inHand).toBe(-1);
  });

  test('is that of a packet until it is judged', () => {
    const r = new Router3640('ip inspect audit-trail');
    const { table } = r.engine.sessions;
    const inHand: number[] = [];
    const { push } = r.events;
    r.events.push = function (...events) {
      inHand.push(table.inHand);
      return push.apply(r.events, events);
    };
    query(r, 1);
    query(r, 2);
    expect([inHand, table.inHand]).toEqual([[0, 1], -1]);
  });
});

describe('what is heard of a TCP session', () => {
  const heard = (r: Router3640): number => state(r).sessions()[0]!.heardAgo;

  test('is each segment that says something, of either side', () => {
    const r = new Router3640();
    const t = new Talk(r, false, 443);
    r.wait(5000);
    expect(heard(r)).toBe(5000);
    t.says(true, 'abcdef');
    expect(heard(r)).toBe(0);
    r.wait(5000);
    t.says(false, 'x');
    expect(heard(r)).toBe(0);
    r.wait(5000);
    expect(t.send(true, 'A')).toBe(PASS); // acknowledges what was said
    expect(heard(r)).toBe(0);
    r.wait(5000);
    expect(t.send(true, 'A', { ack: 5001 })).toBe(PASS); // older than the last one
    expect(heard(r)).toBe(5000);
  });

  test('and is its idle time, once it is open; a handshake has its time from the first SYN on', () => {
    const r = new Router3640('ip inspect tcp idle-time 60');
    opening(r, 4000);
    r.wait(20_000);
    opening(r, 4000);
    expect(heard(r)).toBe(0);
    r.wait(9_000);
    expect(r.sessionCount).toBe(1);
    r.wait(2_000);
    expect(r.sessionCount).toBe(0);
    const t = new Talk(r, false, 443);
    r.wait(50_000);
    t.says(true, 'x');
    r.wait(50_000);
    expect(r.sessionCount).toBe(1);
    r.wait(11_000);
    expect(r.sessionCount).toBe(0);
  });
});

describe('a session that takes the place of another one of the same ends', () => {
  const OTHER_ISN = 1 << 30;
  const from = (f: Partial<TcpFields>): Uint8Array =>
    tcpPacket({ src: CLIENT, srcPort: 4000, dst: MAIL, dstPort: 25, flags: 'S', ...f });
  const back = (f: Partial<TcpFields>): Uint8Array =>
    tcpPacket({ src: SERVER, srcPort: 25, dst: CLIENT, dstPort: 4000, flags: 'SA', ...f });
  const reopen = (r: Router3640): Verdict => {
    expect(r.fromOutside(from({ seq: OTHER_ISN })).verdict).toBe(PASS);
    return r.fromInside(back({ seq: 9000, ack: OTHER_ISN + 1 })).verdict;
  };

  test('is half-open, has the time of a handshake, and is counted as one that was created', () => {
    const r = new Router3640('ip inspect audit-trail');
    new Talk(r, true, 25).says(false, '220 mail\r\n');
    r.wait(1000);
    expect(reopen(r)).toBe(PASS);
    expect(state(r).inspection()).toMatchObject({ created: 2, current: [0, 1, 0] });
    expect(told(r, 'session-stop')).toMatchObject([{ reason: 'replaced' }]);
    expect(told(r, 'session-start')).toHaveLength(2);
    expect(state(r).sessions()).toMatchObject([{ createdAgo: 0, responderBytes: 0 }]);
    r.wait(31_000);
    expect(r.sessionCount).toBe(0);
  });

  test('is refused where its host has too many, and the old one is gone', () => {
    const r = new Router3640('ip inspect tcp max-incomplete host 2 block-time 1');
    new Talk(r, true, 25);
    syn(r, 1);
    syn(r, 2);
    expect(reopen(r)).toBe(DROP.sessionLimit);
    expect([r.sessionCount, state(r).inspection().current]).toEqual([0, [0, 0, 0]]);
    expect(told(r, 'host-blocked')).toHaveLength(1);
  });

  test('is none of the thresholds where no rule inspects it', () => {
    const r = new Router3640('no ip inspect name OUT-IN smtp\nip inspect tcp max-incomplete host 1 block-time 1');
    new Talk(r, true, 25);
    expect(reopen(r)).toBe(PASS);
    expect([r.sessionCount, state(r).inspection().current, r.events]).toEqual([1, [0, 0, 0], []]);
    r.wait(31_000);
    expect(r.sessionCount).toBe(0);
  });
});

test('a session that is cleared resets TCP at both ends, and nothing else', () => {
  const r = new Router3640();
  new Talk(r, true, 25);
  query(r, 4000);
  expect(r.engine.sessions.clear()).toBe(2);
  expect(r.injected.map((b) => `${dotted(i32(b, 12))} ${dotted(i32(b, 16))} ${b[9]}`)).toEqual([
    `${MAIL} ${CLIENT} 6`,
    `${CLIENT} ${SERVER} 6`,
  ]);
  expect(r.fromOutside(udpPacket(CLIENT, 5000, MAIL, 4000, 'late')).verdict).toBe(DROP.acl);
});
