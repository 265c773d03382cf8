import { describe, expect, test } from 'vitest';
import { messagesOf } from '../src/ios/messages.js';
import { SIS } from '../src/core/session/session.js';
import { ABSORBED, DROP, HOLD, PASS } from '../src/core/verdict.js';
import { i32, put16, u16 } from '../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../src/core/wire/checksum.js';
import { checksumsOk, dotted, icmpPacket, tcpPacket, type TcpFields, udpPacket } from './support/packets.js';
import { config3640, type Outcome, Router3640 } from './support/router-3640.js';

const CLIENT = '172.22.1.10';
const MAIL_GLOBAL = '172.22.1.110';
const MAIL = '10.10.10.2';

const latin1Of = (b: Uint8Array): string => Buffer.from(b).toString('latin1');
const srcOf = (o: Outcome): string => dotted(i32(o.bytes, 12));
const dstOf = (o: Outcome): string => dotted(i32(o.bytes, 16));

/** A TCP connection through the router, outside client to the mail server, with its sequence numbers. */
class Connection {
  clientNxt = 1000;
  serverNxt = 5000;
  constructor(
    readonly r: Router3640,
    readonly port = 40000,
  ) {}

  client(flags: string, more: Partial<TcpFields> = {}): Outcome {
    const o = this.r.fromOutside(
      tcpPacket({
        src: CLIENT,
        srcPort: this.port,
        dst: MAIL_GLOBAL,
        dstPort: 25,
        flags,
        seq: this.clientNxt,
        ack: flags.includes('A') ? this.serverNxt : 0,
        ...more,
      }),
    );
    if (o.verdict === PASS) this.clientNxt += length(flags, more);
    return o;
  }

  server(flags: string, more: Partial<TcpFields> = {}): Outcome {
    const o = this.r.fromInside(
      tcpPacket({
        src: MAIL,
        srcPort: 25,
        dst: CLIENT,
        dstPort: this.port,
        flags,
        seq: this.serverNxt,
        ack: flags.includes('A') ? this.clientNxt : 0,
        ...more,
      }),
    );
    if (o.verdict === PASS) this.serverNxt += length(flags, more);
    return o;
  }

  open(): this {
    expect(this.client('S').verdict).toBe(PASS);
    expect(this.server('SA').verdict).toBe(PASS);
    expect(this.client('A').verdict).toBe(PASS);
    return this;
  }
}

const length = (flags: string, more: Partial<TcpFields>): number =>
  (more.payload?.length ?? 0) + (/[SF]/.test(flags) ? 1 : 0);

const payloadOf = (o: Outcome): string => Buffer.from(o.bytes.subarray(40)).toString('latin1');

describe('access list 101 and its implicit deny', () => {
  const denied: [string, Uint8Array][] = [
    ['a SYN to port 80', tcpPacket({ src: CLIENT, srcPort: 4000, dst: MAIL_GLOBAL, dstPort: 80, flags: 'S' })],
    [
      'a SYN to the second host',
      tcpPacket({ src: CLIENT, srcPort: 4000, dst: '172.22.1.111', dstPort: 25, flags: 'S' }),
    ],
    ['a ping', icmpPacket(CLIENT, MAIL_GLOBAL, 8, 0, [0, 7, 0, 1, 1, 2, 3, 4])],
    ['a DNS query', udpPacket(CLIENT, 4000, MAIL_GLOBAL, 53, 'query')],
    ['a SYN to the router itself', tcpPacket({ src: CLIENT, srcPort: 4, dst: '172.22.1.16', dstPort: 25, flags: 'S' })],
    ['a SYN to an inside local address', tcpPacket({ src: CLIENT, srcPort: 4, dst: MAIL, dstPort: 25, flags: 'S' })],
  ];
  test.each(denied)('%s from outside is denied', (_, packet) => {
    const r = new Router3640();
    expect(r.fromOutside(packet).verdict).toBe(DROP.acl);
    expect(r.sessionCount).toBe(0);
  });

  test('only first packets count as matches: the rest of a session bypasses the list', () => {
    const r = new Router3640();
    new Connection(r).open().client('PA', { payload: 'NOOP\r\n' });
    expect(Array.from(r.engine.accessLists.get('101')!.matches)).toEqual([1]);
  });
});

