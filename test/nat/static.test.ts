/** `ip nat inside source static` in all its forms, hairpins, and what ICMP errors quote, through the whole engine. */
import { describe, expect, test } from 'vitest';
import { showTranslations } from '../../src/ios/show/ip-nat.js';
import { RouterState } from '../../src/core/state/router-state.js';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { checksumsOk, dotted, icmpPacket, received, sent, tcpPacket, udpPacket } from '../support/packets.js';
import { type Outcome, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const OUTSIDE = '172.22.1.16';
const MAIL = '10.10.10.2';
const MAIL_GLOBAL = '172.22.1.110';
const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';
const PAT = `access-list 1 permit 10.10.10.0 0.0.0.255
ip nat inside source list 1 interface Ethernet2/0 overload`;
const ANY = 'access-list 101 permit ip any any';

const end = (b: Uint8Array, address: number, port: number): string => `${dotted(i32(b, address))}:${u16(b, port)}`;
const from = (o: Outcome): string => end(o.bytes, 12, 20);
const to = (o: Outcome): string => end(o.bytes, 16, 22);
const ends = (o: Outcome): string => `${o.verdict === PASS ? '' : 'dropped '}${from(o)} > ${to(o)}`;
const syn = (src: string, srcPort: number, dst: string, dstPort: number): Uint8Array =>
  tcpPacket({ src, srcPort, dst, dstPort, flags: 'S', seq: 100 });
const synAck = (src: string, srcPort: number, dst: string, dstPort: number): Uint8Array =>
  tcpPacket({ src, srcPort, dst, dstPort, flags: 'SA', seq: 500, ack: 101 });

describe('static port entries', () => {
  const WEB = `${ANY}\nip nat inside source static tcp 10.10.10.7 8080 interface Ethernet2/0 80`;

  test('let the port in, to the inside port, and its answers out from there', () => {
    const r = new Router3640(WEB);
    const first = r.fromOutside(syn(CLIENT, 4000, OUTSIDE, 80));
    expect(ends(first)).toBe(`${CLIENT}:4000 > 10.10.10.7:8080`);
    const answer = r.fromInside(synAck('10.10.10.7', 8080, CLIENT, 4000));
    expect(ends(answer)).toBe(`${OUTSIDE}:80 > ${CLIENT}:4000`);
    for (const o of [first, answer]) expect(checksumsOk(o.bytes)).toBe(true);
  });

  test('leave every other port and protocol of the interface to the router', () => {
    const r = new Router3640(WEB);
    expect(ends(r.fromOutside(syn(CLIENT, 4000, OUTSIDE, 81)))).toBe(`${CLIENT}:4000 > ${OUTSIDE}:81`);
    expect(ends(r.fromOutside(udpPacket(CLIENT, 4000, OUTSIDE, 80, 'x')))).toBe(`${CLIENT}:4000 > ${OUTSIDE}:80`);
  });

  test('are no port for PAT', () => {
    const r = new Router3640(`${WEB}\n${PAT}`);
    expect(from(r.fromInside(syn('10.10.10.8', 80, CLIENT, 443)))).toBe(`${OUTSIDE}:1`);
    expect(from(r.fromInside(syn('10.10.10.7', 8080, CLIENT, 443)))).toBe(`${OUTSIDE}:80`);
    expect(from(r.fromInside(syn('10.10.10.7', 8081, CLIENT, 443)))).toBe(`${OUTSIDE}:8081`);
  });

  test('of an address of its own drop what they do not name', () => {
    const r = new Router3640(`${ANY}\nip nat inside source static tcp 10.10.10.7 80 172.22.1.120 80 extendable`);
    expect(r.fromOutside(syn(CLIENT, 4000, '172.22.1.120', 22)).verdict).toBe(DROP.noTranslation);
    expect(to(r.fromOutside(syn(CLIENT, 4000, '172.22.1.120', 80)))).toBe('10.10.10.7:80');
  });

  test('choose the inspection by the port as it is where the packet comes in', () => {
    const r = new Router3640(`${ANY}\nip nat inside source static tcp 10.10.10.7 2525 interface Ethernet2/0 25`);
    r.fromOutside(syn(CLIENT, 4000, OUTSIDE, 25));
    expect(new RouterState(r.engine, () => r.now).sessions().map((s) => s.service)).toEqual(['smtp']);
  });
});

describe('several addresses for one host', () => {
  const TWO = `${ANY}
ip nat inside source static 10.10.10.7 172.22.1.120 extendable
ip nat inside source static 10.10.10.7 172.22.1.121 extendable`;

  test.each(['172.22.1.120', '172.22.1.121'])('who calls %s is answered from there', (global) => {
    const r = new Router3640(TWO);
    expect(to(r.fromOutside(syn(CLIENT, 4000, global, 25)))).toBe('10.10.10.7:25');
    expect(from(r.fromInside(synAck('10.10.10.7', 25, CLIENT, 4000)))).toBe(`${global}:25`);
  });

  test('what the host begins leaves by the first one', () => {
    expect(from(new Router3640(TWO).fromInside(syn('10.10.10.7', 99, CLIENT, 443)))).toBe('172.22.1.120:99');
  });
});

describe('static network', () => {
  const NET = `${ANY}\nip nat inside source static network 10.10.10.64 172.22.1.64 255.255.255.224`;

  test('translates host by host, both ways', () => {
    const r = new Router3640(NET);
    expect(from(r.fromInside(syn('10.10.10.70', 99, CLIENT, 443)))).toBe('172.22.1.70:99');
    expect(to(r.fromOutside(syn(CLIENT, 4000, '172.22.1.95', 25)))).toBe('10.10.10.95:25');
    expect(from(r.fromInside(syn('10.10.10.96', 99, CLIENT, 443)))).toBe('10.10.10.96:99');
  });
});

describe('an inside host that calls an inside global address', () => {
  test('reaches the host behind it, by its own inside global address, and is answered through the router', () => {
    const r = new Router3640();
    const call = r.fromInside(syn(HOST, 4000, MAIL_GLOBAL, 25));
    expect(ends(call)).toBe(`${HOST_GLOBAL}:4000 > ${MAIL}:25`);
    const answer = r.fromInside(synAck(MAIL, 25, HOST_GLOBAL, 4000));
    expect(ends(answer)).toBe(`${MAIL_GLOBAL}:25 > ${HOST}:4000`);
    expect(r.sessionCount).toBe(1);
    for (const o of [call, answer]) expect(checksumsOk(o.bytes)).toBe(true);
  });

  test('with PAT, uses a port of the outside interface', () => {
    const r = new Router3640(PAT);
    expect(ends(r.fromInside(syn('10.10.10.7', 4000, MAIL_GLOBAL, 25)))).toBe(`${OUTSIDE}:4000 > ${MAIL}:25`);
    expect(ends(r.fromInside(synAck(MAIL, 25, OUTSIDE, 4000)))).toBe(`${MAIL_GLOBAL}:25 > 10.10.10.7:4000`);
  });

  test('without any translation of its own, uses a port of the interface it came in by', () => {
    const r = new Router3640();
    expect(ends(r.fromInside(syn('10.10.10.7', 4000, MAIL_GLOBAL, 25)))).toBe(`10.10.10.1:4000 > ${MAIL}:25`);
    expect(ends(r.fromInside(synAck(MAIL, 25, '10.10.10.1', 4000)))).toBe(`${MAIL_GLOBAL}:25 > 10.10.10.7:4000`);
  });

  test('keeps that port inside: to an outside host it goes as itself, or, where a list names it now, by another port', () => {
    const r = new Router3640(
      'access-list 105 permit tcp any any eq 80\nip nat inside source list 105 interface Ethernet2/0 overload',
    );
    r.fromInside(syn('10.10.10.7', 4000, MAIL_GLOBAL, 25));
    expect(ends(r.fromInside(syn('10.10.10.7', 4000, CLIENT, 25)))).toBe(`10.10.10.7:4000 > ${CLIENT}:25`);
    expect(r.fromInside(syn('10.10.10.7', 4000, CLIENT, 80)).verdict).toBe(DROP.noTranslation);
    expect(ends(r.fromInside(syn('10.10.10.7', 4001, CLIENT, 80)))).toBe(`${OUTSIDE}:4001 > ${CLIENT}:80`);
    // The first conversation goes on.
    expect(ends(r.fromInside(synAck(MAIL, 25, '10.10.10.1', 4000)))).toBe(`${MAIL_GLOBAL}:25 > 10.10.10.7:4000`);
  });

  test('may ping, and a host may call its own address', () => {
    const r = new Router3640(PAT);
    const ping = r.fromInside(icmpPacket('10.10.10.7', MAIL_GLOBAL, 8, 0, [0, 9, 0, 1]));
    expect([dotted(i32(ping.bytes, 12)), dotted(i32(ping.bytes, 16))]).toEqual([OUTSIDE, MAIL]);
    const pong = r.fromInside(icmpPacket(MAIL, OUTSIDE, 0, 0, [0, 9, 0, 1]));
    expect([dotted(i32(pong.bytes, 12)), dotted(i32(pong.bytes, 16))]).toEqual([MAIL_GLOBAL, '10.10.10.7']);
    for (const o of [ping, pong]) expect(checksumsOk(o.bytes)).toBe(true);
    expect(ends(r.fromInside(syn(MAIL, 4000, MAIL_GLOBAL, 25)))).toBe(`${MAIL_GLOBAL}:4000 > ${MAIL}:25`);
  });

  test('two pings with one identifier are told apart', () => {
    const r = new Router3640(PAT);
    const ping = (src: string): Outcome => r.fromInside(icmpPacket(src, MAIL_GLOBAL, 8, 0, [0, 9, 0, 1]));
    ping('10.10.10.7');
    const second = u16(ping('10.10.10.8').bytes, 24);
    expect(second).not.toBe(9);
    const pong = r.fromInside(icmpPacket(MAIL, OUTSIDE, 0, 0, [0, second, 0, 1]));
    expect([dotted(i32(pong.bytes, 12)), dotted(i32(pong.bytes, 16)), u16(pong.bytes, 24)]).toEqual([
      MAIL_GLOBAL,
      '10.10.10.8',
      9,
    ]);
    expect(checksumsOk(pong.bytes)).toBe(true);
  });
});

/** An ICMP error that quotes `packet`'s header and first eight bytes. */
const errorAbout = (packet: Uint8Array, src: string, dst: string, type = 3, code = 3): Uint8Array =>
  icmpPacket(src, dst, type, code, [0, 0, 0, 0, ...packet.subarray(0, 28)]);
const quoteOf = (b: Uint8Array): Uint8Array => b.subarray(28, 56);

describe('ICMP errors', () => {
  const kinds = [
    { name: 'UDP', packet: (src: string, dst: string) => udpPacket(src, 4000, dst, 5000, 'query') },
    { name: 'TCP', packet: (src: string, dst: string) => syn(src, 4000, dst, 5000) },
    { name: 'ping', packet: (src: string, dst: string) => icmpPacket(src, dst, 8, 0, [0, 9, 0, 1, 1, 2]) },
  ];

  test.each(kinds)(
    'from outside about $name behind PAT reaches the host, with the packet that it sent',
    ({ packet }) => {
      const r = new Router3640(PAT);
      r.fromInside(packet('10.10.10.7', CLIENT)); // takes the port
      const original = packet('10.10.10.8', CLIENT);
      const outside = r.fromInside(original).bytes;
      const error = r.fromOutside(errorAbout(outside, '172.22.1.77', OUTSIDE, 11, 0));
      expect([error.verdict, dotted(i32(error.bytes, 16))]).toEqual([PASS, '10.10.10.8']);
      expect(Array.from(quoteOf(error.bytes))).toEqual(Array.from(original.subarray(0, 28)));
      expect(checksumsOk(error.bytes)).toBe(true);
    },
  );

  test.each(kinds)('from inside about $name shows the caller the address it called', ({ packet }) => {
    const r = new Router3640(
      `${ANY}\nip inspect name OUT-IN tcp\nip inspect name OUT-IN udp\nip inspect name OUT-IN icmp`,
    );
    const original = packet(CLIENT, MAIL_GLOBAL);
    const inside = r.fromOutside(original).bytes;
    const error = r.fromInside(errorAbout(inside, MAIL, CLIENT));
    expect([error.verdict, dotted(i32(error.bytes, 12))]).toEqual([PASS, MAIL_GLOBAL]);
    expect(Array.from(quoteOf(error.bytes))).toEqual(Array.from(original.subarray(0, 28)));
    expect(checksumsOk(error.bytes)).toBe(true);
  });

  test('from a router between hides behind the address of the host', () => {
    const r = new Router3640(ANY);
    const inside = r.fromOutside(syn(CLIENT, 4000, MAIL_GLOBAL, 25)).bytes;
    const error = r.fromInside(errorAbout(inside, '10.10.10.254', CLIENT));
    expect([error.verdict, dotted(i32(error.bytes, 12))]).toEqual([PASS, MAIL_GLOBAL]);
  });

  test('of a hairpin are translated at all four places', () => {
    const r = new Router3640();
    const original = udpPacket(HOST, 4000, MAIL_GLOBAL, 5000, 'query');
    const turned = r.fromInside(original).bytes;
    const error = r.fromInside(errorAbout(turned, MAIL, HOST_GLOBAL));
    expect([dotted(i32(error.bytes, 12)), dotted(i32(error.bytes, 16))]).toEqual([MAIL_GLOBAL, HOST]);
    expect(Array.from(quoteOf(error.bytes))).toEqual(Array.from(original.subarray(0, 28)));
    expect(checksumsOk(error.bytes)).toBe(true);
  });

  test.each([
    ['static entries', ''],
    ['PAT', PAT],
  ])("from inside about a packet of the router's own is left as it is, with %s", (_, lines) => {
    const r = new Router3640(lines);
    const probe = udpPacket('10.10.10.1', 50_000, HOST, 33_434, '');
    const error = errorAbout(probe, HOST, '10.10.10.1');
    const before = Array.from(error);
    const { verdict, bytes } = r.fromInside(error);
    expect([verdict, Array.from(bytes)]).toEqual([PASS, before]);
  });

  test.each([
    ['redirect', 5],
    ['source quench', 4],
  ])('%s, whose quote is not translated, does not leave', (_, type) => {
    const r = new Router3640();
    const quoted = syn(CLIENT, 4000, MAIL, 25);
    expect(r.fromInside(errorAbout(quoted, MAIL, CLIENT, type, 0)).verdict).toBe(DROP.noTranslation);
  });

  test('cut off before the end of its quote, it does not leave', () => {
    const r = new Router3640();
    expect(r.fromInside(icmpPacket(MAIL, CLIENT, 3, 3, [0, 0, 0, 0, 0x45, 0, 0, 40])).verdict).toBe(DROP.noTranslation);
  });
});

describe('ICMP errors of the kernel of the router itself', () => {
  const own = (r: Router3640, bytes: Uint8Array): { verdict: Verdict; bytes: Uint8Array } => {
    const p = received(bytes, 0);
    const verdict = r.engine.handleOwn(p);
    return { verdict, bytes: sent(p) };
  };
  const quotes = (o: { bytes: Uint8Array }, original: Uint8Array): void => {
    expect(Array.from(quoteOf(o.bytes))).toEqual(Array.from(original.subarray(0, 28)));
    expect(checksumsOk(o.bytes)).toBe(true);
  };

  test('about a packet from outside quote it as it came: no inside local address leaves', () => {
    const r = new Router3640(ANY);
    const original = syn(CLIENT, 4000, MAIL_GLOBAL, 25);
    const translated = r.fromOutside(original).bytes;
    const o = own(r, errorAbout(translated, OUTSIDE, CLIENT, 11, 0));
    expect([o.verdict, dotted(i32(o.bytes, 12)), dotted(i32(o.bytes, 16))]).toEqual([PASS, OUTSIDE, CLIENT]);
    quotes(o, original);
  });

  test.each([
    { name: 'a static entry', src: MAIL, global: MAIL_GLOBAL },
    { name: 'PAT', src: '10.10.10.7', global: OUTSIDE },
  ])('about a packet from inside through $name go to its sender, from the inside interface', ({ src, global }) => {
    const r = new Router3640(PAT);
    const original = udpPacket(src, 4000, CLIENT, 5000, 'query');
    const translated = r.fromInside(original).bytes;
    const o = own(r, errorAbout(translated, global, global, 11, 0));
    expect([o.verdict, dotted(i32(o.bytes, 12)), dotted(i32(o.bytes, 16))]).toEqual([PASS, '10.10.10.1', src]);
    quotes(o, original);
  });

  test('about a hairpin go to its sender, with the address that it called', () => {
    const r = new Router3640();
    const original = udpPacket(HOST, 4000, MAIL_GLOBAL, 5000, 'query');
    const turned = r.fromInside(original).bytes;
    const o = own(r, errorAbout(turned, HOST_GLOBAL, HOST_GLOBAL, 3, 4));
    expect([o.verdict, dotted(i32(o.bytes, 16))]).toEqual([PASS, HOST]);
    quotes(o, original);
  });

  test('about the traffic of the router itself stay as they are', () => {
    const r = new Router3640(PAT);
    const bytes = errorAbout(udpPacket(CLIENT, 4000, OUTSIDE, 9, 'x'), OUTSIDE, CLIENT);
    expect(own(r, bytes)).toEqual({ verdict: PASS, bytes });
  });
});

describe('show ip nat translations', () => {
  test('has the flows of a static entry before it', () => {
    const r = new Router3640();
    r.fromOutside(syn(CLIENT, 1025, MAIL_GLOBAL, 25));
    expect(showTranslations(new RouterState(r.engine, () => r.now), false)).toBe(
      [
        'Pro Inside global      Inside local       Outside local      Outside global',
        'tcp 172.22.1.110:25    10.10.10.2:25      172.22.1.10:1025   172.22.1.10:1025',
        '--- 172.22.1.110       10.10.10.2         ---                ---',
        '--- 172.22.1.111       10.10.10.5         ---                ---',
        '',
      ].join('\n'),
    );
  });
});

describe('an outgoing access list on the inside interface', () => {
  test('denies with an answer that quotes the packet as it came', () => {
    const r = new Router3640(
      `${ANY}\naccess-list 102 deny ip any any\ninterface Ethernet2/1\n ip access-group 102 out`,
    );
    const original = syn(CLIENT, 4000, MAIL_GLOBAL, 25);
    expect(r.fromOutside(original).verdict).toBe(DROP.acl);
    expect(r.injected.map((b) => Array.from(quoteOf(b)))).toEqual([Array.from(original.subarray(0, 28))]);
  });
});
