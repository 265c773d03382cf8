/** Outgoing access lists and inspection rules, and packets for the router itself. */
import { describe, expect, test } from 'vitest';
import { SERVICES } from '../src/core/inspect/rules.js';
import { icmpPacket, tcpPacket, udpPacket } from './support/packets.js';
import { DROP, PASS, Router3640 } from './support/router-3640.js';

const HOST = '10.10.10.5';
const HOST_GLOBAL = '172.22.1.111';
const PEER = '172.22.1.10';

const onInterface = (name: string, ...lines: string[]): string => [`interface ${name}`, ...lines, '!'].join('\n');
const syn = (dstPort: number): Uint8Array =>
  tcpPacket({ src: HOST, srcPort: 4000, dst: PEER, dstPort, flags: 'S', seq: 1 });
const services = (r: Router3640): string[] => {
  const all: string[] = [];
  r.engine.sessions.forEach((s) => all.push(SERVICES[s.service]!));
  return all;
};

describe('ip inspect NAME out', () => {
  const OUT = [
    'ip inspect name OUTWARD tcp',
    'ip inspect name OUTWARD udp',
    'ip inspect name OUTWARD icmp',
    onInterface('Ethernet2/1', 'no ip inspect IN-OUT in'),
    onInterface('Ethernet2/0', 'ip inspect OUTWARD out'),
  ].join('\n');

  test('opens sessions for what leaves by the interface, and their answers come in past its access list', () => {
    const r = new Router3640(OUT);
    expect(r.fromInside(syn(443)).verdict).toBe(PASS);
    const answer = tcpPacket({ src: PEER, srcPort: 443, dst: HOST_GLOBAL, dstPort: 4000, flags: 'SA', seq: 9, ack: 2 });
    expect(r.fromOutside(answer).verdict).toBe(PASS);
    r.fromInside(udpPacket(HOST, 5000, PEER, 123, 'x'));
    expect(r.fromOutside(udpPacket(PEER, 123, HOST_GLOBAL, 5000, 'y')).verdict).toBe(PASS);
    r.fromInside(icmpPacket(HOST, PEER, 8, 0, [0, 7, 0, 1]));
    expect(r.fromOutside(icmpPacket(PEER, HOST_GLOBAL, 0, 0, [0, 7, 0, 1])).verdict).toBe(PASS);
    expect(services(r)).toEqual(['tcp', 'udp', 'icmp']);
  });

  test('drops what leaves in the middle of nothing', () => {
    const r = new Router3640(OUT);
    const stray = tcpPacket({ src: HOST, srcPort: 4000, dst: PEER, dstPort: 443, flags: 'A' });
    expect(r.fromInside(stray).verdict).toBe(DROP.noSession);
  });

  test('the rule of the way in goes before the rule of the way out', () => {
    const r = new Router3640(
      ['ip inspect name OUTWARD tcp', onInterface('Ethernet2/0', 'ip inspect OUTWARD out')].join('\n'),
    );
    r.fromInside(syn(80));
    expect(services(r)).toEqual(['http']); // IN-OUT has http, OUTWARD only tcp
  });
});

test.each([
  ['10.10.10.9 200', '172.22.1.9', 'http'],
  ['Null0 200', '172.22.1.9', 'http'],
  ['Ethernet2/0 10.10.10.9', '10.10.10.8 2', 'http'],
])('a floating static route waits behind a nearer one: ip route … %s, ip route … %s', (first, second, service) => {
  const r = new Router3640(
    [
      'ip inspect name OUTWARD http',
      onInterface('Ethernet2/1', 'no ip inspect IN-OUT in'),
      onInterface('Ethernet2/0', 'ip inspect OUTWARD out'),
      `ip route 192.0.2.0 255.255.255.0 ${first}`,
      `ip route 192.0.2.0 255.255.255.0 ${second}`,
    ].join('\n'),
  );
  r.fromInside(tcpPacket({ src: HOST, srcPort: 4000, dst: '192.0.2.1', dstPort: 80, flags: 'S', seq: 1 }));
  expect(services(r)).toEqual([service]);
});

describe('ip access-group N out', () => {
  const LIST = (entry: string): string =>
    [`access-list 102 ${entry}`, onInterface('Ethernet2/0', 'ip access-group 102 out')].join('\n');

  test('denies what it does not permit, and no session stays behind', () => {
    const r = new Router3640(LIST('permit tcp any any eq 80'));
    expect(r.fromInside(syn(443)).verdict).toBe(DROP.acl);
    expect(r.sessionCount).toBe(0);
    expect(r.fromInside(syn(80)).verdict).toBe(PASS);
  });

  test('sees an inside host by its inside global address', () => {
    expect(new Router3640(LIST(`permit ip host ${HOST_GLOBAL} any`)).fromInside(syn(80)).verdict).toBe(PASS);
    expect(new Router3640(LIST(`permit ip host ${HOST} any`)).fromInside(syn(80)).verdict).toBe(DROP.acl);
  });

  test('is bypassed by the answers of a session', () => {
    const r = new Router3640(
      ['access-list 103 deny ip any any', onInterface('Ethernet2/1', 'ip access-group 103 out')].join('\n'),
    );
    r.fromInside(syn(443));
    const answer = tcpPacket({ src: PEER, srcPort: 443, dst: HOST_GLOBAL, dstPort: 4000, flags: 'SA', seq: 9, ack: 2 });
    expect(r.fromOutside(answer).verdict).toBe(PASS);
    const mail = tcpPacket({ src: PEER, srcPort: 4000, dst: '172.22.1.110', dstPort: 25, flags: 'S' });
    expect(r.fromOutside(mail).verdict).toBe(DROP.acl);
  });
});

describe('packets to the router itself', () => {
  test('pass the access list of the interface, and open no session', () => {
    const r = new Router3640('access-list 101 permit icmp any host 172.22.1.16 echo');
    expect(r.fromOutside(icmpPacket(PEER, '172.22.1.16', 8, 0, [0, 7, 0, 1])).verdict).toBe(PASS);
    expect(r.fromOutside(icmpPacket(PEER, '172.22.1.16', 0, 0, [0, 7, 0, 1])).verdict).toBe(DROP.acl);
    expect(r.fromInside(tcpPacket({ src: HOST, srcPort: 9, dst: '10.10.10.1', dstPort: 23, flags: 'S' })).verdict).toBe(
      PASS,
    );
    expect(r.sessionCount).toBe(0);
  });

  test('an output list does not see them', () => {
    const r = new Router3640(
      ['access-list 103 deny ip any any', onInterface('Ethernet2/0', 'ip access-group 103 out')].join('\n'),
    );
    expect(r.fromInside(icmpPacket(HOST, '172.22.1.16', 8, 0, [0, 7, 0, 1])).verdict).toBe(PASS);
  });
});
