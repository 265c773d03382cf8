/** What an engine begins with: of its own, of a seed, of another process; and what it tells of itself. */
import { describe, expect, test } from 'vitest';
import { Engine, type EngineOptions } from '../../src/core/engine.js';
import type { Event } from '../../src/core/events.js';
import { DROP, PASS, type Verdict } from '../../src/core/verdict.js';
import { i32, u16 } from '../../src/core/wire/bytes.js';
import { seqAdd } from '../../src/core/wire/seq.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { LeftMemory } from '../support/left-memory.js';
import { icmpPacket, ipv4Packet, received, sent, tcpPacket, udpPacket } from '../support/packets.js';
import { config3640, Router3640 } from '../support/router-3640.js';
import { CLIENT, HOST, MAIL, OUTSIDE, pieces, query, SERVER, state, Talk, told } from '../wiring/scene.js';

const FROM_OUTSIDE = 0;
const FROM_INSIDE = 2;
const PAT = 'access-list 1 permit 10.10.10.0 0.0.0.255\nip nat inside source list 1 interface Ethernet2/0 overload\n';

class Plain {
  readonly events: Event[] = [];
  readonly injected: Uint8Array[] = [];
  readonly engine: Engine;
  constructor(options: Partial<EngineOptions> = {}, extra = '') {
    this.engine = new Engine(
      compilePolicy(config3640(extra)),
      { capacity: 64, seed: 7, now: 1000, ...options },
      { event: (e) => this.events.push(e), inject: (b) => this.injected.push(b.slice()), release: () => undefined },
    );
  }
  send(bytes: Uint8Array, ingress: number): { verdict: Verdict; bytes: Uint8Array } {
    const p = received(bytes, ingress);
    return { verdict: this.engine.handle(p, 1000), bytes: sent(p) };
  }
}

describe('identifications', () => {
  const first = (options: Partial<EngineOptions>): number => {
    const packet = udpPacket(SERVER, 4000, CLIENT, 5000, 'x'.repeat(100));
    return u16(new Plain(options).send(packet, FROM_INSIDE).bytes, 4);
  };

  test('come from a seed of their own, or from that of the tables', () => {
    expect(first({ identificationSeed: 7, seed: 8 })).toBe(first({ seed: 7 }));
    expect(first({ identificationSeed: 8, seed: 7 })).toBe(first({ seed: 8 }));
    expect(first({ seed: 7 })).not.toBe(first({ seed: 8 }));
    expect(first({ identificationSeed: 0, seed: 7 })).not.toBe(first({ seed: 7 }));
  });
});

describe('SYN cookies', () => {
  const ON = 'access-list 150 permit tcp any host 10.10.10.2 eq 25\nip tcp intercept list 150';
  const ends = { src: CLIENT, srcPort: 1025, dst: MAIL, dstPort: 25 };
  /** Whether `other` takes for its own what `one` has answered. */
  const isGoodFor = (one: Partial<EngineOptions>, other: Partial<EngineOptions>): boolean => {
    const first = new Plain(one, ON);
    first.send(tcpPacket({ ...ends, flags: 'S', seq: 1000 }), FROM_OUTSIDE);
    const cookie = i32(first.injected[0]!, 24);
    const ack = tcpPacket({ ...ends, flags: 'A', seq: 1001, ack: seqAdd(cookie, 1) });
    return new Plain(other, ON).send(ack, FROM_OUTSIDE).verdict === PASS;
  };

  test('are good for who has the key, whatever his seed is', () => {
    const cookieKey = Int32Array.of(1, 2, 3, 4);
    expect(isGoodFor({ cookieKey, seed: 7 }, { cookieKey, seed: 8 })).toBe(true);
    expect(isGoodFor({ cookieKey }, { cookieKey: Int32Array.of(1, 2, 3, 5) })).toBe(false);
    expect(isGoodFor({ cookieKey }, {})).toBe(false);
  });

  test('without a key are good for who has the seed', () => {
    expect([isGoodFor({ seed: 7 }, { seed: 7 }), isGoodFor({ seed: 7 }, { seed: 8 })]).toEqual([true, false]);
  });
});