describe('access lists that hold nothing, or change', () => {
  const SYN80 = tcpPacket({ src: CLIENT, srcPort: 4, dst: MAIL_GLOBAL, dstPort: 80, flags: 'S' });

  test('an applied list without entries permits everything, as on IOS', () => {
    const r = new Router3640(
      'no access-list 101\nip access-list extended EMPTY\n remark nothing yet\ninterface Ethernet2/0\n ip access-group EMPTY in',
    );
    expect(r.fromOutside(SYN80).verdict).toBe(PASS);
  });

  test('match counts survive a reload in which other entries have come and gone', () => {
    const r = new Router3640('access-list 101 permit tcp any any eq 99');
    new Connection(r).open();
    const moved = config3640(
      'no access-list 101\naccess-list 101 deny tcp any any eq 98\naccess-list 101 permit tcp any host 172.22.1.110 eq smtp',
    );
    r.configure(moved);
    expect(Array.from(r.engine.accessLists.get('101')!.matches)).toEqual([0, 1]);
  });
});

describe('static NAT', () => {
  test('outside to inside, the destination becomes inside local, and both checksums hold', () => {
    const r = new Router3640();
    const o = new Connection(r).client('S');
    expect([srcOf(o), dstOf(o)]).toEqual([CLIENT, MAIL]);
    expect(checksumsOk(o.bytes)).toBe(true);
  });

  test('the answer leaves with the inside global address', () => {
    const r = new Router3640();
    const c = new Connection(r);
    c.client('S');
    const o = c.server('SA');
    expect([srcOf(o), dstOf(o)]).toEqual([MAIL_GLOBAL, CLIENT]);
    expect(checksumsOk(o.bytes)).toBe(true);
  });

  test('UDP and ICMP echo from inside are translated both ways', () => {
    const r = new Router3640();
    const query = r.fromInside(udpPacket('10.10.10.5', 5353, CLIENT, 5000, 'query'));
    expect(srcOf(query)).toBe('172.22.1.111');
    const answer = r.fromOutside(udpPacket(CLIENT, 5000, '172.22.1.111', 5353, 'answer'));
    expect([answer.verdict, dstOf(answer)]).toEqual([PASS, '10.10.10.5']);
    const ping = r.fromInside(icmpPacket(MAIL, CLIENT, 8, 0, [0, 9, 0, 1, 1, 2]));
    expect(srcOf(ping)).toBe(MAIL_GLOBAL);
    const pong = r.fromOutside(icmpPacket(CLIENT, MAIL_GLOBAL, 0, 0, [0, 9, 0, 1, 1, 2]));
    expect([pong.verdict, dstOf(pong)]).toEqual([PASS, MAIL]);
    for (const o of [query, answer, ping, pong]) expect(checksumsOk(o.bytes)).toBe(true);
  });

  test('a UDP datagram without checksum stays without', () => {
    const r = new Router3640();
    const bytes = udpPacket(MAIL, 5353, CLIENT, 53, 'query');
    bytes[26] = 0;
    bytes[27] = 0;
    expect(u16(r.fromInside(bytes).bytes, 26)).toBe(0);
  });

  test('an ICMP error about a session is let in, and quotes the inside local address inside', () => {
    const r = new Router3640();
    const query = udpPacket(MAIL, 5353, CLIENT, 53, 'query');
    const onTheWire = r.fromInside(query).bytes;
    const error = r.fromOutside(
      icmpPacket('172.22.1.10', MAIL_GLOBAL, 3, 3, [0, 0, 0, 0, ...onTheWire.subarray(0, 28)]),
    );
    expect([error.verdict, dstOf(error)]).toEqual([PASS, MAIL]);
    expect(Array.from(error.bytes.subarray(28, 56))).toEqual(Array.from(query.subarray(0, 28)));
    expect(checksumsOk(error.bytes)).toBe(true);
  });

  test('an ICMP error that quotes no session is denied', () => {
    const r = new Router3640();
    const quoted = udpPacket(MAIL_GLOBAL, 5353, CLIENT, 53, 'query');
    const error = icmpPacket(CLIENT, MAIL_GLOBAL, 3, 3, [0, 0, 0, 0, ...quoted.subarray(0, 28)]);
    expect(r.fromOutside(error).verdict).toBe(DROP.acl);
  });
});

