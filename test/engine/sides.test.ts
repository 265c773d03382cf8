/** A side of a session speaks by the interface that leads to it; an inside address does not come from outside. */
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/core/engine.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import type { RouterConfig } from '../../src/ios/config/model.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { dotted, icmpPacket, received, sent, tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { config3640, DROP, type Outcome, PASS } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const GLOBAL = '172.22.1.110';
const MAIL = '10.10.10.2';
const OUT = 'Ethernet2/0';
const IN = 'Ethernet2/1';
/** A third interface, and another router behind it. */
const BACKUP = 'Ethernet2/2';
const THREE = `interface Ethernet2/2
 ip address 192.0.2.1 255.255.255.0
 ip nat outside
 ip access-group 101 in
 ip inspect OUT-IN in`;

class Router {
  readonly engine: Engine;
  config: RouterConfig;
  readonly injected: Uint8Array[] = [];
  now = 1000;
  constructor(extra = '') {
    this.config = config3640(extra);
    this.engine = new Engine(
      compilePolicy(this.config),
      { capacity: 64, seed: 7, now: this.now },
      {
        event: () => undefined,
        inject: (b) => this.injected.push(b.slice()),
        release: () => undefined,
      },
    );
  }

  from(name: string, bytes: Uint8Array): Outcome {
    const packet = received(
      bytes,
      this.config.interfaces.findIndex((i) => i.name === name),
    );
    const verdict = this.engine.handle(packet, this.now);
    return { verdict, bytes: sent(packet), packet };
  }

  configure(config: RouterConfig): void {
    this.config = config;
    this.engine.configure(compilePolicy(config), this.now);
  }

  get drops(): { wrongInterface: number; spoofed: number } {
    const { drops } = this.engine;
    return { wrongInterface: drops[DROP.wrongInterface]!, spoofed: drops[DROP.spoofed]! };
  }
}

const client = (flags: string, more: Partial<TcpFields> = {}): Uint8Array =>
  tcpPacket({ src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 25, flags, ...more });
const server = (flags: string, more: Partial<TcpFields> = {}): Uint8Array =>
  tcpPacket({ src: MAIL, srcPort: 25, dst: CLIENT, dstPort: 4000, flags, ...more });

function open(r: Router, outside = OUT): void {
  expect(r.from(outside, client('S', { seq: 100 })).verdict).toBe(PASS);
  expect(r.from(IN, server('SA', { seq: 500, ack: 101 })).verdict).toBe(PASS);
  expect(r.from(outside, client('A', { seq: 101, ack: 501 })).verdict).toBe(PASS);
}
const noop = (): Uint8Array => client('PA', { seq: 101, ack: 501, payload: 'NOOP\r\n' });

