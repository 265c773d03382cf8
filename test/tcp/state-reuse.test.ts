/** A four-tuple that is used again, and segments that would end a connection at an end and not in the session table. */
import { describe, expect, test } from 'vitest';
import { i32, u8, u16 } from '../../src/core/wire/bytes.js';
import { fragmentsAt } from '../fragment/fragments.js';
import { checksumsOk, dotted, tcpPacket, type TcpFields } from '../support/packets.js';
import { DROP, type Outcome, PASS, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const GLOBAL = '172.22.1.110';
const LOCAL = '10.10.10.2';
const IDLE_MS = 3_600_000;
const SCALE_7 = [3, 3, 7, 1];

const client = (r: Router3640, flags: string, more: Partial<TcpFields> = {}): Outcome =>
  r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 25, flags, ...more }));
const server = (r: Router3640, flags: string, more: Partial<TcpFields> = {}): Outcome =>
  r.fromInside(tcpPacket({ src: LOCAL, srcPort: 25, dst: CLIENT, dstPort: 4000, flags, ...more }));
const pass = (o: Outcome): void => expect(o.verdict).toBe(PASS);

/** Client's next byte 1007, all acknowledged; server's 5009, of which the client has acknowledged all. */
function open(extra = 'ip inspect audit-trail'): Router3640 {
  const r = new Router3640(extra);
  pass(client(r, 'S', { seq: 1000, options: SCALE_7, window: 500 }));
  pass(server(r, 'SA', { seq: 5000, ack: 1001, options: SCALE_7, window: 500 }));
  pass(client(r, 'A', { seq: 1001, ack: 5001, window: 200 }));
  pass(server(r, 'PA', { seq: 5001, ack: 1001, payload: '220 hi\r\n', window: 100 }));
  pass(client(r, 'PA', { seq: 1001, ack: 5009, payload: 'NOOP\r\n', window: 200 }));
  pass(server(r, 'A', { seq: 5009, ack: 1007, window: 100 }));
  return r;
}

/** What the router has sent of its own: to whom, flags, seq, ack, window. */
const own = (r: Router3640): [to: string, flags: number, seq: number, ack: number, window: number][] =>
  r.injected.splice(0).map((b) => {
    expect(checksumsOk(b)).toBe(true);
    return [dotted(i32(b, 16)), u8(b, 33), i32(b, 24), i32(b, 28), u16(b, 34)];
  });
const trail = (r: Router3640): string[] => r.events.filter((e) => /^session/.test(e.type)).map((e) => e.type);
const state = (r: Router3640): number => r.engine.sessions.table.session.state;

