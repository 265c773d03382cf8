/** What a new session gets where a table is full: the place of one that is half-open, or that has ended. */
import { describe, expect, test } from 'vitest';
import { SESSION_WORDS } from '../../src/core/session/session.js';
import { TRANSLATION_WORDS } from '../../src/core/nat/translation.js';
import { RECORD_WORDS } from '../../src/core/tracker/streams.js';
import { messageOf } from '../../src/ios/messages.js';
import { RouterState } from '../../src/core/state/router-state.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { dotted, icmpPacket, tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';
import { ControlConnection, INSIDE, OUTSIDE } from '../inspect/ftp/control-connection.js';
import {
  CLIENT,
  dynamic,
  establish,
  HOST,
  MAIL,
  opening,
  OUTSIDE as OWN,
  ping,
  query,
  syn,
  Talk,
  told,
} from '../wiring/scene.js';
import { LeftMemory } from '../support/left-memory.js';
import { scarceMemory } from './memory.js';

/** No threshold gets in the way. */
const CALM = 'ip inspect max-incomplete high 2000\nip inspect max-incomplete low 1900';
const AUDIT = `${CALM}\nip inspect audit-trail`;
const PAT = `${CALM}\naccess-list 7 permit 10.10.10.0 0.0.0.255\nip nat inside source list 7 interface Ethernet2/0 overload`;

const initiators = (r: Router3640): string[] => {
  const all: string[] = [];
  r.engine.sessions.table.forEach((s) => all.push(dotted(s.initiator)));
  return all.sort();
};
const clients = (...numbers: number[]): string[] => numbers.map((n) => `172.22.2.${n}`);
const lines = (r: Router3640): string[] =>
  r.events.filter((e) => e.type === 'table-full').map((e) => `${messageOf(e).mnemonic}: ${messageOf(e).text}`);
const ended = (r: Router3640): [number, string][] =>
  told(r, 'session-stop').map((e) => [e.endpoints.initiatorPort, e.reason]);

