/** What the access lists of an interface say of a packet, and what is said and answered of it. */
import { describe, expect, test } from 'vitest';
import { CompiledAccessList } from '../../src/core/acl/access-list.js';
import { PacketFilter } from '../../src/core/acl/packet-filter.js';
import { ADMINISTRATIVELY_PROHIBITED, HOST_UNREACHABLE } from '../../src/core/acl/unreachable.js';
import type { Event } from '../../src/core/events.js';
import type { Observer } from '../../src/core/observe/observer.js';
import type { InterfacePolicy } from '../../src/core/policy.js';
import { Ports } from '../../src/core/ports.js';
import { DROP, PASS } from '../../src/core/verdict.js';
import { i32 } from '../../src/core/wire/bytes.js';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { dotted, ip, received, udpPacket } from '../support/packets.js';
import { config3640 } from '../support/router-3640.js';

const SENDER = '172.22.1.10';
const RECEIVER = '172.22.1.110';

class Filter {
  readonly events: Event[] = [];
  readonly injected: Uint8Array[] = [];
  readonly ports = new Ports();
  readonly lists = new Map<string, CompiledAccessList>();
  readonly filter = new PacketFilter(this.ports, {
    event: (e) => this.events.push(e),
    inject: (packet) => this.injected.push(packet.slice()),
    release: () => undefined,
  });

  /** @param entries of list 150, which the second interface has */
  constructor(entries: string, more: Partial<InterfacePolicy> = {}) {
    const { accessLists } = compilePolicy(config3640(entries.replace(/^/gm, 'access-list 150 ')));
    this.lists.set('150', new CompiledAccessList('150', accessLists.get('150')!.items));
    const common = { adjustMss: 0, unreachables: true };
    const second = { ...common, name: 'Ethernet2/0', address: ip('172.22.1.16'), accessGroupIn: '150', ...more };
    this.ports.configure([{ ...common, name: 'Ethernet2/1' }, second], this.lists);
  }

  admit(p = packet(), now = 1000): number {
    return this.filter.admit(p, this.ports.at(p.ingress)!, now);
  }

  permitsOut(p = packet()): boolean {
    return this.filter.permitsOut(p, this.lists.get('150'));
  }

  get matches(): number[] {
    return [...this.lists.get('150')!.matches];
  }
}

function packet(src = SENDER, srcPort = 4000, ingress = 1): Packet {
  const p = received(udpPacket(src, srcPort, RECEIVER, 53, 'query'), ingress);
  expect([decodeIpv4(p), decodeTransport(p)]).toEqual([PASS, PASS]);
  p.globalSrc = p.src;
  p.globalSrcPort = p.srcPort;
  return p;
}

describe('the inbound list', () => {
  test('lets pass what it permits, counts it, and says nothing', () => {
    const f = new Filter('permit udp any any');
    expect([f.admit(), f.matches, f.injected, f.events]).toEqual([PASS, [1], [], []]);
  });

  test('is asked only where there is one', () => {
    const f = new Filter('deny ip any any');
    expect([f.admit(packet(SENDER, 4000, 0)), f.matches]).toEqual([PASS, [0]]);
  });

  test('drops what an entry denies, and what none permits, and its sender is told so', () => {
    for (const entry of ['deny udp any any', 'permit tcp any any']) {
      const f = new Filter(entry);
      expect(f.admit()).toBe(DROP.acl);
      const [answer] = f.injected as [Uint8Array];
      expect([dotted(i32(answer, 12)), dotted(i32(answer, 16)), answer[20], answer[21]]).toEqual(['172.22.1.16', SENDER, 3, ADMINISTRATIVELY_PROHIBITED]); // prettier-ignore
    }
  });
});

describe('an answer', () => {
  test('has the code that is asked for, and is the only one for half a second', () => {
    const f = new Filter('permit ip any any');
    const answer = (now: number): void => f.filter.answer(packet(), f.ports.at(1)!, HOST_UNREACHABLE, now);
    answer(1000);
    answer(1499);
    expect(f.injected.map((b) => [b[20], b[21]])).toEqual([[3, HOST_UNREACHABLE]]);
    answer(1500);
    expect(f.injected).toHaveLength(2);
  });

  test.each([
    ['whose interface sends no unreachables', { unreachables: false }],
    ['whose interface has no address', { address: undefined }],
  ])('is not given to a packet %s', (_, more) => {
    const f = new Filter('deny ip any any', more as Partial<InterfacePolicy>);
    expect([f.admit(), f.injected]).toEqual([DROP.acl, []]);
  });
});

describe('the output list', () => {
  test('permits all where there is none', () => {
    const f = new Filter('deny ip any any');
    expect([f.filter.permitsOut(packet(), undefined), f.matches]).toEqual([true, [0]]);
  });

  test('sees a packet by its global source, address and port, and leaves it as it was', () => {
    const f = new Filter('permit udp host 10.10.10.2 eq 7 any');
    const p = packet();
    expect(f.permitsOut(p)).toBe(false);
    p.globalSrc = ip('10.10.10.2');
    expect(f.permitsOut(p)).toBe(false);
    p.globalSrcPort = 7;
    expect(f.permitsOut(p)).toBe(true);
    expect([dotted(p.src), p.srcPort, f.matches]).toEqual([SENDER, 4000, [1]]);
  });
});

describe('the log of entries', () => {
  const said = (entries: string, now = [0]): unknown[] => {
    const f = new Filter(entries);
    for (const t of now) f.admit(packet(), t);
    return f.events.map((e) => ('ingress' in e ? [e.type, e.ingress] : [e.type]));
  };

  test('says what matched an entry that wants it, with the interface where it wants that', () => {
    expect(said('deny ip any any')).toEqual([]);
    expect(said('deny ip any any log')).toEqual([['acl-denied']]);
    expect(said('permit ip any any log')).toEqual([['acl-permitted']]);
    expect(said('deny ip any any log-input')).toEqual([['acl-denied', 'Ethernet2/0']]);
    expect(said('permit tcp any any log')).toEqual([]);
  });

  test('has the name of the list, and sums up when its time has come', () => {
    const f = new Filter('permit ip any any log');
    for (let i = 0; i < 3; i++) f.admit();
    f.filter.tick(299_999);
    expect(f.events).toMatchObject([{ list: '150', packets: 1 }]);
    f.filter.tick(300_000);
    expect(f.events).toMatchObject([{ packets: 1 }, { list: '150', packets: 2 }]);
  });
});

test('an observer hears which entry of which list has matched', () => {
  const f = new Filter('permit tcp any any\npermit udp any any');
  const heard: unknown[] = [];
  f.filter.observer = { matched: (list: CompiledAccessList, index: number) => heard.push([list.name, index]) } as unknown as Observer; // prettier-ignore
  f.admit();
  f.permitsOut();
  expect(heard).toEqual([['150', 1], ['150', 1]]); // prettier-ignore
});
