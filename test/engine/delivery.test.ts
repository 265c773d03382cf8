/** What our own hop drops has not happened; what an inspected stream sends on arrives behind us, too. */
import { describe, expect, test } from 'vitest';
import { RouterState } from '../../src/core/state/router-state.js';
import { i32, put16, u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk, dotted, icmpPacket, received, tcpPacket, type TcpFields, udpPacket, withHeader, withIpOptions } from '../support/packets.js'; // prettier-ignore
import { config3640, DROP, type Outcome, PASS, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const GLOBAL = '172.22.1.110';
const MAIL = '10.10.10.2';
const DONT_FRAGMENT = 0x4000;

const client = (flags: string, more: Partial<TcpFields> = {}): Uint8Array =>
  tcpPacket({ src: CLIENT, srcPort: 4000, dst: GLOBAL, dstPort: 25, flags, ...more });
const server = (flags: string, more: Partial<TcpFields> = {}): Uint8Array =>
  tcpPacket({ src: MAIL, srcPort: 25, dst: CLIENT, dstPort: 4000, flags, ...more });
const line = (payload = 'NOOP\r\n'): Uint8Array => client('PA', { seq: 101, ack: 501, payload });

function open(r: Router3640, ttl = 60): void {
  expect(r.fromOutside(withHeader(client('S', { seq: 100 }), { ttl })).verdict).toBe(PASS);
  expect(r.fromInside(withHeader(server('SA', { seq: 500, ack: 101 }), { ttl: 64 })).verdict).toBe(PASS);
  expect(r.fromOutside(withHeader(client('A', { seq: 101, ack: 501 }), { ttl })).verdict).toBe(PASS);
}

/** A segment of the server, as it is outside. */
const SENT = tcpPacket({ src: GLOBAL, srcPort: 25, dst: CLIENT, dstPort: 4000, flags: 'A' });

describe('a TTL that is spent here', () => {
  test('the sender is told by the address of the interface, with what it sent; nothing else happens', () => {
    const r = new Router3640();
    const syn = withHeader(client('S', { seq: 100 }), { ttl: 1 });
    const o = r.fromOutside(syn);
    expect([o.verdict, r.sessionCount, o.packet.modified]).toEqual([DROP.ttlExpired, 0, false]);
    const [answer] = r.injected as [Uint8Array];
    expect([dotted(i32(answer, 12)), dotted(i32(answer, 16))]).toEqual(['172.22.1.16', CLIENT]);
    expect(Array.from(answer.subarray(20, 22))).toEqual([11, 0]);
    expect(Array.from(answer.subarray(28))).toEqual(Array.from(syn.subarray(0, 28)));
    expect(checksumsOk(answer)).toBe(true);
  });

  test('what the access list denies is denied', () => {
    const r = new Router3640();
    expect(r.fromOutside(withHeader(client('S', { dstPort: 80 }), { ttl: 1 })).verdict).toBe(DROP.acl);
    expect(r.injected.map((b) => b[20])).toEqual([3]);
  });

  test('no translation is made, and none is touched', () => {
    const pat = 'access-list 1 permit 10.10.10.0 0.0.0.255\nip nat inside source list 1 interface Ethernet2/0 overload';
    const r = new Router3640(pat);
    const packet = udpPacket('10.10.10.9', 4000, CLIENT, 53, 'x');
    expect(r.fromInside(withHeader(packet, { ttl: 1 })).verdict).toBe(DROP.ttlExpired);
    expect(dotted(i32(r.injected[0]!, 12))).toBe('10.10.10.1');
    expect(new RouterState(r.engine, () => r.now).translations().filter((t) => !t.static)).toEqual([]);
  });

  test('it is none at the router itself', () => {
    const r = new Router3640('access-list 101 permit ip any any');
    for (const to of ['172.22.1.16', '224.0.0.5'])
      expect(r.fromOutside(withHeader(udpPacket(CLIENT, 4000, to, 53, 'x'), { ttl: 1 })).verdict).toBe(PASS);
  });

  test('a SYN that never arrives does not take the place of a session that both sides have closed', () => {
    const r = new Router3640();
    open(r);
    r.fromOutside(client('FA', { seq: 101, ack: 501 }));
    r.fromInside(server('FA', { seq: 501, ack: 102 }));
    expect(r.fromOutside(withHeader(client('S', { seq: 900 }), { ttl: 1 })).verdict).toBe(DROP.ttlExpired);
    expect(r.fromOutside(client('A', { seq: 102, ack: 502 })).verdict).toBe(PASS);
  });

  test('the answers are limited: fifty at once, a hundred a second', () => {
    const r = new Router3640('access-list 101 permit ip any any');
    const packet = withHeader(udpPacket(CLIENT, 4000, GLOBAL, 53, 'x'), { ttl: 1 });
    for (let i = 0; i < 100; i++) r.fromOutside(packet);
    expect(r.injected).toHaveLength(50);
    r.wait(200);
    for (let i = 0; i < 100; i++) r.fromOutside(packet);
    expect(r.injected).toHaveLength(70);
  });

  test.each([
    ['an ICMP error', icmpPacket(CLIENT, GLOBAL, 3, 1, [0, 0, 0, 0, ...SENT.subarray(0, 28)])],
    ['a sender that is no host', udpPacket('127.0.0.1', 1, GLOBAL, 2, 'x')],
  ])('nobody is told of %s', (_, packet) => {
    const r = new Router3640('access-list 101 permit ip any any');
    expect(r.fromOutside(withHeader(packet, { ttl: 1 })).verdict).toBe(DROP.ttlExpired);
    expect(r.injected).toEqual([]);
  });
});

describe('longer than the link, and not to be cut up', () => {
  const SMALL = new Map([['Ethernet2/1', 1000]]);
  const long = 'x'.repeat(1100);
  const filled = (r: Router3640, fragment: number): Outcome =>
    r.fromOutside(withHeader(line(`${long}\r\n`), { fragment }));

  test('the sender is told the MTU, and the stream has not got it', () => {
    const r = new Router3640();
    r.engine.setMtus(SMALL);
    open(r);
    expect(filled(r, DONT_FRAGMENT).verdict).toBe(DROP.tooLong);
    const [answer] = r.injected as [Uint8Array];
    expect([answer[20], answer[21], u16(answer, 26)]).toEqual([3, 4, 1000]);
    expect(checksumsOk(answer)).toBe(true);
    // An acknowledgement of what never arrived is none.
    expect(r.fromInside(server('A', { seq: 501, ack: 101 + 1102 })).verdict).toBe(DROP.invalidAck);
    const said = r.fromOutside(withHeader(line(), { fragment: DONT_FRAGMENT }));
    expect(Buffer.from(said.bytes.subarray(40)).toString('latin1')).toBe('NOOP\r\n');
  });

  test('what may be cut up, what fits, and what goes the other way, passes', () => {
    const r = new Router3640();
    r.engine.setMtus(SMALL);
    open(r);
    const answer = server('PA', { seq: 501, ack: 101, payload: `220 ${long}\r\n` });
    expect(r.fromInside(withHeader(answer, { fragment: DONT_FRAGMENT })).verdict).toBe(PASS);
    expect(filled(r, 0).verdict).toBe(PASS);
    r.configure(config3640()); // the links stay as they are
    expect(filled(r, DONT_FRAGMENT).verdict).toBe(DROP.tooLong);
  });

  test('a super-packet is the kernel’s: nobody tells us how long its segments are', () => {
    const r = new Router3640();
    r.engine.setMtus(SMALL);
    open(r);
    r.fromInside(server('PA', { seq: 501, ack: 101, payload: '220 ready\r\n' }));
    const bytes = withHeader(client('PA', { seq: 101, ack: 512, payload: 'NOOP\r\n'.repeat(200) }), {
      fragment: DONT_FRAGMENT,
    });
    const p = received(
      bytes,
      r.config.interfaces.findIndex((i) => i.nat === 'outside'),
    );
    p.gso = true;
    expect(r.engine.handle(p, r.now)).toBe(PASS);
  });

  test('no ip unreachables: silence, but for the TTL', () => {
    const r = new Router3640('interface Ethernet2/0\n no ip unreachables');
    r.engine.setMtus(SMALL);
    open(r);
    expect(filled(r, DONT_FRAGMENT).verdict).toBe(DROP.tooLong);
    r.fromOutside(withHeader(line(), { ttl: 1 }));
    expect(r.injected.map((b) => b[20])).toEqual([11]);
  });
});

describe('a TTL that would be spent behind us', () => {
  test("a segment's TTL is never lower than that of its sender's SYN", () => {
    const r = new Router3640();
    open(r, 50);
    const low = r.fromOutside(withHeader(line(), { ttl: 2 }));
    expect([low.bytes[8], checksumsOk(low.bytes)]).toEqual([50, true]);
    expect(r.fromOutside(withHeader(client('A', { seq: 107, ack: 501 }), { ttl: 57 })).bytes[8]).toBe(57);
    const reply = server('PA', { seq: 501, ack: 107, payload: '250 ok\r\n' });
    expect(r.fromInside(withHeader(reply, { ttl: 3 })).bytes[8]).toBe(64);
    expect(r.fromOutside(withHeader(client('RA', { seq: 107, ack: 501 }), { ttl: 2 })).bytes[8]).toBe(50);
  });

  test('a SYN that comes again is raised, too, or raises the rest', () => {
    const r = new Router3640();
    const syn = client('S', { seq: 100 });
    r.fromOutside(withHeader(syn, { ttl: 40 }));
    expect(r.fromOutside(withHeader(syn, { ttl: 2 })).bytes[8]).toBe(40);
    r.fromOutside(withHeader(syn, { ttl: 90 }));
    r.fromInside(server('SA', { seq: 500, ack: 101 }));
    expect(r.fromOutside(withHeader(client('A', { seq: 101, ack: 501 }), { ttl: 2 })).bytes[8]).toBe(90);
  });

  test('a segment that is held goes on with it', () => {
    const r = new Router3640();
    open(r, 50);
    r.fromInside(server('PA', { seq: 501, ack: 101, payload: '220 ready\r\n' }));
    const early = client('PA', { seq: 103, ack: 512, payload: 'OP\r\n' });
    r.fromOutside(withHeader(early, { ttl: 2 }), 7);
    r.fromOutside(client('PA', { seq: 101, ack: 512, payload: 'NO' }));
    expect(r.released.map(({ token, bytes }) => [token, bytes?.[8]])).toEqual([[7, 50]]);
  });

  test.each([
    ['generic tcp', 'ip inspect name OUT-IN tcp\nno ip inspect name OUT-IN smtp'],
    ['monitor-only', 'ip inspect name OUT-IN smtp monitor-only'],
  ])('%s alters nothing', (_, extra) => {
    const r = new Router3640(extra);
    open(r, 50);
    expect(r.fromOutside(withHeader(line(), { ttl: 2 })).bytes[8]).toBe(2);
  });
});

describe('options of IPv4', () => {
  const ANY = 'access-list 101 permit ip any any';
  const ROUTE = [131, 7, 4, 10, 10, 10, 9, 0];
  const RECORD = [7, 7, 4, 0, 0, 0, 0, 0];
  test.each([
    ['a loose source route', ROUTE],
    ['a strict one behind NOPs', [1, 1, 1, 1, 137, 7, 4, 1, 2, 3, 4, 0]],
    ['one that runs out of the header', [7, 9, 4, 0, 0, 0, 0, 0]],
    ['one without a length', [1, 1, 1, 7]],
    ['one of length 1', [7, 1, 1, 1]],
  ])('%s: dropped, whatever the packet is', (_, options) => {
    const r = new Router3640(ANY);
    for (const packet of [
      client('S'),
      udpPacket(CLIENT, 1, GLOBAL, 2, 'x'),
      icmpPacket(CLIENT, GLOBAL, 8, 0, [0, 1, 0, 1]),
    ])
      expect(r.fromOutside(withIpOptions(packet, options)).verdict).toBe(DROP.ipOptions);
    expect(r.sessionCount).toBe(0);
  });

  test('an inspected stream has none: some servers drop such a segment, some take it', () => {
    const r = new Router3640();
    expect(r.fromOutside(withIpOptions(client('S', { seq: 100 }), RECORD)).verdict).toBe(DROP.ipOptions);
    expect(r.sessionCount).toBe(0);
    open(r);
    expect(r.fromOutside(withIpOptions(line(), RECORD)).verdict).toBe(DROP.ipOptions);
    expect(r.fromInside(server('A', { seq: 501, ack: 107 })).verdict).toBe(DROP.invalidAck);
  });

  test('others keep theirs', () => {
    const ping = icmpPacket(MAIL, CLIENT, 8, 0, [0, 1, 0, 1]);
    expect(new Router3640().fromInside(withIpOptions(ping, RECORD)).verdict).toBe(PASS);
  });
});

describe('a checksum that the kernel calls partial', () => {
  test.each([
    ['that of the pseudo header', 0, PASS],
    ['another', 1, DROP.badChecksum],
  ])('%s', (_, add, want) => {
    const r = new Router3640();
    const packet = client('S', { seq: 100 });
    put16(packet, 36, pseudo(packet) + add);
    expect(r.fromOutside(packet, 0, true).verdict).toBe(want);
  });
  const pseudo = (b: Uint8Array): number => {
    let sum = 6 + b.length - 20;
    for (let i = 12; i < 20; i += 2) sum += u16(b, i);
    return (sum & 0xffff) + (sum >>> 16);
  };
});