describe('where the session table is full, a new session takes the place', () => {
  test('of the oldest half-open one, which is reset, audited and counted as by a threshold', () => {
    const r = new Router3640(AUDIT, 4);
    for (let n = 1; n <= 4; n++) {
      syn(r, n);
      r.wait(100);
    }
    establish(r, 1);
    expect(syn(r, 5)).toBe(PASS);
    expect(initiators(r)).toEqual(clients(1, 3, 4, 5));
    expect(r.injected.map((b) => [dotted(i32(b, 16)), b[33]])).toEqual([['172.22.2.2', 0x14]]);
    expect(told(r, 'session-stop').map((e) => [dotted(e.endpoints.initiator), e.reason])).toEqual([
      ['172.22.2.2', 'table-full'],
    ]);
    const { statistics } = r.engine.sessions;
    expect([statistics.established, statistics.halfOpen]).toEqual([1, 3]);
    const row = new RouterState(r.engine, () => r.now).counters().find((c) => c.name === 'table-full');
    expect(row).toMatchObject({ family: 'reset', kind: 'counter', value: 1 });
  });

  test('and the thresholds no longer count it', () => {
    const r = new Router3640('ip inspect tcp max-incomplete host 4 block-time 1', 4);
    for (let n = 1; n <= 4; n++) syn(r, n);
    // Three are left of four to the same host, so a fourth blocks nobody.
    query(r, 4000);
    expect([syn(r, 5), told(r, 'host-alert').length]).toEqual([PASS, 0]);
  });

  test('then of the one that both sides have closed first, and nobody is reset', () => {
    const r = new Router3640(AUDIT, 3);
    const talks = [1, 2, 3].map((n) => new Talk(r, true, 25, 5000 + n));
    for (const n of [1, 0]) {
      talks[n]!.ends();
      r.wait(1000);
    }
    expect(syn(r, 1)).toBe(PASS);
    expect(ended(r)).toEqual([[5002, 'table-full']]);
    expect(r.injected).toEqual([]);
    establish(r, 1);
    expect(syn(r, 2)).toBe(PASS);
    expect(ended(r)).toEqual([[5002, 'table-full'], [5001, 'table-full']]); // prettier-ignore
    expect(talks[2]!.says(true, 'NOOP\r\n').last.verdict).toBe(PASS);
  });

  test('where a FIN comes again, its sender has not closed first', () => {
    const r = new Router3640(AUDIT, 2);
    const [a, b] = [1, 2].map((n) => new Talk(r, true, 25, 5000 + n)) as [Talk, Talk];
    a.ends();
    b.ends();
    expect(a.send(false, 'FA', { seq: 5001, ack: 1002 })).toBe(PASS);
    expect(syn(r, 1)).toBe(PASS);
    expect(ended(r)).toEqual([[5002, 'table-full']]);
  });

  test('of a half-open one before one that has ended', () => {
    const r = new Router3640(AUDIT, 2);
    new Talk(r, true, 25, 5001).ends();
    syn(r, 1);
    syn(r, 2);
    expect(told(r, 'session-stop').map((e) => dotted(e.endpoints.initiator))).toEqual(['172.22.2.1']);
  });

  test('of UDP without an answer and of a ping without one, the older first, and not of those that have one', () => {
    const r = new Router3640(AUDIT, 4);
    ping(r, HOST);
    r.wait(10);
    for (const port of [4000, 4001]) query(r, port);
    ping(r);
    r.fromOutside(udpPacket(CLIENT, 5000, MAIL, 4001, 'answer'));
    r.fromOutside(icmpPacket(CLIENT, MAIL, 0, 0, [0, 9, 0, 1, 1, 2]));
    expect(syn(r, 1)).toBe(PASS);
    expect(told(r, 'session-stop').map((e) => e.endpoints.service)).toEqual(['icmp']);
    expect(syn(r, 2)).toBe(PASS);
    expect(told(r, 'session-stop').map((e) => e.endpoints.initiatorPort)).toEqual([8, 4000]);
    expect(r.injected).toEqual([]);
  });

  test('never of one that is established, or that one side has closed: then the new one is refused', () => {
    const r = new Router3640(AUDIT, 2);
    const talk = new Talk(r, true, 25, 5001);
    talk.send(true, 'FA');
    new Talk(r, true, 25, 5002);
    expect([syn(r, 1), r.sessionCount, told(r, 'session-stop').length]).toEqual([DROP.sessionLimit, 2, 0]);
  });

  test('of a connection whose place another one of the same ends has taken, as half-open', () => {
    const r = new Router3640(AUDIT, 2);
    const talk = new Talk(r, true, 25, 5001).ends();
    expect(talk.send(true, 'S', { seq: 900_000, ack: 0 })).toBe(PASS);
    expect(told(r, 'session-stop').map((e) => e.reason)).toEqual(['replaced']);
    new Talk(r, true, 25, 5002);
    expect(syn(r, 1)).toBe(PASS);
    expect(ended(r).at(-1)).toEqual([5001, 'table-full']);
  });

  test('of an FTP control connection that has ended: its data connection then comes too late', () => {
    const r = new Router3640(CALM, 2);
    const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
    c.say('PORT 172,22,1,111,200,10');
    c.deliver(c.segment(true, 'FA'), false);
    c.deliver(c.segment(false, 'FA'), true);
    new Talk(r, true, 25, 5002);
    expect(c.data(false, 20, 51_210).verdict).toBe(PASS);
    expect(initiators(r)).toEqual([CLIENT, CLIENT]);
    expect(r.engine.sessions.expectedFlows(r.now)).toEqual([]);
  });

  test('of another control connection than that of the data connection that comes', () => {
    const r = new Router3640(CALM, 2);
    const other = new ControlConnection(r, INSIDE, OUTSIDE, 40_001).login();
    other.deliver(other.segment(true, 'FA'), false);
    other.deliver(other.segment(false, 'FA'), true);
    const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
    c.say('PORT 172,22,1,111,200,10');
    expect(c.data(false, 20, 51_210).verdict).toBe(PASS);
    const services = new RouterState(r.engine, () => r.now).sessions().map((s) => s.service);
    expect([services.sort(), r.engine.sessions.expectedFlows(r.now)]).toEqual([['ftp', 'ftp-data'], []]);
  });

  test('also for a data connection of FTP', () => {
    const r = new Router3640(CALM, 2);
    const c = new ControlConnection(r, INSIDE, OUTSIDE).login();
    c.say('PORT 10,10,10,5,200,10');
    syn(r, 1);
    expect(c.data(false, 20, 51_210).verdict).toBe(PASS);
    expect(initiators(r)).toEqual([INSIDE.address, CLIENT].sort());
  });
});

