/**
 * ICMP errors about what has no session: those about traffic that the access lists permit and no rule inspects pass,
 * others do not, though a rule inspects icmp on their way.
 */
import { describe, expect, test } from 'vitest';
import { DROP_REASONS } from '../../src/ios/drop-reasons.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { dotted, icmpPacket, ipv4Packet, tcpPacket, udpPacket } from '../support/packets.js';
import { DROP, type Outcome, PASS, Router3640 } from '../support/router-3640.js';

const PEER = '172.22.1.10';
const HOST = '10.10.10.2';
const HOST_GLOBAL = '172.22.1.110';
/** OUT-IN inspects smtp only. */
const OPEN = [
  'access-list 101 permit udp any host 172.22.1.110 eq syslog',
  'access-list 101 permit icmp any host 172.22.1.110 echo',
  'access-list 101 permit gre any host 172.22.1.110',
].join('\n');

const SYSLOG = 514;
const ECHO = [0, 7, 0, 1, 9, 9, 9, 9];
type Make = (src: string, dst: string) => Uint8Array;
const syslog: Make = (src, dst) => udpPacket(src, 4000, dst, SYSLOG, 'hello');
const tftp: Make = (src, dst) => udpPacket(src, 4000, dst, 69, 'hello');
const echo: Make = (src, dst) => icmpPacket(src, dst, 8, 0, ECHO);
const gre: Make = (src, dst) => ipv4Packet(src, dst, 47, new Uint8Array(16));
const segment: Make = (src, dst) => tcpPacket({ src, srcPort: 4000, dst, dstPort: 80, flags: 'A' });

/** The inside host says something about a packet that it has received. */
const errorFromInside = (r: Router3640, about: Uint8Array): Outcome =>
  r.fromInside(icmpPacket(HOST, PEER, 3, 3, [0, 0, 0, 0, ...about.subarray(0, 28)]));

describe('errors of an inside host', () => {
  test.each([
    ['udp', syslog],
    ['an echo request', echo],
    ['gre', gre],
  ])('about permitted, uninspected %s pass, and show the inside global address', (_, make) => {
    const r = new Router3640(OPEN);
    expect(r.fromOutside(make(PEER, HOST_GLOBAL)).verdict).toBe(PASS);
    const o = errorFromInside(r, make(PEER, HOST));
    expect(o.verdict).toBe(PASS);
    expect([dotted(i32(o.bytes, 12)), dotted(i32(o.bytes, 28 + 16))]).toEqual([HOST_GLOBAL, HOST_GLOBAL]);
    expect(r.sessionCount).toBe(0);
  });

  test.each([
    ['what the access list denies', tftp],
    ['a TCP connection that has no session', segment],
  ])('about %s are dropped, and the reason says so', (_, make) => {
    const r = new Router3640(OPEN);
    const o = errorFromInside(r, make(PEER, HOST));
    expect([o.verdict, DROP_REASONS[o.verdict]]).toEqual([DROP.strayError, 'ICMP error about no session']);
  });

  test('about what a rule inspects, but in no session, are dropped', () => {
    const r = new Router3640(`${OPEN}\nip inspect name OUT-IN udp`);
    expect(errorFromInside(r, syslog(PEER, HOST)).verdict).toBe(DROP.strayError);
    r.fromOutside(syslog(PEER, HOST_GLOBAL));
    expect(errorFromInside(r, syslog(PEER, HOST)).verdict).toBe(PASS);
  });

  test('that quote too little to tell are dropped', () => {
    const r = new Router3640(OPEN);
    const short = icmpPacket(HOST, PEER, 3, 3, [0, 0, 0, 0, ...syslog(PEER, HOST).subarray(0, 24)]);
    expect(r.fromInside(short).verdict).toBe(DROP.strayError);
  });
});

describe('errors from outside, which the access list permits', () => {
  const ERRORS = [
    'access-list 101 permit icmp any any port-unreachable',
    'ip inspect name OUT-IN icmp',
    'access-list 102 deny gre any host 172.22.1.11',
    'access-list 102 permit ip any any',
  ].join('\n');
  const error = (r: Router3640, about: Uint8Array): number =>
    r.fromOutside(icmpPacket(PEER, HOST_GLOBAL, 3, 3, [0, 0, 0, 0, ...about.subarray(0, 28)])).verdict;

  test('pass about what no rule inspects on its way out, and not about what one does', () => {
    const r = new Router3640(ERRORS);
    expect(error(r, gre(HOST_GLOBAL, PEER))).toBe(PASS);
    expect(error(r, syslog(HOST_GLOBAL, PEER))).toBe(DROP.strayError);
  });

  test('are dropped where the list of the way in, or of the way out, denies what they quote', () => {
    const inward = `interface Ethernet2/1\n ip access-group 102 in\n!`;
    const outward = `interface Ethernet2/0\n ip access-group 102 out\n!`;
    for (const lists of [inward, outward]) {
      const r = new Router3640(`${ERRORS}\n${lists}`);
      expect(error(r, gre(HOST_GLOBAL, PEER))).toBe(PASS);
      expect(error(r, gre(HOST_GLOBAL, '172.22.1.11'))).toBe(DROP.strayError);
    }
  });
});