describe("packets of a session's side from another interface", () => {
  test('a reply of the server that comes from outside is no reply: it opens nothing to the next line', () => {
    const r = new Router();
    open(r);
    r.from(IN, server('PA', { seq: 501, ack: 101, payload: '220 mail\r\n' }));
    const at = 511;
    const dialogue: [string, string][] = [
      ['HELO a\r\n', '250 ok\r\n'],
      ['MAIL FROM:<a@b>\r\n', '250 ok\r\n'],
      ['RCPT TO:<a@b>\r\n', '250 ok\r\n'],
      ['DATA\r\n', '354 go\r\n'],
    ];
    let seq = 101;
    let ack = at;
    for (const [command, reply] of dialogue) {
      r.from(OUT, client('PA', { seq, ack, payload: command }));
      seq += command.length;
      // The 354 is the client's own work.
      const forged = reply.startsWith('354');
      const o = r.from(forged ? OUT : IN, server('PA', { seq: ack, ack: seq, payload: reply }));
      expect(o.verdict).toBe(forged ? DROP.wrongInterface : PASS);
      if (!forged) ack += reply.length;
    }
    const evil = r.from(OUT, client('PA', { seq, ack, payload: 'EXPN root\r\n' }));
    expect(Buffer.from(evil.bytes.subarray(40)).toString('latin1')).not.toContain('EXPN');
    expect(r.drops).toEqual({ wrongInterface: 1, spoofed: 0 });
  });

  const wrong: [string, string, (r: Router) => Uint8Array][] = [
    ['a RST of the server from outside', OUT, () => server('RA', { seq: 501, ack: 101 })],
    ['a segment of the client from inside', IN, () => noop()],
    ['a RST of the client from inside', IN, () => client('R', { seq: 101 })],
    [
      'an ICMP error about what the client sent, from outside',
      OUT,
      () => icmpPacket(MAIL, CLIENT, 3, 1, [0, 0, 0, 0, ...tcpPacket({ ...flow, dst: MAIL }).subarray(0, 28)]),
    ],
  ];
  const flow = { src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 25, flags: 'A', seq: 101, ack: 501 };
  test.each(wrong)('%s is dropped, and the session goes on', (_, name, packet) => {
    const r = new Router('access-list 101 permit ip any any');
    open(r);
    expect(r.from(name, packet(r)).verdict).toBe(DROP.wrongInterface);
    expect(r.from(OUT, noop()).verdict).toBe(PASS);
    expect(r.from(IN, server('PA', { seq: 501, ack: 107, payload: '250 ok\r\n' })).verdict).toBe(PASS);
  });

  test('a SYN of a closed connection from the wrong interface does not end its session', () => {
    const r = new Router('access-list 101 permit ip any any');
    open(r);
    r.from(OUT, client('FA', { seq: 101, ack: 501 }));
    r.from(IN, server('FA', { seq: 501, ack: 102 }));
    expect(r.from(IN, client('S', { seq: 900 })).verdict).toBe(DROP.wrongInterface);
    expect(r.from(OUT, client('A', { seq: 102, ack: 502 })).verdict).toBe(PASS);
  });

  test.each([
    ['UDP', udpPacket(MAIL, 5353, CLIENT, 5000, 'q'), udpPacket(CLIENT, 5000, GLOBAL, 5353, 'a')],
    ['ICMP', icmpPacket(MAIL, CLIENT, 8, 0, [0, 9, 0, 1, 1, 2]), icmpPacket(CLIENT, GLOBAL, 0, 0, [0, 9, 0, 1, 1, 2])],
  ])('%s: the answer comes by the interface that the question left by', (_, question, answer) => {
    const r = new Router(THREE);
    r.from(IN, question);
    expect(r.from(BACKUP, answer).verdict).toBe(DROP.wrongInterface);
    expect(r.from(OUT, answer).verdict).toBe(PASS);
  });

  test('a connection that no rule inspects has its sides, too', () => {
    const r = new Router(`${THREE}\naccess-list 101 permit tcp any any eq www`);
    const syn = client('S', { dstPort: 80, seq: 100 });
    const answer = { srcPort: 80, seq: 500, ack: 101 };
    r.from(OUT, syn);
    expect(r.from(BACKUP, tcpPacket({ ...flow, dstPort: 80, flags: 'R', seq: 101 })).verdict).toBe(DROP.wrongInterface);
    expect(r.from(IN, server('SA', answer)).verdict).toBe(PASS);
  });

  test('a data connection begins where the control connection has that end', () => {
    const ftp = (flags: string, more: Partial<TcpFields> = {}): Uint8Array =>
      tcpPacket({ src: MAIL, srcPort: 3000, dst: CLIENT, dstPort: 21, flags, ...more });
    const reply = (flags: string, more: Partial<TcpFields> = {}): Uint8Array =>
      tcpPacket({ src: CLIENT, srcPort: 21, dst: GLOBAL, dstPort: 3000, flags, ...more });
    const r = new Router(THREE);
    r.from(IN, ftp('S', { seq: 10 }));
    r.from(OUT, reply('SA', { seq: 20, ack: 11 }));
    r.from(IN, ftp('A', { seq: 11, ack: 21 }));
    let seq = 11;
    let ack = 21;
    const say = (command: string, answer: string): void => {
      r.from(IN, ftp('PA', { seq, ack, payload: command }));
      seq += command.length;
      r.from(OUT, reply('PA', { seq: ack, ack: seq, payload: answer }));
      ack += answer.length;
    };
    r.from(OUT, reply('PA', { seq: ack, ack: seq, payload: '220 hi\r\n' }));
    ack += 8;
    say('USER a\r\n', '331 ok\r\n');
    say('PASS a\r\n', '230 ok\r\n');
    const port = 'PORT 10,10,10,2,19,136\r\n';
    r.from(IN, ftp('PA', { seq, ack, payload: port }));
    const data = tcpPacket({ src: CLIENT, srcPort: 20, dst: GLOBAL, dstPort: 5000, flags: 'S', seq: 1 });
    expect(r.from(BACKUP, data).verdict).toBe(DROP.wrongInterface);
    expect(r.from(OUT, data).verdict).toBe(PASS);
  });
});