describe('a client is back with the port of a session that lives', () => {
  const FAR = 700_000_000;
  const NEAR = 2000;

  test('and the server has forgotten the old connection: the SYN ACK puts a new session in its place', () => {
    const r = open();
    pass(client(r, 'S', { seq: FAR, options: [3, 3, 2, 1], window: 300 }));
    pass(server(r, 'SA', { seq: 9000, ack: FAR + 1, options: SCALE_7 }));
    expect(trail(r)).toEqual(['session-start', 'session-stop', 'session-start']);
    expect(r.events.find((e) => e.type === 'session-stop')).toMatchObject({ reason: 'replaced', sent: 6, received: 8 });
    expect([r.sessionCount, own(r)]).toEqual([1, []]);
    const { statistics } = r.engine.sessions;
    expect([statistics.created, statistics.halfOpen, statistics.established]).toEqual([2, 1, 0]);
    // 300 << 2: the window of the new SYN counts, and its scale.
    pass(client(r, 'A', { seq: FAR + 1, ack: 9001, window: 300 }));
    expect([statistics.halfOpen, statistics.established]).toEqual([0, 1]);
    expect(server(r, 'PA', { seq: 9001 + 1200, ack: FAR + 1, payload: '22' }).verdict).toBe(DROP.invalidSeq);
    pass(server(r, 'PA', { seq: 9001, ack: FAR + 1, payload: '220 hi\r\n' }));
    const line = client(r, 'PA', { seq: FAR + 1, ack: 9009, payload: 'EXPN root\r\n' });
    expect(Buffer.from(line.bytes.subarray(40)).toString()).toBe('xxxxxxxxx\r\n');
    expect(client(r, 'PA', { seq: 1007, ack: 5009, payload: 'NOOP\r\n' }).verdict).toBe(DROP.invalidSeq);
  });

  test('and nothing listens there any more: the refusal passes, and the session ends', () => {
    const r = open();
    pass(client(r, 'S', { seq: FAR }));
    expect(server(r, 'RA', { seq: 0, ack: FAR }).verdict).toBe(DROP.invalidSeq);
    expect(r.sessionCount).toBe(1);
    pass(server(r, 'RA', { seq: 0, ack: FAR + 1 }));
    expect(r.sessionCount).toBe(0);
  });

  test('and the server still has the connection: its challenge ACK passes, and the RST it gets ends the session', () => {
    const r = open();
    pass(client(r, 'S', { seq: FAR }));
    pass(server(r, 'A', { seq: 5009, ack: 1007 }));
    pass(client(r, 'R', { seq: 1007 }));
    expect(r.sessionCount).toBe(0);
    pass(client(r, 'S', { seq: FAR }));
    pass(server(r, 'SA', { seq: 9000, ack: FAR + 1 }));
  });

  test.each([
    ['with a number that could be one of the old connection', { seq: NEAR }],
    ['with the old number', { seq: 1000 }],
  ])('%s: the SYN stays here, and both ends are asked, twice a second at most', (_, syn) => {
    const r = open();
    expect(client(r, 'S', syn).verdict).toBe(DROP.invalidFlags);
    expect(own(r)).toEqual([
      [CLIENT, 0x10, 5009, 1007, 100],
      [LOCAL, 0x10, 1006, 5009, 200],
    ]);
    expect(client(r, 'S', syn).verdict).toBe(DROP.invalidFlags);
    r.wait(499);
    expect(client(r, 'S', syn).verdict).toBe(DROP.invalidFlags);
    expect(own(r)).toEqual([]);
    r.wait(1);
    expect(client(r, 'S', syn).verdict).toBe(DROP.invalidFlags);
    expect(own(r)).toHaveLength(2);
    expect(trail(r)).toEqual(['session-start']);
  });

  test('the access list is asked as for a first packet', () => {
    const r = open();
    pass(client(r, 'S', { seq: FAR }));
    const changed = new Router3640('no access-list 101\naccess-list 101 deny ip any any').config;
    r.configure(changed);
    expect(client(r, 'S', { seq: FAR }).verdict).toBe(DROP.acl);
    expect(client(r, 'PA', { seq: 1007, ack: 5009, payload: 'NOOP\r\n' }).verdict).toBe(PASS);
  });

  test('and only for it: the fragments of other sessions bypass the list as before', () => {
    const HOST = { src: '10.10.10.5', srcPort: 4000, dst: CLIENT, dstPort: 443 };
    const PEER = { src: CLIENT, srcPort: 443, dst: '172.22.1.111', dstPort: 4000 };
    const r = open();
    pass(r.fromInside(tcpPacket({ ...HOST, flags: 'S', seq: 100 })));
    pass(r.fromOutside(tcpPacket({ ...PEER, flags: 'SA', seq: 500, ack: 101 })));
    pass(r.fromInside(tcpPacket({ ...HOST, flags: 'A', seq: 101, ack: 501 })));
    const answer = tcpPacket({ ...PEER, flags: 'PA', seq: 501, ack: 101, payload: 'x'.repeat(100) });
    pass(client(r, 'S', { seq: FAR }));
    const verdicts = fragmentsAt(answer, [5, 10]).map((f, token) => r.fromOutside(f, token + 1).verdict);
    expect(verdicts).not.toContain(DROP.acl);
    expect(r.engine.drops[DROP.acl]).toBe(0);
  });

  test.each([FAR, NEAR])('its SYNs keep no session alive (ISN %i)', (seq) => {
    const r = open();
    for (let n = 0; n < 4; n++) {
      r.wait(IDLE_MS / 4 - 100);
      client(r, 'S', { seq });
      expect(r.sessionCount).toBe(1);
    }
    r.wait(1000);
    expect(r.sessionCount).toBe(0);
  });

  test('a SYN ACK for a SYN that nobody sent changes nothing', () => {
    const r = open();
    pass(client(r, 'S', { seq: FAR }));
    expect(server(r, 'SA', { seq: 9000, ack: FAR + 2 }).verdict).toBe(DROP.invalidFlags);
    pass(client(r, 'PA', { seq: 1007, ack: 5009, payload: 'NOOP\r\n' }));
    expect(trail(r)).toEqual(['session-start']);
  });

  test('the server has begun anew without us: a SYN ACK with another number for our own SYN ends the session', () => {
    const r = open();
    expect(server(r, 'SA', { seq: 9000, ack: 1001 }).verdict).toBe(DROP.invalidFlags);
    expect(r.sessionCount).toBe(0);
    expect(own(r).map(([to, flags]) => [to, flags & 4])).toEqual([
      [CLIENT, 4],
      [LOCAL, 4],
    ]);
  });

  test('a SYN of the server: it stays here, and both ends are asked', () => {
    const r = open();
    expect(server(r, 'S', { seq: 700_000_000 }).verdict).toBe(DROP.invalidFlags);
    expect(own(r)).toEqual([
      [LOCAL, 0x10, 1007, 5009, 200],
      [CLIENT, 0x10, 5008, 1007, 100],
    ]);
  });

  test('a connection that no rule inspects is replaced, too, and still counts once', () => {
    const WEB = 'access-list 101 permit tcp any host 172.22.1.110 eq www';
    const r = new Router3640(WEB, 16);
    const to80 = { dstPort: 80 };
    const from80 = { srcPort: 80 };
    pass(client(r, 'S', { ...to80, seq: 1000 }));
    pass(server(r, 'SA', { ...from80, seq: 5000, ack: 1001 }));
    pass(client(r, 'A', { ...to80, seq: 1001, ack: 5001 }));
    pass(client(r, 'S', { ...to80, seq: FAR }));
    pass(server(r, 'SA', { ...from80, seq: 9000, ack: FAR + 1 }));
    pass(client(r, 'A', { ...to80, seq: FAR + 1, ack: 9001 }));
    expect([r.sessionCount, state(r)]).toEqual([1, 1]);
    // A quarter of sixteen may be such connections: the next one takes the place of the first that is half-open.
    for (const srcPort of [1, 2, 3]) pass(client(r, 'S', { ...to80, srcPort }));
    expect(r.sessionCount).toBe(4);
    pass(client(r, 'S', { ...to80, srcPort: 4 }));
    expect(r.sessionCount).toBe(4);
    expect(client(r, 'PA', { ...to80, seq: FAR + 1, ack: 9001, payload: 'x' }).verdict).toBe(PASS);
  });
});