describe('sessions', () => {
  test('SYN opens, the handshake establishes, FIN closes, the finwait timer ends', () => {
    const r = new Router3640();
    const c = new Connection(r);
    const state = (): number => {
      let found = -1;
      r.engine.sessions.table.forEach((s) => (found = s.state));
      return found;
    };
    c.client('S');
    expect(state()).toBe(SIS.opening);
    c.server('SA');
    c.client('A');
    expect(state()).toBe(SIS.open);
    c.client('FA');
    expect(state()).toBe(SIS.closing);
    expect(c.server('FA').verdict).toBe(PASS);
    expect(c.client('A').verdict).toBe(PASS);
    r.wait(4000);
    expect(r.sessionCount).toBe(1);
    r.wait(1500);
    expect(r.sessionCount).toBe(0);
  });

  test.each([
    { name: 'synwait 30 s', open: (c: Connection) => c.client('S'), aliveMs: 29_000, goneMs: 31_000 },
    { name: 'tcp idle 3600 s', open: (c: Connection) => c.open(), aliveMs: 3_599_000, goneMs: 3_601_000 },
  ])('a TCP session ends after $name', ({ open, aliveMs, goneMs }) => {
    const r = new Router3640();
    open(new Connection(r));
    r.wait(aliveMs);
    expect(r.sessionCount).toBe(1);
    r.wait(goneMs - aliveMs);
    expect(r.sessionCount).toBe(0);
  });

  test.each([
    { name: 'UDP 30 s', packet: udpPacket(MAIL, 5353, CLIENT, 5000, 'x'), aliveMs: 29_000 },
    { name: 'ICMP 10 s', packet: icmpPacket(MAIL, CLIENT, 8, 0, [0, 1, 0, 1]), aliveMs: 9000 },
  ])('a session of $name idle ends', ({ packet, aliveMs }) => {
    const r = new Router3640();
    r.fromInside(packet);
    r.wait(aliveMs);
    r.fromInside(packet); // heard again: the time starts anew
    r.wait(aliveMs);
    expect(r.sessionCount).toBe(1);
    r.wait(2000);
    expect(r.sessionCount).toBe(0);
  });

  test('a RST that the receiver is sure to take ends the session at once', () => {
    const r = new Router3640();
    const c = new Connection(r).open();
    expect(c.client('R').verdict).toBe(PASS);
    expect(r.sessionCount).toBe(0);
  });

  const strangers: [string, Partial<TcpFields> & { flags: string }, number][] = [
    ['a RST outside the window', { flags: 'R', seq: 900_000 }, DROP.invalidSeq],
    ['data outside the window', { flags: 'PA', seq: 900_000, payload: 'x' }, DROP.invalidSeq],
    ['an ACK of what was never sent', { flags: 'A', ack: 9_000_000 }, DROP.invalidAck],
    ['a null segment', { flags: '' }, DROP.invalidFlags],
    ['FIN without ACK', { flags: 'F' }, DROP.invalidFlags],
    ['SYN with data', { flags: 'S', payload: 'x' }, DROP.synWithData],
  ];
  test.each(strangers)('%s is dropped and changes nothing', (_, { flags, ...more }, want) => {
    const r = new Router3640();
    const c = new Connection(r).open();
    expect(c.client(flags, more).verdict).toBe(want);
    expect(c.client('PA', { payload: 'NOOP\r\n' }).verdict).toBe(PASS);
  });

  test.each(['A', 'FA', 'SA', 'R', 'FPU', 'PA'])('a %s segment without a session is dropped', (flags) => {
    expect(new Connection(new Router3640()).client(flags).verdict).toBe(DROP.noSession);
    const r = new Router3640();
    const p = tcpPacket({ src: MAIL, srcPort: 3000, dst: CLIENT, dstPort: 443, flags });
    expect(r.fromInside(p).verdict).toBe(DROP.noSession);
  });

  test('a full table refuses new sessions and keeps the old ones', () => {
    const r = new Router3640('', 4);
    const old = new Connection(r, 1).open();
    for (const port of [2, 3, 4]) new Connection(r, port).open();
    expect(new Connection(r, 5).client('S').verdict).toBe(DROP.sessionLimit);
    expect(old.client('PA', { payload: 'NOOP\r\n' }).verdict).toBe(PASS);
    r.wait(3_601_000);
    expect(new Connection(r, 6).client('S').verdict).toBe(PASS);
  });

  test('a host that restarts gets its challenge ACK through, and its RST ends the old session', () => {
    const r = new Router3640();
    const c = new Connection(r).open();
    c.client('PA', { payload: 'NOOP\r\n' });
    const expected = c.clientNxt;
    expect(c.client('S', { seq: 777_777 }).verdict).toBe(PASS);
    c.clientNxt = expected;
    expect(c.server('A').verdict).toBe(PASS);
    expect(c.client('R').verdict).toBe(PASS);
    expect(r.sessionCount).toBe(0);
  });
});

