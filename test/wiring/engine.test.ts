/** What the pipeline does at its edges: interfaces without addresses or lists, packets of the router's own, counters. */
import { describe, expect, test } from 'vitest';
import { RouterState } from '../../src/core/state/router-state.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { dotted, icmpPacket, received, sent, tcpPacket, type TcpFields, udpPacket } from '../support/packets.js';
import { config3640, type Outcome, Router3640 } from '../support/router-3640.js';
import { CLIENT, HOST, MAIL, OUTSIDE, query, SERVER, told } from './scene.js';

const MSS_1460 = [2, 4, 5, 180];
const segment = (fields: Partial<TcpFields> = {}): Uint8Array =>
  tcpPacket({ src: SERVER, srcPort: 4000, dst: CLIENT, dstPort: 443, flags: 'S', options: MSS_1460, ...fields });
const mssOf = ({ bytes }: Outcome): number => u16(bytes, 42);

describe('ip tcp adjust-mss', () => {
  test('of an interface that a packet does not pass is not for it', () => {
    const r = new Router3640('interface Serial2/0\n ip tcp adjust-mss 600');
    expect(mssOf(r.fromInside(segment()))).toBe(1460);
  });

  test('is for SYNs, whatever options another segment has', () => {
    const r = new Router3640(
      'access-list 101 permit ip any any\ninterface Ethernet2/0\n ip tcp adjust-mss 600\n no ip inspect OUT-IN in\n' +
        'interface Ethernet2/1\n no ip inspect IN-OUT in',
    );
    expect(mssOf(r.fromInside(segment({ flags: 'A', ack: 1 })))).toBe(1460);
    expect(mssOf(r.fromInside(segment()))).toBe(600);
  });
});

describe('ICMP errors of the router itself', () => {
  const own = (r: Router3640, bytes: Uint8Array): { verdict: number; bytes: Uint8Array } => {
    const p = received(bytes, 0);
    const verdict = r.engine.handleOwn(p);
    return { verdict, bytes: sent(p) };
  };

  test('that cannot be read are dropped and counted', () => {
    const r = new Router3640();
    const bytes = icmpPacket(OUTSIDE, CLIENT, 3, 1, [0, 0, 0, 0, ...udpPacket(CLIENT, 1, MAIL, 2, 'x')]);
    bytes[0] = 0x41;
    expect(own(r, bytes).verdict).toBe(DROP.malformed);
    expect(r.engine.drops[DROP.malformed]).toBe(1);
  });

  test('to who is not translated keep the address that the kernel chose', () => {
    const r = new Router3640();
    const quoted = udpPacket(CLIENT, 4000, MAIL, 5000, 'query');
    const o = own(r, icmpPacket('10.10.10.1', CLIENT, 3, 1, [0, 0, 0, 0, ...quoted]));
    expect([o.verdict, dotted(i32(o.bytes, 12))]).toEqual([PASS, '10.10.10.1']);
  });
});

test('show ip virtual-reassembly of an interface that does not reassemble shows zeros', () => {
  const r = new Router3640();
  const zeros = { reassemblies: 0, fragments: 0, totalReassemblies: 0, totalFailures: 0 };
  expect(new RouterState(r.engine, () => r.now).reassembly('Ethernet9/9')).toEqual(zeros);
});

test('debug ip packet shows what is for the router itself without an interface to leave by', () => {
  const r = new Router3640('access-list 101 permit ip any any');
  r.engine.debug.packet = true;
  r.fromOutside(udpPacket(CLIENT, 4000, OUTSIDE, 9, 'x'));
  expect(told(r, 'debug')).toMatchObject([{ facility: 'packet', path: { ingress: 'Ethernet2/0' } }]);
});

