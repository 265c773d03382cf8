/** `ip nat inside source list`: pools, overload, timeouts, limits, through the whole engine. */
import { describe, expect, test } from 'vitest';
import { RouterState } from '../../src/core/state/router-state.js';
import { readRows } from '../../src/core/observe/row.js';
import { showTranslations } from '../../src/ios/show/ip-nat.js';
import { messageOf } from '../../src/ios/messages.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { IPPROTO_TCP, IPPROTO_UDP } from '../../src/core/wire/ipv4.js';
import { checksumsOk, dotted, icmpPacket, ip, tcpPacket, udpPacket } from '../support/packets.js';
import { config3640, type Outcome, Router3640 } from '../support/router-3640.js';

const SERVER = '172.22.1.10';
const A = '10.10.10.7';
const B = '10.10.10.8';
const OUTSIDE = '172.22.1.16';
const PAT = `access-list 1 permit 10.10.10.0 0.0.0.255
ip nat inside source list 1 interface Ethernet2/0 overload`;

const pool = (first: string, last: string, overload = ''): string =>
  `access-list 1 permit 10.10.10.0 0.0.0.255
ip nat pool P ${first} ${last} netmask 255.255.255.0
ip nat inside source list 1 pool P ${overload}`;

const from = (o: Outcome): string => `${dotted(i32(o.bytes, 12))}:${u16(o.bytes, 20)}`;
const to = (o: Outcome): string => `${dotted(i32(o.bytes, 16))}:${u16(o.bytes, 22)}`;

const query = (r: Router3640, src: string, srcPort: number, dst = SERVER, dstPort = 5000): Outcome =>
  r.fromInside(udpPacket(src, srcPort, dst, dstPort, 'query'));
const answer = (r: Router3640, dst: string, dstPort: number, src = SERVER, srcPort = 5000): Outcome =>
  r.fromOutside(udpPacket(src, srcPort, dst, dstPort, 'answer'));
const syn = (r: Router3640, src: string, srcPort: number, dstPort = 443): Outcome =>
  r.fromInside(tcpPacket({ src, srcPort, dst: SERVER, dstPort, flags: 'S', seq: 100 }));

const entries = (r: Router3640): string => showTranslations(new RouterState(r.engine, () => r.now), false);
const messages = (r: Router3640): string[] => r.events.map((e) => messageOf(e)).map((m) => `${m.mnemonic}: ${m.text}`);