describe('the ways to a side change', () => {
  const AWAY = 'ip route 172.22.1.10 255.255.255.255 192.0.2.9';

  test('where the routes now lead to it by another interface, the session goes on there, and only there', () => {
    const r = new Router(THREE);
    open(r);
    expect(r.from(BACKUP, noop()).verdict).toBe(DROP.wrongInterface);
    r.configure(config3640(`${THREE}\n${AWAY}`));
    expect(r.from(BACKUP, noop()).verdict).toBe(PASS);
    expect(r.from(OUT, noop()).verdict).toBe(DROP.wrongInterface);
  });

  test('of several routes to one prefix each is good, the floating one too', () => {
    const several = ['192.0.2.9', '172.22.1.1 5'].map((hop) => `ip route 198.51.100.0 255.255.255.0 ${hop}`);
    const r = new Router([THREE, ...several].join('\n'));
    const far = { src: '198.51.100.7' };
    r.from(OUT, client('S', { ...far, seq: 100 }));
    const answer = tcpPacket({ src: MAIL, srcPort: 25, dst: far.src, dstPort: 4000, flags: 'SA', seq: 500, ack: 101 });
    expect(r.from(IN, answer).verdict).toBe(PASS);
    expect(r.from(BACKUP, client('A', { ...far, seq: 101, ack: 501 })).verdict).toBe(PASS);
    expect(r.from(OUT, client('A', { ...far, seq: 101, ack: 501 })).verdict).toBe(PASS);
  });

  test('interfaces that come, go and are named in another order keep their sessions', () => {
    const r = new Router();
    open(r);
    const before = r.config;
    const moved = config3640(THREE);
    moved.interfaces.reverse();
    r.configure(moved);
    expect(r.from(OUT, noop()).verdict).toBe(PASS);
    expect(r.from(OUT, server('RA', { seq: 501, ack: 107 })).verdict).toBe(DROP.wrongInterface);
    r.configure({ ...before, interfaces: before.interfaces.filter((i) => !i.name.startsWith('Serial')) });
    expect(r.from(IN, server('PA', { seq: 501, ack: 107, payload: '250 ok\r\n' })).verdict).toBe(PASS);
  });
});

describe('inside addresses as the source of what comes in by an outside interface', () => {
  const ANY = 'access-list 101 permit ip any any';
  const ROUTED = 'ip route 10.20.0.0 255.255.0.0 10.10.10.254';
  test.each([
    ['an inside host', '10.10.10.9'],
    ['a host behind an inside router', '10.20.3.4'],
    ['the router itself', '172.22.1.16'],
    ['the router inside', '10.10.10.1'],
    ['a multicast group', '224.0.0.5'],
  ])('%s: spoofed', (_, src) => {
    const r = new Router(`${ANY}\n${ROUTED}`);
    for (const bytes of [
      client('S', { src }),
      udpPacket(src, 1, GLOBAL, 2, 'x'),
      udpPacket(src, 1, '172.22.1.16', 2, 'x'),
    ])
      expect(r.from(OUT, bytes).verdict).toBe(DROP.spoofed);
    expect(r.drops.spoofed).toBe(3);
    expect(r.injected).toEqual([]);
  });

  test('a host of the outside network, and one behind the default route, are what they say', () => {
    const r = new Router(ANY);
    for (const src of [CLIENT, '203.0.113.9']) expect(r.from(OUT, client('S', { src })).verdict).toBe(PASS);
  });

  test('a default route by an inside interface makes nobody an inside host', () => {
    const r = new Router(`${ANY}\nno ip route 0.0.0.0 0.0.0.0 172.22.1.1\nip route 0.0.0.0 0.0.0.0 10.10.10.254`);
    expect(r.from(OUT, client('S', { src: '203.0.113.9' })).verdict).toBe(PASS);
    expect(r.from(OUT, client('S', { src: MAIL })).verdict).toBe(DROP.spoofed);
  });

  test('the neighbour on a /31 is no broadcast address', () => {
    const r = new Router(`${ANY}\ninterface Ethernet2/0\n ip address 172.22.1.16 255.255.255.254`);
    expect(r.from(OUT, client('S', { src: '172.22.1.17' })).verdict).toBe(PASS);
  });

  test('without NAT no side is known for outside: access lists decide, as on IOS', () => {
    const none = `${ANY}\ninterface ${OUT}\n no ip nat outside\ninterface ${IN}\n no ip nat inside`;
    const r = new Router(none);
    expect(r.from(OUT, client('S', { src: '10.10.10.9', dst: MAIL })).verdict).toBe(PASS);
  });

  test('an inside host calls another by its inside global address (hairpin), as before', () => {
    const r = new Router();
    const o = r.from(IN, client('S', { src: '10.10.10.5' }));
    expect([o.verdict, dotted(i32(o.bytes, 16))]).toEqual([PASS, MAIL]);
    const back = r.from(
      IN,
      tcpPacket({ src: MAIL, srcPort: 25, dst: '172.22.1.111', dstPort: 4000, flags: 'SA', seq: 1, ack: 1 }),
    );
    expect(back.verdict).toBe(PASS);
  });
});
