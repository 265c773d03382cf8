/** What becomes of sessions when another data plane takes their memory over: one goes on as if nothing had happened. */
import { describe, expect, test } from 'vitest';
import { SERVICES } from '../../src/core/inspect/rules.js';
import { FLAG, type Session, SESSION_WORDS } from '../../src/core/session/session.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { dotted, icmpPacket, tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { LeftMemory } from '../support/left-memory.js';
import { Router3640 } from '../support/router-3640.js';
import { ControlConnection, INSIDE, OUTSIDE } from '../inspect/ftp/control-connection.js';
import {
  CLIENT,
  establish,
  HOST,
  lasts,
  MAIL,
  opening,
  ping,
  query,
  SERVER,
  state,
  syn,
  Talk,
  told,
} from '../wiring/scene.js';

const WEB = 'access-list 101 permit tcp any host 172.22.1.110 eq www';
const CAPACITY = 16;
/** One more than the entries of the rules of 3640.cfg. */
const RULES = new Router3640().engine.rules.entries.length;

/** A data plane and the one after it. */
class Succession {
  readonly #memory = new LeftMemory().source;
  readonly before: Router3640;

  constructor(extra = '') {
    this.before = new Router3640(extra, CAPACITY, this.#memory);
  }

  /** @param extra of the configuration that it has */
  heir(extra = ''): Router3640 {
    return new Router3640(extra, CAPACITY, this.#memory, this.before.now);
  }
}

const sessionOf = (r: Router3640, protocol: number): Session => {
  const s = r.engine.sessions.table.cursor();
  for (s.at = 0; s.protocol !== protocol; s.at += SESSION_WORDS);
  return s;
};
const resetTo = (r: Router3640): string[] => r.injected.map((b) => `${dotted(i32(b, 16))} ${b[33]}`);
const stopped = (r: Router3640): string[] =>
  told(r, 'session-stop').map((e) => `${e.endpoints.service} ${e.endpoints.initiatorPort} ${e.reason}`);

test('sessions of each protocol and state go on, are counted, and end when their time is up', () => {
  const s = new Succession();
  new Talk(s.before, true, 25);
  new Talk(s.before, true, 25, 4001).ends();
  query(s.before, 4000);
  ping(s.before);
  s.before.wait(3000);
  const r = s.heir();
  expect(r.engine.takenOver).toEqual({ adopted: 4, reset: 0, lost: 0 });
  expect(told(r, 'taken-over')).toEqual([{ type: 'taken-over', foreign: false, adopted: 4, reset: 0, lost: 0 }]);
  expect(state(r).sessions()).toEqual(state(s.before).sessions());
  expect(state(r).inspection().current).toEqual([1, 2, 1]);
  const left =
    (service: string): (() => boolean) =>
    () =>
      state(r)
        .sessions()
        .some((o) => o.service === service);
  expect(r.fromOutside(udpPacket(CLIENT, 5000, MAIL, 4000, 'answer')).verdict).toBe(PASS);
  expect(r.fromOutside(icmpPacket(CLIENT, MAIL, 0, 0, [0, 9, 0, 1, 1, 2])).verdict).toBe(PASS);
  expect(state(r).inspection().current).toEqual([3, 0, 1]);
  expect(lasts(r, () => state(r).inspection().current[2] > 0)).toBe(2); // finwait-time 5
  expect(lasts(r, left('udp'))).toBe(28);
  expect(r.injected).toEqual([]);
});

describe('a session is reset at both ends, and another one goes on', () => {
  const two = (extra = ''): Succession => {
    const s = new Succession(extra);
    new Talk(s.before, true, 25);
    new Talk(s.before, false, 443, 4001);
    return s;
  };

  test('whose packet was in hand', () => {
    const s = two();
    s.before.engine.sessions.table.inHand = 0;
    const r = s.heir('ip inspect audit-trail');
    expect(stopped(r)).toEqual(['smtp 4000 adoption']);
    expect(resetTo(r)).toEqual([`${CLIENT} 20`, `${SERVER} 4`]);
    expect(r.engine.takenOver).toEqual({ adopted: 1, reset: 1, lost: 0 });
    // And not again with the next one: nothing is in hand.
    expect(r.engine.sessions.table.inHand).toBe(-1);
  });

  test('whose rule the configuration no longer has', () => {
    const s = two();
    const r = s.heir('no ip inspect name OUT-IN smtp\nip inspect name OUT-IN tcp');
    expect(resetTo(r)).toEqual([`${CLIENT} 20`, `${SERVER} 4`]);
    expect([
      state(r)
        .sessions()
        .map((o) => o.service),
      r.engine.takenOver.reset,
    ]).toEqual([['tcp'], 1]);
  });

  test('whose inspection has other options now', () => {
    const s = two();
    const r = s.heir('ip inspect name OUT-IN smtp max-data 1000\nip inspect audit-trail');
    expect(stopped(r)).toEqual(['smtp 4000 adoption']);
    expect([r.sessionCount, r.engine.takenOver.reset]).toEqual([1, 1]);
  });
});

describe('a record that cannot be one is given up, and nobody is told', () => {
  test.each<[string, (s: Session) => void]>([
    ['a service that there is not', (s) => (s.service = SERVICES.length)],
    ['a rule that there is not', (s) => (s.rule = RULES)],
    ['a state that there is not', (s) => (s.state = 3)],
    ['no timeout', (s) => (s.timeoutMs = 0)],
    ['a negative timeout', (s) => (s.timeoutMs = -1)],
  ])('%s', (_, garble) => {
    const s = new Succession();
    query(s.before, 4000);
    new Talk(s.before, true, 25);
    garble(sessionOf(s.before, 17));
    const r = s.heir();
    expect(r.engine.takenOver).toEqual({ adopted: 1, reset: 0, lost: 1 });
    expect([r.sessionCount, r.injected.length]).toEqual([1, 0]);
    // The place is free again, and its flow.
    expect([query(r, 4000).verdict, r.sessionCount]).toEqual([PASS, 2]);
  });
});

describe('for a new session where the table is full', () => {
  const full = (extra = ''): Succession => {
    const s = new Succession(extra);
    for (let n = 3; n < CAPACITY; n++) new Talk(s.before, true, 25, 5000 + n);
    return s;
  };

  test('the oldest half-open one goes, wherever its record lies', () => {
    const s = full();
    for (const n of [1, 2, 3]) syn(s.before, n);
    s.before.wait(10);
    const at = s.before.engine.sessions.table.cursor();
    at.at = (CAPACITY - 3) * SESSION_WORDS;
    at.created = s.before.now;
    const r = s.heir('ip inspect audit-trail');
    for (const n of [4, 5, 6]) syn(r, n);
    expect(told(r, 'session-stop').map((e) => dotted(e.endpoints.initiator))).toEqual([
      '172.22.2.2',
      '172.22.2.3',
      '172.22.2.1',
    ]);
  });

  test('one that only one side has closed does not go, neither one whose flags are wrong', () => {
    const s = full();
    new Talk(s.before, true, 25, 4001).send(true, 'FA');
    const wrong = new Talk(s.before, true, 25, 4002);
    new Talk(s.before, true, 25, 4003).ends();
    const at = s.before.engine.sessions.table.cursor();
    at.at = (CAPACITY - 2) * SESSION_WORDS;
    expect(at.initiatorPort).toBe(4002);
    at.set(FLAG.expendable | FLAG.ended);
    const r = s.heir('ip inspect audit-trail');
    expect(syn(r, 1)).toBe(PASS);
    expect(stopped(r)).toEqual(['smtp 4003 table-full']);
    establish(r, 1);
    expect(syn(r, 2)).toBe(DROP.sessionLimit);
    wrong.with(r).ends();
    expect(syn(r, 3)).toBe(PASS);
    expect(stopped(r)).toEqual(['smtp 4003 table-full', 'smtp 4002 table-full']);
    expect(r.sessionCount).toBe(CAPACITY);
  });
});

describe('half-open sessions', () => {
  const MARKS = 'ip inspect max-incomplete high 3\nip inspect max-incomplete low 2';

  test('count for the thresholds in the order in which they began', () => {
    const s = new Succession(MARKS);
    for (const n of [5, 3, 4]) {
      syn(s.before, n);
      s.before.wait(10);
    }
    // Their records shall not lie in the order of their age.
    const first = sessionOf(s.before, 6);
    first.created = s.before.now;
    const r = s.heir(`${MARKS}\nip inspect audit-trail`);
    expect(state(r).inspection().current).toEqual([0, 3, 0]);
    for (const n of [6, 7]) syn(r, n);
    expect(told(r, 'aggressive-on').map((e) => e.count)).toEqual([4]);
    syn(r, 8);
    expect(told(r, 'session-stop').map((e) => dotted(e.endpoints.initiator))).toEqual(['172.22.2.3', '172.22.2.4']);
  });

  test('that are established by now do not', () => {
    const s = new Succession(MARKS);
    for (let n = 0; n < 4; n++) new Talk(s.before, true, 25, 4000 + n);
    const r = s.heir(MARKS);
    syn(r, 1);
    expect(told(r, 'aggressive-on')).toEqual([]);
  });

  test('of ip tcp intercept are incomplete still, the oldest first', () => {
    const ON = [
      'access-list 150 permit tcp any host 10.10.10.2 eq 25',
      'ip tcp intercept list 150',
      'ip tcp intercept mode watch',
      'ip tcp intercept max-incomplete high 3',
      'ip tcp intercept max-incomplete low 2',
    ].join('\n');
    const s = new Succession(ON);
    for (const n of [1, 2, 3]) {
      syn(s.before, n);
      s.before.wait(10);
    }
    const first = sessionOf(s.before, 6);
    first.created = s.before.now;
    const r = s.heir(`${ON}\nip inspect audit-trail`);
    expect(r.engine.sessions.intercept.incomplete.count).toBe(3);
    for (const n of [4, 5]) syn(r, n);
    expect(told(r, 'session-stop').map((e) => [dotted(e.endpoints.initiator), e.reason])).toEqual([
      ['172.22.2.2', 'intercept'],
    ]);
  });
});

test('connections that no rule inspects count for their share, and for nothing else', () => {
  const s = new Succession(WEB);
  for (let n = 0; n < 4; n++) new Talk(s.before, true, 80, 4000 + n);
  const r = s.heir(WEB);
  expect(state(r).inspection().current).toEqual([0, 0, 0]);
  const web = tcpPacket({ src: CLIENT, srcPort: 5000, dst: MAIL, dstPort: 80, flags: 'S', seq: 1 });
  expect(r.fromOutside(web).verdict).toBe(DROP.sessionLimit);
  expect(lasts(r, () => r.sessionCount > 0, 3600)).toBe(86_400);
});

describe('FTP', () => {
  const FTP = 'ip inspect name IN-OUT ftp timeout 30';
  const data = { src: INSIDE.address, srcPort: 41_000, dst: OUTSIDE.address, dstPort: 5001 };
  const client = (r: Router3640, more: Partial<TcpFields> & { flags: string }): number =>
    r.fromInside(tcpPacket({ ...data, ...more })).verdict;
  const server = (r: Router3640, flags: string, seq: number): number =>
    r.fromOutside(
      tcpPacket({ src: OUTSIDE.address, srcPort: 5001, dst: INSIDE.seen, dstPort: 41_000, flags, seq, ack: 8 }),
    ).verdict;
  const begin = (extra = FTP): { s: Succession; c: ControlConnection } => {
    const s = new Succession(extra);
    const c = new ControlConnection(s.before, INSIDE, OUTSIDE).login();
    c.say('PASV');
    c.reply('227 ok (172,22,1,10,19,137)');
    return { s, c };
  };
  const open = (r: Router3640): void => {
    expect(client(r, { flags: 'S', seq: 7 })).toBe(PASS);
    expect(server(r, 'SA', 500)).toBe(PASS);
    expect(client(r, { flags: 'A', seq: 8, ack: 501 })).toBe(PASS);
  };
  const services = (r: Router3640): string[] => state(r).sessions().map((o) => o.service).sort(); // prettier-ignore

  test('the connection that was announced is expected still, once', () => {
    const { s } = begin();
    const r = s.heir(FTP);
    expect(r.engine.sessions.expectedFlows(r.now).length).toBe(1);
    open(r);
    expect([services(r), r.engine.sessions.expectedFlows(r.now)]).toEqual([['ftp', 'ftp-data'], []]);
  });

  test('and not when its time is up, or its control connection could not go on', () => {
    const { s } = begin();
    s.before.wait(30_000);
    expect(s.heir(FTP).engine.sessions.expectedFlows(s.before.now)).toEqual([]);
    const other = begin();
    const r = other.s.heir('no ip inspect name IN-OUT ftp\nip inspect name IN-OUT ftp timeout 31');
    expect(r.engine.takenOver.adopted).toBe(1);
    const gone = begin();
    sessionOf(gone.s.before, 6).unset(FLAG.streamed);
    expect(gone.s.heir(FTP).engine.sessions.expectedFlows(gone.s.before.now)).toEqual([]);
  });

  test('the dialogue goes on behind the line that was spoken last', () => {
    const { s, c } = begin();
    const r = s.heir(FTP);
    const rest = new ControlConnection(r, INSIDE, OUTSIDE);
    Object.assign(rest.client, c.client);
    Object.assign(rest.server, c.server);
    expect(rest.say('NOOP')).toBe('NOOP\r\n');
    expect(rest.say('PORT 172,22,1,111,200,10')).not.toBe('');
  });

  test('a data connection keeps its control connection, as before', () => {
    const { s } = begin();
    open(s.before);
    const r = s.heir(FTP);
    for (let n = 0; n < 10; n++) {
      expect(server(r, 'A', 501)).toBe(PASS);
      r.wait(10_000);
    }
    expect(services(r)).toEqual(['ftp', 'ftp-data']);
  });

  test.each<[string, (control: Session) => number]>([
    ['itself', (c) => c.slot + 1],
    ['a record behind the last one', () => CAPACITY + 5],
    ['a number below', () => -1],
    ['a record that is not in use', () => 4],
    ['a session that does not know it', () => 3],
  ])('a control connection that names %s as its data connection has none', (_, related) => {
    const { s } = begin();
    open(s.before);
    query(s.before, 4000);
    new Talk(s.before, true, 25).send(true, 'R');
    const control = sessionOf(s.before, 6);
    control.related = related(control);
    const r = s.heir(FTP);
    for (let n = 0; n < 5; n++) {
      server(r, 'A', 501);
      r.fromOutside(udpPacket(CLIENT, 5000, MAIL, 4000, 'x'));
      r.wait(10_000);
    }
    expect(services(r)).toEqual(['ftp-data', 'udp']);
  });
});

test('all is given up where the names of another data plane cannot be read', () => {
  const left = new LeftMemory();
  const before = new Router3640('', CAPACITY, left.source);
  new ControlConnection(before, INSIDE, OUTSIDE).login().say('PORT 172,22,1,111,200,10');
  opening(before, 1, HOST);
  new Uint8Array(left.buffers.get('names')!).fill(0);
  const r = new Router3640('', CAPACITY, left.source, before.now);
  expect([r.sessionCount, r.engine.sessions.expectedFlows(r.now)]).toEqual([0, []]);
});