describe('connections that no rule inspects', () => {
  const WEB = `${CALM}\naccess-list 101 permit tcp any host 172.22.1.110 eq www`;
  const web = (r: Router3640, srcPort: number, flags = 'S', more: Partial<TcpFields> = {}): number =>
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort, dst: MAIL, dstPort: 80, flags, seq: 100, ...more })).verdict;
  const ports = (r: Router3640): number[] => {
    const all: number[] = [];
    r.engine.sessions.table.forEach((s) => all.push(s.initiatorPort));
    return all.sort();
  };
  const established = (r: Router3640, srcPort: number): Talk => new Talk(r, true, 80, srcPort);

  test('take the place of their own where their share is full, not of an older inspected one', () => {
    const r = new Router3640(WEB, 16);
    syn(r, 1);
    for (const port of [1, 2, 3, 4]) {
      web(r, port);
      r.wait(10);
    }
    expect([web(r, 5), ports(r)]).toEqual([PASS, [1024, 2, 3, 4, 5]]);
    expect(r.engine.sessions.statistics.halfOpen).toBe(1);
  });

  test('and not that of one that is established', () => {
    const r = new Router3640(WEB, 16);
    for (const port of [1, 2, 3, 4]) established(r, port);
    expect([web(r, 5), ports(r)]).toEqual([DROP.sessionLimit, [1, 2, 3, 4]]);
  });

  test('which one that has ended gives', () => {
    const r = new Router3640(WEB, 16);
    for (const port of [1, 2, 3]) established(r, port);
    established(r, 4).ends();
    expect([web(r, 5), ports(r)]).toEqual([PASS, [1, 2, 3, 5]]);
  });

  test('have to go for an inspected one where the table is full', () => {
    const r = new Router3640(WEB, 8);
    web(r, 1);
    r.wait(10);
    for (let n = 1; n <= 7; n++) syn(r, n);
    expect(syn(r, 8)).toBe(PASS);
    expect(initiators(r)).toEqual(clients(1, 2, 3, 4, 5, 6, 7, 8));
  });

  test('the clients of which are reset', () => {
    const r = new Router3640(WEB, 4);
    for (const port of [1, 2]) web(r, port);
    expect(r.injected.map((b) => dotted(i32(b, 16)))).toEqual([CLIENT]);
  });
});

describe('ip tcp intercept', () => {
  const ON = `${CALM}\naccess-list 150 permit tcp any host 10.10.10.2 eq 25\nip tcp intercept list 150`;

  test('who has proved that he is there takes the place of a half-open one, too, and it is he no longer then', () => {
    const r = new Router3640(`${ON}\nip tcp intercept mode watch`, 2);
    for (let n = 1; n <= 3; n++) expect(syn(r, n)).toBe(PASS);
    expect(initiators(r)).toEqual(clients(2, 3));
    expect(r.engine.sessions.intercept.incomplete.count).toBe(2);
  });
});