describe('overload of the outside interface', () => {
  test('the port of the inside host is kept, and the answer finds it back', () => {
    const r = new Router3640(PAT);
    const out = query(r, A, 4000);
    expect([out.verdict, from(out), to(out)]).toEqual([PASS, `${OUTSIDE}:4000`, `${SERVER}:5000`]);
    const back = answer(r, OUTSIDE, 4000);
    expect([back.verdict, from(back), to(back)]).toEqual([PASS, `${SERVER}:5000`, `${A}:4000`]);
    for (const o of [out, back]) expect(checksumsOk(o.bytes)).toBe(true);
  });

  test.each([
    { wanted: 300, got: 1, name: '1-511' },
    { wanted: 700, got: 512, name: '512-1023' },
    { wanted: 4000, got: 1024, name: '1024-65535' },
  ])('a second host with port $wanted gets the first free one of $name', ({ wanted, got }) => {
    const r = new Router3640(PAT);
    query(r, A, wanted);
    const out = query(r, B, wanted);
    expect(from(out)).toBe(`${OUTSIDE}:${got}`);
    expect(to(answer(r, OUTSIDE, got))).toBe(`${B}:${wanted}`);
    expect(to(answer(r, OUTSIDE, wanted))).toBe(`${A}:${wanted}`);
  });

  test('TCP connections of two hosts with one source port live side by side', () => {
    const r = new Router3640(PAT);
    expect([from(syn(r, A, 4000)), from(syn(r, B, 4000))]).toEqual([`${OUTSIDE}:4000`, `${OUTSIDE}:1024`]);
    const synAck = r.fromOutside(
      tcpPacket({ src: SERVER, srcPort: 443, dst: OUTSIDE, dstPort: 1024, flags: 'SA', seq: 5, ack: 101 }),
    );
    expect([synAck.verdict, to(synAck)]).toEqual([PASS, `${B}:4000`]);
    expect(checksumsOk(synAck.bytes)).toBe(true);
  });

  test('pings with one identifier are told apart by another one outside', () => {
    const r = new Router3640(PAT);
    const ping = (src: string): Outcome => r.fromInside(icmpPacket(src, SERVER, 8, 0, [0, 9, 0, 1, 1, 2]));
    const [a, b] = [ping(A), ping(B)];
    expect([u16(a.bytes, 24), u16(b.bytes, 24)]).toEqual([9, 0]);
    const pong = r.fromOutside(icmpPacket(SERVER, OUTSIDE, 0, 0, [0, 0, 0, 1, 1, 2]));
    expect([pong.verdict, dotted(i32(pong.bytes, 16)), u16(pong.bytes, 24)]).toEqual([PASS, B, 9]);
    for (const o of [a, b, pong]) expect(checksumsOk(o.bytes)).toBe(true);
  });

  test('what is no answer does not get in, from another host or port', () => {
    const r = new Router3640(`no access-list 101\naccess-list 101 permit ip any any\n${PAT}`);
    query(r, A, 4000);
    expect(to(answer(r, OUTSIDE, 4000, SERVER, 5001))).toBe(`${OUTSIDE}:4000`);
    expect(to(answer(r, OUTSIDE, 4000, '172.22.1.11'))).toBe(`${OUTSIDE}:4000`);
    expect(to(answer(r, OUTSIDE, 4001))).toBe(`${OUTSIDE}:4001`);
  });

  test('a static entry goes before the list', () => {
    const r = new Router3640(PAT);
    expect(from(query(r, '10.10.10.2', 4000))).toBe('172.22.1.110:4000');
  });

  test('a host that no list names goes out by its own address', () => {
    const r = new Router3640('access-list 1 permit 10.10.10.7\n' + PAT.split('\n')[1]!);
    expect(from(query(r, B, 4000))).toBe(`${B}:4000`);
  });

  test('what stays inside, or is for the router, is not translated', () => {
    const r = new Router3640(PAT);
    expect(from(query(r, A, 4000, '10.10.10.1'))).toBe(`${A}:4000`);
    expect(from(query(r, A, 4000, OUTSIDE))).toBe(`${A}:4000`);
    expect(from(query(r, '10.10.10.2', 4000, '10.10.10.1'))).toBe('10.10.10.2:4000');
  });

  test('show ip nat translations lists each flow once', () => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    expect(entries(r)).toContain('udp 172.22.1.16:4000   10.10.10.7:4000    172.22.1.10:5000   172.22.1.10:5000\n');
    expect(
      entries(r)
        .split('\n')
        .filter((l) => l.startsWith('udp')),
    ).toHaveLength(1);
  });
});

describe('a pool without overload', () => {
  test('each host has an address for itself, and can be reached there', () => {
    const r = new Router3640(
      `access-list 101 permit ip any host 172.22.1.121\n${pool('172.22.1.120', '172.22.1.121')}`,
    );
    expect([from(query(r, A, 4000)), from(query(r, B, 4000))]).toEqual(['172.22.1.120:4000', '172.22.1.121:4000']);
    expect(from(query(r, A, 4001))).toBe('172.22.1.120:4001');
    expect(to(answer(r, '172.22.1.121', 99, '172.22.1.11'))).toBe(`${B}:99`);
    expect(entries(r)).toContain('--- 172.22.1.121       10.10.10.8         ---                ---\n');
  });

  test('addresses of static entries are left out', () => {
    const r = new Router3640(pool('172.22.1.110', '172.22.1.112'));
    expect(from(query(r, A, 4000))).toBe('172.22.1.112:4000');
  });

  test("an address of which an entry has a port is given to no host: answers to that port would be the other one's", () => {
    const entry = 'ip nat inside source static udp 10.10.10.9 80 172.22.1.120 4000';
    const r = new Router3640(`${entry}\n${pool('172.22.1.120', '172.22.1.121')}`);
    expect(from(query(r, A, 4000))).toBe('172.22.1.121:4000');
    expect(to(answer(r, '172.22.1.121', 4000))).toBe(`${A}:4000`);
    expect(query(r, B, 4000).verdict).toBe(DROP.noTranslation);
  });

  test('an empty pool drops and logs, and the host that gives its address back makes room', () => {
    const r = new Router3640(`ip nat translation timeout 100\n${pool('172.22.1.120', '172.22.1.120')}`);
    query(r, A, 4000);
    for (let i = 0; i < 5; i++) expect(query(r, B, 4000).verdict).toBe(DROP.noTranslation);
    expect(messages(r)).toEqual([
      `%IPNAT-4-ADDR_ALLOC_FAILURE: Address allocation failed for ${B}, pool P might be exhausted`,
    ]);
    expect(r.engine.nat.poolMisses).toBe(5);
    r.wait(101_000);
    expect(from(query(r, B, 4000))).toBe('172.22.1.120:4000');
    expect(readRows(r.engine.nat.rows())).toContainEqual(expect.objectContaining({ name: 'expired', value: 1 }));
  });

  test('an address of the pool that nobody has is no way to the router itself', () => {
    const r = new Router3640(`access-list 101 permit ip any any\n${pool('172.22.1.120', '172.22.1.121')}`);
    expect(answer(r, '172.22.1.120', 22).verdict).toBe(DROP.noTranslation);
    expect(answer(r, OUTSIDE, 22).verdict).toBe(PASS);
  });
});