describe('smtp inspection through the whole pipeline', () => {
  const greeted = (): Connection => {
    const c = new Connection(new Router3640()).open();
    c.server('PA', { payload: '220 mail.example.com ESMTP\r\n' });
    return c;
  };

  test('an illegal command is overwritten in place, and the checksum is right', () => {
    const c = greeted();
    const o = c.client('PA', { payload: 'EXPN root\r\n' });
    expect(o.verdict).toBe(PASS);
    expect(payloadOf(o)).toBe('xxxxxxxxx\r\n');
    expect(checksumsOk(o.bytes)).toBe(true);
  });

  test('a retransmission carries what was forwarded, whatever the client sends now', () => {
    const c = greeted();
    const seq = c.clientNxt;
    c.client('PA', { payload: 'EXPN root\r\n' });
    c.clientNxt = seq;
    expect(payloadOf(c.client('PA', { payload: 'HELO root\r\n', seq }))).toBe('xxxxxxxxx\r\n');
  });

  test('a segment that comes too early is held, and released in order when the gap closes', () => {
    const c = greeted();
    const seq = c.clientNxt;
    const early = tcpPacket({
      src: CLIENT,
      srcPort: c.port,
      dst: MAIL_GLOBAL,
      dstPort: 25,
      flags: 'PA',
      seq: seq + 2,
      ack: c.serverNxt,
      payload: 'PN root\r\n',
    });
    expect(c.r.fromOutside(early, 42).verdict).toBe(1); // HOLD
    expect(payloadOf(c.client('PA', { payload: 'EX' }))).toBe('xx');
    expect(c.r.released.map((x) => [x.token, x.verdict])).toEqual([[42, PASS]]);
    const released = c.r.released[0]!.bytes!;
    expect(Buffer.from(released.subarray(40)).toString('latin1')).toBe('xxxxxxx\r\n');
    expect(dotted(i32(released, 16))).toBe(MAIL);
  });

  test('an attack signature resets both ends, each as it knows the other', () => {
    const c = greeted();
    c.client('PA', { payload: 'HELO a\r\n' });
    c.server('PA', { payload: '250 ok\r\n' });
    c.client('PA', { payload: 'MAIL FROM:<a@b>\r\n' });
    c.server('PA', { payload: '250 ok\r\n' });
    expect(c.client('PA', { payload: 'RCPT TO:<|/bin/sh@b>\r\n' }).verdict).toBe(DROP.inspection);
    expect(c.r.sessionCount).toBe(0);
    expect(c.r.injected.map((b) => [dotted(i32(b, 12)), dotted(i32(b, 16)), b[33]! & 4])).toEqual([
      [MAIL_GLOBAL, CLIENT, 4],
      [CLIENT, MAIL, 4],
    ]);
    for (const b of c.r.injected) expect(checksumsOk(b)).toBe(true);
  });
});