describe('a session whose SYN is not answered yet', () => {
  function asked(): Router3640 {
    const r = new Router3640();
    pass(client(r, 'S', { seq: 1000 }));
    return r;
  }

  test('a server with an older connection may say so, is reset, and answers the next SYN', () => {
    const r = asked();
    pass(server(r, 'A', { seq: 77, ack: 333 }));
    pass(client(r, 'R', { seq: 333 }));
    expect(r.sessionCount).toBe(1);
    pass(client(r, 'S', { seq: 1000 }));
    pass(server(r, 'SA', { seq: 5000, ack: 1001 }));
    pass(client(r, 'A', { seq: 1001, ack: 5001 }));
    expect(state(r)).toBe(1);
  });

  test.each([
    ['data', 'A', '220 hi\r\n'],
    ['a FIN', 'FA', ''],
    ['a pushed segment', 'PA', ''],
  ])('%s is no such answer', (_, flags, payload) => {
    expect(server(asked(), flags, { seq: 77, ack: 333, payload }).verdict).toBe(DROP.invalidSegment);
  });

  test('a bare ACK of the client passes as little as any other RST', () => {
    const r = asked();
    pass(server(r, 'A', { seq: 77, ack: 333 }));
    expect(client(r, 'A', { seq: 333, ack: 77 }).verdict).toBe(DROP.invalidSegment);
    expect(client(r, 'R', { seq: 334 }).verdict).toBe(DROP.invalidSeq);
    pass(client(r, 'R', { seq: 1001 }));
    expect(r.sessionCount).toBe(0);
  });
});