describe('where the table of translations is full', () => {
  test('a session that has none does not go for it', () => {
    const r = new Router3640(PAT, 4);
    for (const port of [1, 2, 3, 4]) opening(r, port, HOST);
    r.engine.sessions.clear(); // their translations stay for a minute
    query(r, 1, 5000);
    expect([dynamic(r), opening(r, 5, HOST).verdict, r.sessionCount]).toEqual([4, DROP.noTranslation, 1]);
  });

  test('the one that has, goes though an older one is there, and its port is free again', () => {
    const r = new Router3640(PAT, 4);
    for (const port of [1, 2, 3]) opening(r, port, HOST);
    r.engine.sessions.clear();
    query(r, 1, 5000);
    r.wait(10);
    opening(r, 4, HOST);
    expect([dynamic(r), r.sessionCount]).toEqual([4, 2]);
    expect(opening(r, 5, HOST).verdict).toBe(PASS);
    expect([dynamic(r), r.sessionCount]).toEqual([4, 2]);
    expect(lines(r)).toEqual([
      '%FW-4-TABLE_FULL: NAT translation table full: 1 half-open session and 0 ended sessions deleted for new ones, ' +
        '0 new ones refused in 1 second',
    ]);
  });

  test('up to four sessions go for one translation, since that of the first ones may have ended before', () => {
    const r = new Router3640(PAT, 16);
    const ids = (): number[] => new RouterState(r.engine, () => r.now).sessions().map((s) => s.id);
    for (let port = 1; port <= 8; port++) opening(r, port, HOST);
    r.engine.nat.translations.clear();
    // Sixteen translations of sessions that are no longer, and one that has neither.
    const known = ids();
    for (let port = 11; port <= 26; port++) {
      opening(r, port, HOST);
      for (const id of ids().filter((o) => !known.includes(o))) r.engine.sessions.clear(id);
    }
    expect([dynamic(r), r.sessionCount]).toEqual([16, 8]);
    expect([opening(r, 31, HOST).verdict, r.sessionCount]).toEqual([DROP.noTranslation, 4]);
    r.engine.nat.translations.clear({ insideLocalPort: 11 });
    expect([opening(r, 32, HOST).verdict, dynamic(r), r.sessionCount]).toEqual([PASS, 16, 5]);
    expect([opening(r, 33, HOST).verdict, r.sessionCount]).toEqual([DROP.noTranslation, 1]);
    expect([opening(r, 34, HOST).verdict, r.sessionCount]).toEqual([PASS, 1]);
  });

  test('no session goes where it is max-entries that is full: that is as the operator wants it', () => {
    const r = new Router3640(`${PAT}\nip nat translation max-entries 2`, 16);
    for (const port of [1, 2]) opening(r, port, HOST);
    expect([opening(r, 3, HOST).verdict, r.sessionCount]).toEqual([DROP.noTranslation, 2]);
  });

  test('a packet of a session that is there ends no other one', () => {
    const r = new Router3640(PAT, 4);
    const client = (flags: string, more: Partial<TcpFields>): number =>
      r.fromInside(tcpPacket({ src: HOST, srcPort: 4000, dst: CLIENT, dstPort: 443, flags, ...more })).verdict;
    client('S', { seq: 100 });
    const answer = { seq: 500, ack: 101 };
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 443, dst: OWN, dstPort: 4000, flags: 'SA', ...answer }));
    expect(client('A', { seq: 101, ack: 501 })).toBe(PASS);
    r.engine.nat.translations.clear();
    for (const port of [1, 2, 3]) opening(r, port, HOST);
    const [oldest] = new RouterState(r.engine, () => r.now).sessions().filter((s) => s.state === 'SIS_OPENING');
    r.engine.sessions.clear(oldest!.id);
    expect(opening(r, 4, HOST).verdict).toBe(PASS);
    expect([dynamic(r), r.sessionCount]).toEqual([4, 4]);
    expect([client('PA', { seq: 101, ack: 501, payload: 'x' }), r.sessionCount]).toEqual([DROP.noTranslation, 4]);
  });
});

describe('where there is no memory', () => {
  test('for a record more, a new session takes the place of another one', () => {
    const r = new Router3640(CALM, 64, scarceMemory('sessions', 2 * SESSION_WORDS));
    for (let n = 1; n <= 3; n++) expect(syn(r, n)).toBe(PASS);
    expect(initiators(r)).toEqual(clients(2, 3));
  });

  test('for a stream more, likewise', () => {
    const r = new Router3640(CALM, 64, scarceMemory('streams', 2 * RECORD_WORDS));
    for (let n = 1; n <= 4; n++) expect(syn(r, n)).toBe(PASS);
    expect(initiators(r)).toEqual(clients(3, 4));
    establish(r, 3);
    establish(r, 4);
    expect([syn(r, 5), r.sessionCount]).toEqual([DROP.sessionLimit, 2]);
  });

  test('for a translation more, likewise; and where no session may go the packet is dropped', () => {
    // Two static ones, and for each flow its port.
    const r = new Router3640(PAT, 64, scarceMemory('translations', 6 * TRANSLATION_WORDS));
    for (const port of [1, 2, 3]) expect(opening(r, port, HOST).verdict).toBe(PASS);
    expect([dynamic(r), r.sessionCount]).toEqual([2, 2]);
    r.engine.sessions.clear();
    expect(opening(r, 4, HOST).verdict).toBe(DROP.noTranslation);
  });
});

test('another data plane that takes the table over goes on in the same order', () => {
  const memory = new LeftMemory().source;
  const before = new Router3640(CALM, 4, memory);
  const talks = [1, 2].map((n) => new Talk(before, true, 25, 5000 + n));
  for (const n of [1, 0]) {
    talks[n]!.ends();
    before.wait(500);
  }
  for (const n of [2, 1]) {
    syn(before, n);
    before.wait(500);
  }
  const r = new Router3640(AUDIT, 4, memory, before.now);
  for (let n = 3; n <= 6; n++) {
    syn(r, n);
    establish(r, n);
  }
  expect(told(r, 'session-stop').map((e) => [dotted(e.endpoints.initiator), e.endpoints.initiatorPort])).toEqual([
    ['172.22.2.2', 1024],
    ['172.22.2.1', 1024],
    [CLIENT, 5002],
    [CLIENT, 5001],
  ]);
  expect(r.injected.map((b) => dotted(i32(b, 16)))).toEqual(['172.22.2.2', '172.22.2.1']);
  expect([syn(r, 7), r.sessionCount]).toEqual([DROP.sessionLimit, 4]);
});