describe('a pool with overload', () => {
  test('the second address is used when the ports of the first are gone', () => {
    const r = new Router3640(pool('172.22.1.120', '172.22.1.121', 'overload'), 4096);
    const used = Array.from({ length: 513 }, (_, i) =>
      query(r, dotted(ip('10.10.10.20') + (i % 200)), 600 + (i < 200 ? 0 : i < 400 ? 1 : 2)),
    );
    expect(from(used[0]!)).toBe('172.22.1.120:600');
    expect(from(used[511]!).split(':')[0]).toBe('172.22.1.120');
    expect(from(used[512]!)).toBe('172.22.1.121:602');
    expect(new Set(used.map(from)).size).toBe(513);
  });
});

describe('timeouts', () => {
  const finished = (r: Router3640): void => {
    const c = { src: A, srcPort: 4000, dst: SERVER, dstPort: 443 };
    const s = { src: SERVER, srcPort: 443, dst: OUTSIDE, dstPort: 4000 };
    r.fromInside(tcpPacket({ ...c, flags: 'S', seq: 100 }));
    r.fromOutside(tcpPacket({ ...s, flags: 'SA', seq: 500, ack: 101 }));
    r.fromInside(tcpPacket({ ...c, flags: 'A', seq: 101, ack: 501 }));
    r.fromInside(tcpPacket({ ...c, flags: 'FA', seq: 101, ack: 501 }));
  };
  const established = (r: Router3640): void => {
    const c = { src: A, srcPort: 4000, dst: SERVER, dstPort: 443 };
    r.fromInside(tcpPacket({ ...c, flags: 'S', seq: 100 }));
    r.fromOutside(tcpPacket({ src: SERVER, srcPort: 443, dst: OUTSIDE, dstPort: 4000, flags: 'SA', seq: 5, ack: 101 }));
    r.fromInside(tcpPacket({ ...c, flags: 'A', seq: 101, ack: 6 }));
  };
  test.each([
    { name: 'udp-timeout 300', traffic: (r: Router3640) => query(r, A, 4000), seconds: 300 },
    { name: 'dns-timeout 60', traffic: (r: Router3640) => query(r, A, 4000, SERVER, 53), seconds: 60 },
    {
      name: 'icmp-timeout 60',
      traffic: (r: Router3640) => r.fromInside(icmpPacket(A, SERVER, 8, 0, [0, 9, 0, 1])),
      seconds: 60,
    },
    { name: 'syn-timeout 60', traffic: (r: Router3640) => syn(r, A, 4000), seconds: 60 },
    { name: 'finrst-timeout 60', traffic: finished, seconds: 60 },
    { name: 'tcp-timeout 86400', traffic: established, seconds: 86_400 },
  ])('$name', ({ traffic, seconds }) => {
    const r = new Router3640(PAT);
    traffic(r);
    const { translations } = r.engine.nat;
    r.wait((seconds - 1) * 1000);
    expect(translations.flows).toBe(1);
    r.wait(2000);
    expect([translations.flows, translations.portBindings]).toEqual([0, 0]);
  });

  test('never means never', () => {
    const r = new Router3640(`ip nat translation udp-timeout never\n${PAT}`);
    query(r, A, 4000);
    r.wait(2_000_000_000);
    expect(r.engine.nat.translations.flows).toBe(1);
  });

  test('a port is given to another host only when the last flow of the first is gone', () => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    r.wait(200_000);
    query(r, A, 4000, '172.22.1.11'); // a second flow of the same port
    r.wait(150_000); // the first one is gone
    expect(from(query(r, B, 4000))).toBe(`${OUTSIDE}:1024`);
    r.wait(301_000);
    expect(from(query(r, B, 4000))).toBe(`${OUTSIDE}:4000`);
  });
});