describe('a RST', () => {
  /** Twelve bytes of the client under way to the server. */
  function underWay(): Router3640 {
    const r = open();
    pass(client(r, 'PA', { seq: 1007, ack: 5009, payload: 'NOOP\r\n', window: 200 }));
    pass(client(r, 'PA', { seq: 1013, ack: 5009, payload: 'NOOP\r\n', window: 200 }));
    return r;
  }

  test.each([1007, 1019])('with the number that the server may expect passes and ends the session (%i)', (seq) => {
    const r = underWay();
    pass(client(r, 'R', { seq }));
    expect(r.sessionCount).toBe(0);
  });

  test.each([1008, 1013, 1020, 1500])(
    'with another one in the window stays here, and its sender is asked (%i)',
    (seq) => {
      const r = underWay();
      expect(client(r, 'R', { seq }).verdict).toBe(DROP.invalidSeq);
      expect(own(r)).toEqual([[CLIENT, 0x10, 5009, 1007, 100]]);
      pass(client(r, 'R', { seq: 1007 }));
      expect(r.sessionCount).toBe(0);
    },
  );

  test.each([1006, 1007 + (100 << 7) + 1])('outside the window is dropped, and nobody is asked (%i)', (seq) => {
    const r = underWay();
    expect(client(r, 'R', { seq }).verdict).toBe(DROP.invalidSeq);
    expect(own(r)).toEqual([]);
    expect(r.sessionCount).toBe(1);
  });
});

describe('an old acknowledgement', () => {
  test('passes, and is no sign of life', () => {
    const r = open();
    r.wait(IDLE_MS - 1000);
    pass(server(r, 'A', { seq: 5009, ack: 1001 }));
    r.wait(2000);
    expect(r.sessionCount).toBe(0);
  });

  test('moves no edge of the window', () => {
    const r = open();
    pass(server(r, 'A', { seq: 5009, ack: 1001, window: 60_000 }));
    const beyond = { seq: 1007 + (100 << 7), ack: 5009, payload: 'NOOP\r\n' };
    expect(client(r, 'PA', beyond).verdict).toBe(DROP.invalidSeq);
  });

  test.each([
    ['of the first byte there was passes with its data', 5001, PASS],
    ['of more than there ever was is dropped with its data', 5000, DROP.invalidAck],
    ['of a connection before is dropped with its data', 5009 - 60_000, DROP.invalidAck],
  ])('%s', (_, ack, verdict) => {
    const r = open();
    expect(client(r, 'PA', { seq: 1007, ack, payload: 'NOOP\r\n' }).verdict).toBe(verdict);
  });

  test('completes no handshake', () => {
    const r = new Router3640();
    pass(client(r, 'S', { seq: 1000 }));
    pass(server(r, 'SA', { seq: 5000, ack: 1001 }));
    expect(client(r, 'A', { seq: 1001, ack: 5000 }).verdict).toBe(DROP.invalidAck);
    expect(state(r)).toBe(0);
  });
});

test('a closed connection makes place for a SYN only when both ends have acknowledged all', () => {
  const r = open();
  pass(server(r, 'FA', { seq: 5009, ack: 1007 }));
  pass(client(r, 'FA', { seq: 1007, ack: 5010 }));
  client(r, 'S', { seq: 2000 });
  expect(trail(r)).toEqual(['session-start']);
  pass(server(r, 'A', { seq: 5010, ack: 1008 }));
  pass(client(r, 'S', { seq: 2000 }));
  expect(trail(r)).toEqual(['session-start', 'session-stop', 'session-start']);
});