describe('the log says', () => {
  test('at once that the table is full, and then once a minute how much it was', () => {
    const r = new Router3640(CALM, 2);
    for (let n = 1; n <= 5; n++) syn(r, n);
    const text = (halfOpen: string, rest: string): string =>
      `%FW-4-TABLE_FULL: session table full: ${halfOpen} and ${rest}`;
    const first = text('1 half-open session', '0 ended sessions deleted for new ones, 0 new ones refused in 1 second');
    expect(lines(r)).toEqual([first]);
    r.wait(59_900);
    expect(lines(r)).toEqual([first]);
    for (let n = 11; n <= 14; n++) syn(r, n);
    r.wait(100);
    expect(lines(r)).toEqual([
      first,
      text('4 half-open sessions', '0 ended sessions deleted for new ones, 0 new ones refused in 60 seconds'),
    ]);
    r.wait(120_000);
    expect(lines(r).length).toBe(2);
  });

  test('how many were refused, and which had ended', () => {
    const r = new Router3640(CALM, 2);
    new Talk(r, true, 25, 5001).ends();
    new Talk(r, true, 25, 5002);
    syn(r, 1);
    establish(r, 1);
    for (const n of [2, 3]) syn(r, n);
    r.wait(60_000);
    expect(lines(r)).toEqual([
      '%FW-4-TABLE_FULL: session table full: 0 half-open sessions and 1 ended session deleted for new ones, ' +
        '0 new ones refused in 1 second',
      '%FW-4-TABLE_FULL: session table full: 0 half-open sessions and 0 ended sessions deleted for new ones, ' +
        '2 new ones refused in 60 seconds',
    ]);
  });

  test('what was of one kind and what was of another, from the first on, and none of it twice', () => {
    const r = new Router3640(CALM, 2);
    const full = (halfOpen: string, closed: string, rest: string): string =>
      `%FW-4-TABLE_FULL: session table full: ${halfOpen} and ${closed} deleted for new ones, ${rest}`;
    const none = ['0 half-open sessions', '0 ended sessions'] as const;
    new Talk(r, true, 25, 5001);
    new Talk(r, true, 25, 5002);
    syn(r, 1);
    expect(lines(r)).toEqual([full(...none, '1 new one refused in 1 second')]);
    r.wait(20_000);
    r.engine.sessions.clear();
    new Talk(r, true, 25, 5003);
    new Talk(r, true, 25, 5004).ends();
    syn(r, 2);
    r.wait(1000);
    syn(r, 3);
    establish(r, 3);
    r.wait(1000);
    syn(r, 4);
    r.wait(37_999);
    expect(lines(r).length).toBe(1);
    r.wait(1);
    expect(lines(r).length).toBe(2);
    expect(lines(r)[1]).toBe(full('1 half-open session', '1 ended session', '1 new one refused in 40 seconds'));
    r.wait(57_999);
    syn(r, 5);
    r.wait(2001);
    expect(lines(r)[2]).toBe(full(...none, '1 new one refused in 3 seconds'));
  });

  test('which part of the table it is', () => {
    const r = new Router3640(`${CALM}\naccess-list 101 permit tcp any host 172.22.1.110 eq www`, 4);
    for (const srcPort of [1, 2])
      r.fromOutside(tcpPacket({ src: CLIENT, srcPort, dst: MAIL, dstPort: 80, flags: 'S', seq: 100 }));
    expect(lines(r)).toEqual([
      '%FW-4-TABLE_FULL: share of the session table for connections without inspection full: 1 half-open session and ' +
        '0 ended sessions deleted for new ones, 0 new ones refused in 1 second',
    ]);
  });

  test('nothing where alerts are off', () => {
    const r = new Router3640(`${CALM}\nip inspect alert-off`, 2);
    for (let n = 1; n <= 5; n++) syn(r, n);
    expect(lines(r)).toEqual([]);
  });
});