describe('a packet for an interface that has its own words', () => {
  test('an interface without an address answers nothing', () => {
    const r = new Router3640('interface Ethernet2/0\n no ip address');
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 1, dst: MAIL, dstPort: 80, flags: 'S' }));
    expect([r.engine.drops[DROP.acl], r.injected.length]).toEqual([1, 0]);
  });

  test('a list that is denied on the way out is answered and leaves no session, and the answer quotes what came', () => {
    const r = new Router3640('access-list 150 deny ip any any\ninterface Ethernet2/0\n ip access-group 150 out');
    const bytes = udpPacket(SERVER, 4000, CLIENT, 5000, 'query');
    expect(r.fromInside(bytes).verdict).toBe(DROP.acl);
    expect(r.sessionCount).toBe(0);
    expect(r.injected.length).toBe(1);
    expect([...r.injected[0]!.subarray(28, 48)]).toEqual([...bytes.subarray(0, 20)]);
  });

  test('an output list sees an inside host by its inside global address and port', () => {
    const PAT =
      'access-list 1 permit 10.10.10.0 0.0.0.255\nip nat inside source list 1 interface Ethernet2/0 overload\n';
    const list = (source: string): string => `access-list 150 permit udp host ${source} eq 4000 any\n`;
    const out = 'interface Ethernet2/0\n ip access-group 150 out';
    const verdict = (source: string): number =>
      query(new Router3640(PAT + list(source) + out), 4000, 5000, HOST).verdict;
    expect([verdict(OUTSIDE), verdict(HOST)]).toEqual([PASS, DROP.acl]);
  });
});

describe('another configuration', () => {
  test('keeps the matches of entries that stay, and forgets those of lists that go', () => {
    const extra = 'access-list 101 permit udp any any';
    const r = new Router3640(extra);
    const matches = (): readonly number[] => new RouterState(r.engine, () => r.now).aclMatches('101');
    r.fromOutside(udpPacket(CLIENT, 4000, MAIL, 9, 'x'));
    expect(matches()).toEqual([0, 1]);
    r.configure(config3640(`${extra}\naccess-list 101 permit icmp any any`));
    expect(matches()).toEqual([0, 1, 0]);
    r.configure(config3640('no access-list 101'));
    expect([...r.engine.accessLists.keys()]).toEqual([]);
    // A list that is applied and not defined permits everything.
    expect(r.fromOutside(udpPacket(CLIENT, 4000, MAIL, 9, 'x')).verdict).toBe(PASS);
  });

  test('keeps the translations that are still right, and takes timeouts over for new ones', () => {
    const PAT =
      'access-list 1 permit 10.10.10.0 0.0.0.255\nip nat inside source list 1 interface Ethernet2/0 overload\n';
    const r = new Router3640(PAT);
    query(r, 4000, 5000, HOST);
    r.configure(config3640(`${PAT}ip nat translation udp-timeout 40`));
    expect(r.engine.nat.translations.dynamic).toBe(1);
    r.configure(config3640());
    expect(r.engine.nat.translations.dynamic).toBe(0);
  });
});

describe('ip access-list … log', () => {
  const log = (words: string): unknown[] => {
    const r = new Router3640(`no access-list 101\naccess-list 101 ${words}`);
    r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 1, dst: MAIL, dstPort: 80, flags: 'S' }));
    return r.events
      .filter((e) => e.type === 'acl-denied' || e.type === 'acl-permitted')
      .map((e) => [e.type, 'ingress' in e ? e.ingress : undefined]);
  };

  test('names the interface only with log-input, and says nothing without either', () => {
    expect(log('deny tcp any any')).toEqual([]);
    expect(log('deny tcp any any log')).toEqual([['acl-denied', undefined]]);
    expect(log('deny tcp any any log-input')).toEqual([['acl-denied', 'Ethernet2/0']]);
    expect(log('permit tcp any any log')).toEqual([['acl-permitted', undefined]]);
    expect(log('permit udp any any log')).toEqual([]); // the implicit deny
  });
});

describe('ip inspect log drop-pkt', () => {
  test('tells of the segment all that IOS prints, and of no access list', () => {
    const r = new Router3640('ip inspect log drop-pkt');
    r.fromOutside(udpPacket(CLIENT, 4000, MAIL, 9, 'x'));
    expect(told(r, 'packet-dropped')).toEqual([]);
    r.fromInside(tcpPacket({ src: SERVER, srcPort: 4000, dst: CLIENT, dstPort: 443, flags: 'PA', seq: 7, ack: 9 }));
    expect(told(r, 'packet-dropped')).toMatchObject([
      { reason: DROP.noSession, protocol: 6, srcPort: 4000, dstPort: 443, seq: 7, ack: 9, flags: 0x5018 },
    ]);
  });
});