describe('limits and clearing', () => {
  test('max-entries refuses more, and says so', () => {
    const r = new Router3640(`ip nat translation max-entries 2\n${PAT}`);
    expect([query(r, A, 1).verdict, query(r, A, 2).verdict, query(r, A, 3).verdict]).toEqual([
      PASS,
      PASS,
      DROP.noTranslation,
    ]);
    expect(messages(r)).toEqual([
      `%IPNAT-4-MAX_ENTRIES: Maximum of translation entries reached, no translation for ${A}`,
    ]);
    expect(r.engine.nat.translations.portBindings).toBe(2);
  });

  test('a packet that is dropped leaves no translation', () => {
    const r = new Router3640(PAT);
    expect(r.fromInside(tcpPacket({ src: A, srcPort: 4000, dst: SERVER, dstPort: 443, flags: 'A' })).verdict).toBe(
      DROP.noSession,
    );
    expect(r.engine.nat.translations.table.size).toBe(2); // the two static ones
  });

  test('clear ip nat translation * ends dynamic translations and no static ones', () => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    query(r, B, 4000);
    expect(r.engine.nat.translations.clear()).toBe(2);
    expect(r.engine.nat.translations.table.size).toBe(2);
    expect(from(query(r, B, 4000))).toBe(`${OUTSIDE}:4000`);
  });

  test('clear ip nat translation inside GLOBAL LOCAL ends those of one host', () => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    query(r, B, 4001);
    r.engine.nat.translations.clear({ insideGlobal: ip(OUTSIDE), insideLocal: ip(A) });
    expect(r.engine.nat.translations.flows).toBe(1);
    expect(to(answer(r, OUTSIDE, 4001))).toBe(`${B}:4001`);
  });

  test.each([
    { name: 'a protocol and ports: one port', which: { protocol: IPPROTO_UDP, insideLocalPort: 4000 }, left: 1 },
    { name: 'another protocol: none', which: { protocol: IPPROTO_TCP, insideLocalPort: 4000 }, left: 2 },
    { name: 'an outside host: all flows with it', which: { outside: ip(SERVER) }, left: 0 },
    { name: 'another outside host: none', which: { outside: ip('172.22.1.99') }, left: 2 },
  ])('clear ip nat translation by $name', ({ which, left }) => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    query(r, B, 4001);
    expect(r.engine.nat.translations.clear(which)).toBe(2 - left);
    expect(r.engine.nat.translations.flows).toBe(left);
    expect(r.engine.nat.translations.table.size).toBe(2 + 2 * left); // the static ones; each flow has its port
  });

  test('clear ip nat statistics counts from nothing', () => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    query(r, A, 4000);
    const { nat } = r.engine;
    expect([nat.hits, nat.misses]).not.toEqual([0, 0]);
    nat.clearStatistics();
    expect([nat.hits, nat.misses, nat.poolMisses, nat.translations.expired]).toEqual([0, 0, 0, 0]);
  });
});

describe('another configuration', () => {
  const change = (r: Router3640, extra: string): void => r.configure(config3640(extra));

  test('keeps the translations that are still valid', () => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    change(r, `${PAT}\nip nat inside source static 10.10.10.9 172.22.1.112`);
    expect(to(answer(r, OUTSIDE, 4000))).toBe(`${A}:4000`);
    expect(from(query(r, B, 4000))).toBe(`${OUTSIDE}:1024`);
    expect(from(query(r, '10.10.10.9', 1))).toBe('172.22.1.112:1');
  });

  test.each([
    { name: 'the list is gone', extra: '' },
    { name: 'the host has a static entry now', extra: `${PAT}\nip nat inside source static ${A} 172.22.1.112` },
    {
      name: 'the port belongs to a static entry now',
      extra: `${PAT}\nip nat inside source static udp 10.10.10.9 4000 interface Ethernet2/0 4000`,
    },
    { name: 'the list has a pool now', extra: pool('172.22.1.120', '172.22.1.121', 'overload') },
  ])('ends those that are not: $name', ({ extra }) => {
    const r = new Router3640(PAT);
    query(r, A, 4000);
    change(r, extra);
    expect([r.engine.nat.translations.flows, r.engine.nat.translations.portBindings]).toEqual([
      0,
      extra.includes('udp') ? 1 : 0,
    ]);
  });
});