describe('ip virtual-reassembly in the pipeline', () => {
  /** Cuts an IPv4 packet's payload into fragments of `size` bytes, a multiple of 8. */
  function fragmentsOf(bytes: Uint8Array, size: number): Uint8Array[] {
    const out: Uint8Array[] = [];
    for (let at = 20; at < bytes.length; at += size) {
      const end = Math.min(at + size, bytes.length);
      const f = new Uint8Array(20 + end - at);
      f.set(bytes.subarray(0, 20));
      f.set(bytes.subarray(at, end), 20);
      put16(f, 2, f.length);
      put16(f, 6, ((at - 20) / 8) | (end < bytes.length ? 0x2000 : 0));
      writeIpv4Checksum(f, 0, 20);
      out.push(f);
    }
    return out;
  }

  test('a command in fragments is inspected as a whole, and goes on whole, masked and translated', () => {
    const r = new Router3640();
    const c = new Connection(r).open();
    c.server('PA', { payload: '220 ready\r\n' });
    const whole = tcpPacket({
      src: CLIENT,
      srcPort: c.port,
      dst: MAIL_GLOBAL,
      dstPort: 25,
      flags: 'PA',
      seq: c.clientNxt,
      ack: c.serverNxt,
      payload: `EXPN ${'root'.repeat(8)}\r\n`,
    });
    const [first, second, third] = fragmentsOf(whole, 24) as [Uint8Array, Uint8Array, Uint8Array];
    expect(r.fromOutside(third, 3).verdict).toBe(HOLD);
    expect(r.fromOutside(first, 1).verdict).toBe(HOLD);
    const last = r.fromOutside(second, 2);
    expect(last.verdict).toBe(PASS);
    expect(r.released).toEqual([
      { token: 1, verdict: ABSORBED, bytes: undefined },
      { token: 3, verdict: ABSORBED, bytes: undefined },
    ]);
    expect(dotted(i32(last.bytes, 16))).toBe(MAIL);
    expect(checksumsOk(last.bytes)).toBe(true);
    expect(latin1Of(last.bytes.subarray(40))).toBe(`${'x'.repeat(37)}\r\n`);
    expect(r.engine.drops.every((n) => n === 0)).toBe(true);
  });

  test('a segment in fragments that waits for another one goes out whole, by the token of the last fragment', () => {
    const r = new Router3640();
    const c = new Connection(r).open();
    c.server('PA', { payload: '220 ready\r\n' });
    const text = `NOOP ${'a'.repeat(80)}\r\n`;
    const fields = { src: CLIENT, srcPort: c.port, dst: MAIL_GLOBAL, dstPort: 25, flags: 'PA', ack: c.serverNxt };
    const later = tcpPacket({ ...fields, seq: c.clientNxt + 8, payload: text });
    const parts = fragmentsOf(later, 48);
    expect(parts.map((f, i) => r.fromOutside(f, i + 1).verdict)).toEqual([HOLD, HOLD, HOLD]);
    expect(r.released.map((x) => [x.token, x.verdict])).toEqual([
      [1, ABSORBED],
      [2, ABSORBED],
    ]);
    r.fromOutside(tcpPacket({ ...fields, seq: c.clientNxt, payload: 'HELO a\r\n' }), 4);
    const { token, verdict, bytes } = r.released[2]!;
    expect([token, verdict]).toEqual([3, PASS]);
    expect(latin1Of(bytes!.subarray(40))).toBe(text);
    expect(dotted(i32(bytes!, 16))).toBe(MAIL);
    expect(checksumsOk(bytes!)).toBe(true);
    expect([u16(bytes!, 4) === 0x1234, u16(bytes!, 6)]).toEqual([false, 0]);
  });

  test('overlapping fragments are dropped whole, with an alert', () => {
    const r = new Router3640();
    const whole = udpPacket(MAIL, 5000, CLIENT, 53, 'x'.repeat(64));
    const [first, second] = fragmentsOf(whole, 24) as [Uint8Array, Uint8Array];
    put16(second, 6, 0x2002); // begins inside the first
    writeIpv4Checksum(second, 0, 20);
    r.fromInside(first, 1);
    expect(r.fromInside(second, 2).verdict).toBe(DROP.fragment);
    expect(r.released).toEqual([{ token: 1, verdict: DROP.fragment, bytes: undefined }]);
    expect(r.events.map((e) => e.type)).toEqual(['fragments']);
  });
});

describe('debug', () => {
  const lines = (r: Router3640): string[] =>
    r.events.flatMap((e) => (e.type === 'debug' ? messagesOf(e).map((m) => m.text) : []));

  test.each([
    ['nat', ['NAT: s=172.22.1.10, d=172.22.1.110->10.10.10.2 [4660]']],
    ['packet', ['IP: s=172.22.1.10 (Ethernet2/0), d=10.10.10.2 (Ethernet2/1), len 40, forward']],
    ['objectCreation', ['CBAC OBJ_CREATE: create sis 63000000']],
    ['tcp', ['CBAC sis 63000000 pak 0 TCP S seq 1000(0) (172.22.1.10:40000) => (10.10.10.2:25)']],
  ] as const)('%s prints its lines when it is on', (flag, want) => {
    const quiet = new Router3640();
    new Connection(quiet).client('S');
    expect(lines(quiet)).toEqual([]);
    const r = new Router3640();
    r.engine.debug[flag] = true;
    new Connection(r).client('S');
    expect(lines(r)).toEqual(want);
  });
});