test('all counters begin at nothing, and each thing that is counted has a row', () => {
  const rows = new Plain().engine.rows();
  expect(rows.filter((row) => row.read() !== 0)).toEqual([]);
  const names = rows.map(({ family, name }) => `${family} ${name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(rows.filter((row) => row.help === '' || !['counter', 'gauge'].includes(row.kind))).toEqual([]);
  expect(rows.map((row) => row.family)).toEqual(
    expect.arrayContaining(['taken-over', 'drop', 'reassembly', 'reset', 'session', 'smtp', 'nat', 'fragment', 'log']),
  );
});

describe('the counters of what was taken over', () => {
  const CAPACITY = 16;
  const rows = (r: Router3640): Record<string, number> =>
    Object.fromEntries(r.engine.rows().flatMap((row) => (row.family === 'taken-over' ? [[row.name, row.read()]] : [])));

  test('are added up over all data planes, though one ends before it has ticked', () => {
    const memory = new LeftMemory().source;
    const first = new Router3640('', CAPACITY, memory);
    new Talk(first, true, 25);
    query(first, 4000);
    expect(rows(first)).toEqual({ adopted: 0, reset: 0, lost: 0 });
    const second = new Router3640('', CAPACITY, memory, first.now);
    const third = new Router3640('', CAPACITY, memory, first.now);
    expect([rows(second), rows(third)]).toEqual([
      { adopted: 2, reset: 0, lost: 0 },
      { adopted: 4, reset: 0, lost: 0 },
    ]);
    expect(told(third, 'taken-over')).toEqual([{ type: 'taken-over', foreign: false, adopted: 2, reset: 0, lost: 0 }]);
  });

  test('have the translations that no rule is for any more', () => {
    const memory = new LeftMemory().source;
    const first = new Router3640(PAT, CAPACITY, memory);
    for (const port of [4000, 4001]) query(first, port, 5000, HOST);
    const second = new Router3640('', CAPACITY, memory, first.now);
    expect(rows(second)['lost']).toBe(told(second, 'taken-over')[0]!.lost);
    expect(second.engine.nat.translations.dynamic).toBe(0);
  });

  test('drops go on, too, as they were at the last tick', () => {
    const memory = new LeftMemory().source;
    const first = new Router3640('', CAPACITY, memory);
    first.fromOutside(udpPacket(CLIENT, 1, MAIL, 9, 'x'));
    first.wait(125);
    first.fromOutside(udpPacket(CLIENT, 1, MAIL, 9, 'x'));
    const second = new Router3640('', CAPACITY, memory, first.now);
    expect(second.engine.drops[DROP.acl]).toBe(1);
  });
});

test('what was left without names is of nobody: sessions and translations are given up', () => {
  const left = new LeftMemory();
  const first = new Router3640(PAT, 16, left.source);
  query(first, 4000, 5000, HOST);
  for (const [name, buffer] of left.buffers) if (name.startsWith('names')) new Int32Array(buffer).fill(0);
  const second = new Router3640(PAT, 16, left.source, first.now);
  expect([second.sessionCount, second.engine.nat.translations.dynamic, told(second, 'taken-over')]).toEqual([0, 0, []]);
  query(second, 4000, 5000, HOST);
  expect([second.sessionCount, second.engine.nat.translations.dynamic]).toEqual([1, 1]);
});

describe('peek', () => {
  const peek = (r: Router3640, bytes: Uint8Array, ingress: number): number | undefined =>
    r.engine.peek(received(bytes, ingress))?.initiatorPort;

  test('finds the session of a packet, from whichever side it comes, and changes nothing', () => {
    const r = new Router3640();
    query(r, 4000);
    const before = state(r).sessions();
    r.now += 1000;
    expect(peek(r, udpPacket(SERVER, 4000, CLIENT, 5000, 'x'), FROM_INSIDE)).toBe(4000);
    expect(peek(r, udpPacket(CLIENT, 5000, MAIL, 4000, 'x'), FROM_OUTSIDE)).toBe(4000);
    expect(peek(r, udpPacket(CLIENT, 5000, MAIL, 4001, 'x'), FROM_OUTSIDE)).toBeUndefined();
    r.now -= 1000;
    expect(state(r).sessions()).toEqual(before);
  });

  test('finds none for what cannot be read', () => {
    const r = new Router3640();
    query(r, 4000);
    const bad = udpPacket(SERVER, 4000, CLIENT, 5000, 'x');
    bad[0] = 0x41;
    expect(peek(r, bad, FROM_INSIDE)).toBeUndefined();
    // Ports that a session has, and a length that cannot be.
    const short = ipv4Packet(SERVER, CLIENT, 17, Uint8Array.of(15, 160, 19, 136, 0, 3, 0, 0));
    expect(peek(r, short, FROM_INSIDE)).toBeUndefined();
  });
});

describe('show ip virtual-reassembly', () => {
  test('has what each interface has put together, what waits, and what was given up', () => {
    const r = new Router3640();
    const zeros = { reassemblies: 0, fragments: 0, totalReassemblies: 0, totalFailures: 0 };
    pieces(r, 1, 3);
    expect(r.engine.reassembly('Ethernet2/0')).toEqual({ ...zeros, reassemblies: 1, fragments: 3 });
    pieces(r, 2, 2);
    expect(r.engine.reassembly('Ethernet2/0')).toEqual({ ...zeros, reassemblies: 2, fragments: 5 });
    expect(r.engine.reassembly('Ethernet2/1')).toEqual(zeros);
    expect(r.engine.reassembly('Ethernet9/9')).toEqual(zeros);
    r.wait(4000);
    expect(r.engine.reassembly('Ethernet2/0')).toEqual({ ...zeros, totalFailures: 2 });
  });
});

describe('ip tcp adjust-mss of both interfaces', () => {
  const mss = (outside: number | undefined, inside: number | undefined): number => {
    const on = (name: string, most: number | undefined): string =>
      most === undefined ? '' : `interface ${name}\n ip tcp adjust-mss ${most}\n!\n`;
    const r = new Router3640(on('Ethernet2/0', outside) + on('Ethernet2/1', inside));
    const bytes = tcpPacket({ src: CLIENT, srcPort: 1, dst: MAIL, dstPort: 25, flags: 'S', options: [2, 4, 5, 180] });
    return u16(r.fromOutside(bytes).bytes, 42);
  };
  test.each([
    { outside: 1300, inside: 1200, want: 1200 },
    { outside: 1200, inside: 1300, want: 1200 },
    { outside: 1200, inside: undefined, want: 1200 },
    { outside: undefined, inside: 1200, want: 1200 },
  ])('the lower one counts: $outside in, $inside out', ({ outside, inside, want }) => {
    expect(mss(outside, inside)).toBe(want);
  });

  test('a packet for the router itself has only that of the way in', () => {
    const r = new Router3640('access-list 101 permit ip any any\ninterface Ethernet2/0\n ip tcp adjust-mss 900\n!');
    const bytes = tcpPacket({
      src: CLIENT,
      srcPort: 1,
      dst: OUTSIDE,
      dstPort: 25,
      flags: 'S',
      options: [2, 4, 5, 180],
    });
    expect(u16(r.fromOutside(bytes).bytes, 42)).toBe(900);
    const none = new Router3640('access-list 101 permit ip any any\ninterface Ethernet2/1\n ip tcp adjust-mss 900\n!');
    expect(u16(none.fromOutside(bytes).bytes, 42)).toBe(1460);
  });

  test('what is no TCP, and a fragment that is not the first, go as they came', () => {
    const ON = 'no ip inspect name OUT-IN smtp\naccess-list 101 permit ip any any\ninterface Ethernet2/0\n no ip virtual-reassembly\n ip tcp adjust-mss 600\n!\ninterface Ethernet2/1\n no ip virtual-reassembly\n!'; // prettier-ignore
    const looksLikeSyn = tcpPacket({ src: CLIENT, srcPort: 1, dst: MAIL, dstPort: 80, flags: 'S', options: [2, 4, 5, 180] }); // prettier-ignore
    const r = new Router3640(ON);
    r.fromOutside(looksLikeSyn);
    const gre = ipv4Packet(CLIENT, MAIL, 47, looksLikeSyn.subarray(20));
    expect(u16(r.fromOutside(gre).bytes, 42)).toBe(1460);
  });
});

describe('a packet that is dropped is told with', () => {
  const ON = 'ip inspect log drop-pkt';
  test('the fields of ICMP', () => {
    const r = new Router3640(`${ON}\naccess-list 101 permit icmp any any`);
    r.fromInside(icmpPacket(SERVER, CLIENT, 3, 1, [0, 0, 0, 0, ...udpPacket(CLIENT, 1, SERVER, 2, 'x')]));
    expect(told(r, 'packet-dropped')).toMatchObject([
      { reason: DROP.strayError, protocol: 1, icmpType: 3, icmpCode: 1, identification: 0x1234, flags: 0, srcPort: 0 },
    ]);
  });

  test('the fields of a segment, its length of header among the flags', () => {
    const r = new Router3640(ON);
    r.fromInside(tcpPacket({ src: SERVER, srcPort: 3, dst: CLIENT, dstPort: 4, flags: 'A', seq: 7, ack: 9, options: [1, 1, 1, 0] })); // prettier-ignore
    expect(told(r, 'packet-dropped')).toMatchObject([
      { reason: DROP.noSession, protocol: 6, srcPort: 3, dstPort: 4, flags: 0x6010, seq: 7, ack: 9 },
    ]);
  });

  test('no flags where the header of TCP could not be read', () => {
    const r = new Router3640(ON);
    const bytes = tcpPacket({ src: SERVER, srcPort: 3, dst: CLIENT, dstPort: 4, flags: 'A' });
    bytes[32] = 0x10;
    r.fromInside(bytes);
    expect(told(r, 'packet-dropped')).toMatchObject([{ protocol: 6, flags: 0 }]);
  });

  test('once in thirty seconds, counted by the clock of the packet', () => {
    const r = new Router3640(ON);
    const stray = (): unknown =>
      r.fromInside(tcpPacket({ src: HOST, srcPort: 3, dst: CLIENT, dstPort: 4, flags: 'A' }));
    stray();
    r.now += 29_000;
    stray();
    expect(told(r, 'packet-dropped')).toHaveLength(1);
    r.now += 1000;
    stray();
    expect(told(r, 'packet-dropped')).toHaveLength(2);
  });
});

test('an access list in which nothing has changed stays what it is; another one is made anew', () => {
  const r = new Router3640('access-list 102 permit ip any any');
  const before = [r.engine.accessLists.get('101'), r.engine.accessLists.get('102')];
  r.configure(config3640('access-list 102 permit ip any any\naccess-list 102 deny udp any any'));
  expect([r.engine.accessLists.get('101') === before[0], r.engine.accessLists.get('102') === before[1]]).toEqual([true, false]); // prettier-ignore
});

test('routes that have changed are asked for the next packet', () => {
  const r = new Router3640();
  const verdict = (): Verdict => r.fromInside(udpPacket(SERVER, 4000, '198.51.100.9', 53, 'x')).verdict;
  expect(verdict()).toBe(PASS);
  r.wait(60_000);
  r.configure(config3640('no ip route 0.0.0.0 0.0.0.0 172.22.1.1'));
  expect(verdict()).toBe(DROP.unroutable);
});

test('the first rules of NAT are in force, whatever their revision is', () => {
  const policy = compilePolicy(config3640());
  const engine = new Engine(
    { ...policy, nat: { ...policy.nat, revision: 1 } },
    { capacity: 16, seed: 7, now: 1000 },
    { event: () => undefined, inject: () => undefined, release: () => undefined },
  );
  const p = received(udpPacket(SERVER, 4000, CLIENT, 5000, 'x'), FROM_INSIDE);
  engine.handle(p, 1000);
  expect(i32(sent(p), 12)).toBe((172 << 24) | (22 << 16) | (1 << 8) | 110);
});

test('a segment that waits in vain for the one before is dropped when its time is up, and counts as dropped', () => {
  const r = new Router3640('ip inspect tcp reassembly timeout 5');
  new Talk(r, true, 25).says(false, '220 mail\r\n').says(true, 'NOOP\r\n', 2);
  const drops = (): number => r.engine.drops.reduce((a, b) => a + b);
  expect([r.released, drops()]).toEqual([[], 0]);
  r.wait(6000);
  expect(r.released).toMatchObject([{ bytes: undefined }]);
  expect(r.engine.drops[r.released[0]!.verdict]).toBe(1);
});
