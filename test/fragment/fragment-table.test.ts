/** `ip virtual-reassembly`: what becomes of fragments, alone, in sets, and against its limits. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { FragmentTable } from '../../src/core/fragment/fragment-table.js';
import type { FragmentOptions } from '../../src/core/policy.js';
import type { Event } from '../../src/core/events.js';
import { rewriteSource } from '../../src/core/nat/rewrite.js';
import { ABSORBED, DROP, HOLD, isDrop, PASS, type Verdict } from '../../src/core/verdict.js';
import { put16 } from '../../src/core/wire/bytes.js';
import { completeToPartial, writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { checksumsOk, icmpPacket, ip, ipv4Packet, latin1, sent, tcpPacket, udpPacket } from '../support/packets.js';
import { fragmentOf, fragmentsAt, received } from './fragments.js';

type Cut = [from: number, to: number, more: boolean];

const DEFAULTS: FragmentOptions = { maxReassemblies: 16, maxFragments: 32, timeout: 3, dropFragments: false };

let table: FragmentTable;
let events: Event[];
/** Whole datagrams that were judged. */
let judged: Uint8Array[];
/** What a later stage makes of a datagram. */
let judge: (d: Packet) => Verdict;
/** What is certain from a fragment alone. */
let screen: (f: Packet) => Verdict;
let released: { token: number; v: Verdict }[];
/** Packets that went on. */
let out: Uint8Array[];
/** Packets that were held, by token. */
let held: Set<number>;
let tokens: number;

function start(...options: Partial<FragmentOptions>[]): void {
  table = new FragmentTable(
    {
      event: (e) => events.push(e),
      release: (token, v) => {
        if (!held.delete(token)) throw new Error('released twice, or never held');
        if (v === PASS) throw new Error('a fragment went on');
        released.push({ token, v });
      },
      inject: () => undefined,
    },
    {
      screen: (f) => screen(f),
      judge: (d) => {
        const v = decodeIpv4(d) || decodeTransport(d);
        if (v !== PASS) return v;
        judged.push(d.bytes.slice(d.at, d.end));
        return judge(d);
      },
    },
  );
  const all = options.length === 0 ? [{}] : options;
  table.configure(all.map((o, i) => ({ name: `Ethernet2/${i}`, reassembly: { ...DEFAULTS, ...o } })));
  events = [];
  judged = [];
  judge = () => PASS;
  screen = () => PASS;
  released = [];
  out = [];
  held = new Set();
  tokens = 0;
}

/** Hands a fragment to the table, as the pipeline does; what passes or is held is noted as an edge would. */
function admit(bytes: Uint8Array, now = 0, ingress = 0): Verdict {
  const p = received(bytes, ++tokens, ingress);
  const v = table.admit(p, now);
  if (v === HOLD) held.add(p.token);
  if (v === PASS && !p.modified) throw new Error('a fragment went on');
  if (v === PASS) out.push(sent(p));
  return v;
}

function withTtl(packet: Uint8Array, ttl: number): Uint8Array {
  const b = packet.slice();
  b[8] = ttl;
  writeIpv4Checksum(b, 0, (b[0]! & 15) * 4);
  return b;
}

/** The packet as host 10.1.1.`host` would send it. */
function from(host: number, packet: Uint8Array): Uint8Array {
  const b = packet.slice();
  b[15] = host;
  put16(b, 26, 0); // UDP without a checksum
  if ((((b[6]! << 8) | b[7]!) & 0x1fff) !== 0) b.set(packet.subarray(26, 28), 26);
  writeIpv4Checksum(b, 0, 20);
  return b;
}

/** The packet with these IP options, four bytes at a time. */
function withOptions(packet: Uint8Array, options: readonly number[]): Uint8Array {
  const b = new Uint8Array(packet.length + options.length);
  b.set(packet.subarray(0, 20));
  b.set(options, 20);
  b.set(packet.subarray(20), 20 + options.length);
  b[0] = 0x45 + options.length / 4;
  put16(b, 2, b.length);
  writeIpv4Checksum(b, 0, 20 + options.length);
  return b;
}

function withId(datagram: Uint8Array, id: number): Uint8Array {
  const b = datagram.slice();
  put16(b, 4, id);
  writeIpv4Checksum(b, 0, 20);
  return b;
}

/** For comparison: `toEqual` takes its time over long arrays. */
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex');
const faults = (): string[] => events.map((e) => (e.type === 'fragments' ? e.fault : e.type));
const udp = (length: number): Uint8Array => udpPacket('10.1.1.1', 5000, '10.10.10.2', 53, 'u'.repeat(length - 8));
const tcp = (payload: string, options: number[] = []): Uint8Array =>
  tcpPacket({ src: '10.1.1.1', srcPort: 1025, dst: '10.10.10.2', dstPort: 25, flags: 'PA', seq: 7, payload, options });

beforeEach(() => start());

const datagram: fc.Arbitrary<Uint8Array> = fc
  .tuple(fc.integer({ min: 30, max: 3000 }), fc.constantFrom('udp', 'tcp', 'tcp options', 'icmp', 'gre'), fc.nat())
  .map(([length, kind, seed]) => {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(((i * 7919 + seed) >>> 3) & 255)).join('');
    switch (kind) {
      case 'udp':
        return udpPacket('10.1.1.1', 5000, '10.10.10.2', 53, text);
      case 'tcp':
        return tcp(text);
      case 'tcp options':
        return tcp(text, [1, 1, 1, 1]);
      case 'icmp':
        return icmpPacket('10.1.1.1', '10.10.10.2', 8, 0, [0, 1, 0, 2, ...latin1(text)]);
      default:
        return ipv4Packet('10.1.1.1', '10.10.10.2', 47, latin1(text));
    }
  });

/** Cuts that leave the transport header whole, up to 32 fragments, and an order. */
const cuts = fc.uniqueArray(fc.integer({ min: 3, max: 380 }), { minLength: 1, maxLength: 31 });
const order = (n: number): fc.Arbitrary<number[]> =>
  fc.shuffledSubarray(
    Array.from({ length: n }, (_, i) => i),
    { minLength: n },
  );

describe('a datagram in fragments', () => {
  test('cut anywhere and in any order, is judged once, whole, and goes on as one packet', () => {
    fc.assert(
      fc.property(
        datagram.chain((d) =>
          cuts.chain((c) => {
            const parts = fragmentsAt(d, [3, ...c]);
            return fc.tuple(fc.constant(d), fc.constant(parts), order(parts.length));
          }),
        ),
        ([whole, parts, arrival]) => {
          start();
          const verdicts = arrival.map((i) => admit(parts[i]!));
          expect(verdicts).toEqual([...Array<number>(parts.length - 1).fill(HOLD), PASS]);
          expect(judged.map(hex)).toEqual([hex(whole)]);
          expect(out.map(hex)).toEqual([hex(whole)]);
          expect(released.map((r) => r.v)).toEqual(Array<number>(parts.length - 1).fill(ABSORBED));
          expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 0, fragments: 0, reassemblies: 1 });
        },
      ),
      { numRuns: 500 },
    );
  });

  test('goes on translated and masked, with right checksums', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 40, maxLength: 3000 }).chain((text) =>
          fc
            .tuple(fc.constantFrom(tcp(text), udpPacket('10.1.1.1', 5000, '10.10.10.2', 53, text)), cuts)
            .chain(([d, c]) => {
              const parts = fragmentsAt(d, [3, ...c]);
              return fc.tuple(fc.constant(parts), order(parts.length), fc.boolean(), fc.nat());
            }),
        ),
        ([parts, arrival, mask, at]) => {
          start();
          judge = (d) => {
            rewriteSource(d, ip('172.22.1.110'), d.srcPort);
            if (mask) {
              completeToPartial(d);
              d.bytes[d.payload + (at % (d.end - d.payload))] = 120;
              d.modified = true;
            }
            return PASS;
          };
          for (const i of arrival) admit(parts[i]!);
          const whole = out[0]!;
          const original = judged[0]!;
          expect(checksumsOk(whole)).toBe(true);
          const header = original[9] === 6 ? 40 : 28;
          const changed = [...whole].flatMap((byte, i) => (i >= header && byte !== original[i] ? [byte] : []));
          expect(changed.length).toBeLessThanOrEqual(mask ? 1 : 0);
          expect([...whole.subarray(12, 20)]).toEqual([172, 22, 1, 110, 10, 10, 10, 2]);
          expect(out.map((b) => b.length)).toEqual([original.length]);
        },
      ),
      { numRuns: 300 },
    );
  });

  // The kernel has noted where the payload of the packet begins that will carry the datagram.
  test.each([
    { name: 'of all fragments stay', first: [148, 4, 0, 0], second: [148, 4, 0, 0], want: [148, 4, 0, 0] },
    { name: 'of the first fragment stay', first: [148, 4, 0, 0], second: [148, 4, 1, 1], want: [148, 4, 0, 0] },
    { name: 'of the first fragment alone go', first: [7, 4, 4, 0], second: [], want: [] },
    { name: 'of the last fragment alone go', first: [], second: [7, 4, 4, 0], want: [1, 1, 1, 1] },
  ])('that comes last carries the datagram, whose options $name', ({ first, second, want }) => {
    admit(fragmentOf(withOptions(udp(48), first), 0, 16, true));
    expect(admit(fragmentOf(withOptions(udp(48), second), 16, 48, false))).toBe(PASS);
    expect(out.map(hex)).toEqual([hex(withOptions(udp(48), want))]);
    expect(judged.map(hex)).toEqual(out.map(hex));
  });

  test('has the least TTL of its fragments: what would have died in part dies as a whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 4, maxLength: 4 }),
        order(4),
        (ttls, arrival) => {
          start();
          const parts = fragmentsAt(udp(100), [4, 6, 9]).map((f, i) => withTtl(f, ttls[i]!));
          let ttl = 0;
          judge = (d) => {
            ttl = d.ttl;
            return PASS;
          };
          for (const i of arrival) admit(parts[i]!);
          expect(ttl).toBe(Math.min(...ttls));
          expect(out.map(hex)).toEqual([hex(withTtl(udp(100), ttl))]);
        },
      ),
    );
  });

  test("may be cut up again, even if its fragments have Don't Fragment set", () => {
    for (const f of fragmentsAt(udp(100), [4])) {
      f[6]! |= 0x40;
      writeIpv4Checksum(f, 0, 20);
      admit(f);
    }
    expect(out.map(hex)).toEqual([hex(udp(100))]);
  });

  test('of 65,531 bytes goes on, a longer one does not fit into the queue', () => {
    const passes = (length: number): boolean => {
      start();
      const whole = ipv4Packet('10.1.1.1', '10.10.10.2', 47, new Uint8Array(length - 20));
      const v = fragmentsAt(whole, [4000, 8000]).map((f) => admit(f));
      return v[2] === PASS && out[0]!.length === length;
    };
    expect(passes(65_531)).toBe(true);
    expect(faults()).toEqual([]);
    expect(passes(65_532)).toBe(false);
    expect(faults()).toEqual(['oversize']);
    expect(table.interfaces[0]!.failures).toBe(1);
  });

  test('that needs no change goes on as it is after one that was masked', () => {
    judge = (d) => {
      completeToPartial(d);
      d.bytes[d.payload] = 120;
      d.modified = true;
      return PASS;
    };
    for (const f of fragmentsAt(udp(64), [4])) admit(f);
    judge = () => PASS;
    for (const f of fragmentsAt(withId(udp(64), 9), [4])) admit(f);
    expect(hex(out[0]!)).not.toBe(hex(udp(64)));
    expect(hex(out[1]!)).toBe(hex(withId(udp(64), 9)));
    const wrong = withId(udp(64), 10);
    wrong[80]! ^= 1;
    expect(fragmentsAt(wrong, [4]).map((f) => admit(f))).toEqual([HOLD, DROP.badChecksum]);
  });

  test('is dropped with all its fragments when the datagram is, and counts as one drop', () => {
    judge = () => DROP.acl;
    const [a, b, c] = fragmentsAt(udp(100), [4, 8]);
    admit(b!);
    admit(a!);
    expect(admit(c!)).toBe(DROP.acl);
    expect(released.map((r) => r.v)).toEqual([ABSORBED, ABSORBED]);
    expect(out).toEqual([]);
    expect(table.interfaces[0]!.fragments).toBe(0);
  });

  test('with a wrong transport checksum goes nowhere', () => {
    const whole = udp(100);
    whole[90]! ^= 1;
    const [a, b] = fragmentsAt(whole, [4]);
    admit(a!);
    expect(admit(b!)).toBe(DROP.badChecksum);
    expect(released).toMatchObject([{ token: 1, v: ABSORBED }]);
  });

  test('that a later stage holds is one packet by then, and takes no place', () => {
    start({ maxReassemblies: 1 });
    let token = 0;
    judge = (d) => {
      token = d.token;
      return HOLD;
    };
    const parts = fragmentsAt(tcp('a'.repeat(80)), [4, 8]);
    expect(parts.map((f) => admit(f))).toEqual([HOLD, HOLD, HOLD]);
    expect(token).toBe(3); // the edge holds the last fragment
    expect(released).toEqual([
      { token: 1, v: ABSORBED },
      { token: 2, v: ABSORBED },
    ]);
    expect([...held]).toEqual([3]);
    expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 0, fragments: 0, failures: 0 });
  });

  test('is told apart by source, destination, protocol, identification, and by where it comes in', () => {
    start({}, {});
    const base = udp(64);
    const others = [
      { name: 'identification', bytes: withId(base, 9) },
      { name: 'source', bytes: udpPacket('10.1.1.9', 5000, '10.10.10.2', 53, 'u'.repeat(56)) },
      { name: 'destination', bytes: udpPacket('10.1.1.1', 5000, '10.10.10.9', 53, 'u'.repeat(56)) },
      { name: 'protocol', bytes: ipv4Packet('10.1.1.1', '10.10.10.2', 47, base.slice(20)) },
    ];
    admit(fragmentsAt(base, [4])[0]!);
    for (const { bytes } of others) expect(admit(fragmentsAt(bytes, [4])[1]!)).toBe(HOLD);
    expect(admit(fragmentsAt(base, [4])[1]!, 0, 1)).toBe(HOLD);
    expect(table.interfaces.map((i) => i.currentReassemblies)).toEqual([5, 1]);
    expect(admit(fragmentsAt(base, [4])[1]!)).toBe(PASS);
    expect(judged).toEqual([base]);
  });
});

describe('overlaps', () => {
  test('of any kind drop the whole chain, and what comes after it', () => {
    fc.assert(
      fc.property(
        datagram.chain((d) => fc.tuple(fc.constant(d), cuts)),
        fc.nat(375),
        fc.integer({ min: 1, max: 60 }),
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        ([whole, c], from, length, insertAt, shuffle, forged) => {
          start();
          const parts = fragmentsAt(whole, [3, ...c.slice(0, 29)]);
          const payload = whole.length - 20;
          // Any whole-numbered piece of the datagram (byte-identical or not) overlaps one of the others.
          const lo = Math.min(from * 8, (payload - 1) & ~7);
          fc.pre(whole[9] !== 6 || lo === 0 || lo >= 20); // a tiny one is another fault
          const hi = Math.min(Math.max(lo + length * 8, 24), payload);
          const extra = fragmentOf(whole, lo, hi, hi < payload);
          if (forged) extra[extra.length - 1]! ^= 0xff;
          // One that is exactly some of the others could take their place, and complete the set without them.
          const ends = new Set([payload, ...c.slice(0, 29).map((n) => n * 8), 24, 0]);
          fc.pre(!ends.has(lo) || !ends.has(hi));
          // The extra one is never the last, so that the set cannot be complete before it.
          const rotated = parts.map((_, i) => parts[(i + shuffle) % parts.length]!);
          rotated.splice(insertAt % parts.length, 0, extra);
          for (const f of rotated) expect(admit(f)).not.toBe(PASS);
          expect(judged).toEqual([]);
          expect(out).toEqual([]);
          expect(faults()).toEqual(['overlap']);
          expect(released.every((r) => isDrop(r.v))).toBe(true);
          expect(held.size).toBe(0);
          expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 1, fragments: 0, failures: 1 });
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    { name: 'a repeated fragment', first: [16, 32, true], second: [16, 32, true] },
    { name: 'one byte too many', first: [16, 33, false], second: [32, 40, true] },
    { name: 'a second last fragment', first: [16, 32, false], second: [40, 48, false] },
    { name: 'a fragment beyond the last', first: [16, 32, false], second: [40, 48, true] },
    { name: 'a last fragment before the end of another', first: [40, 48, true], second: [16, 32, false] },
  ] as { name: string; first: Cut; second: Cut }[])('count $name', ({ first, second }) => {
    const whole = udp(64);
    admit(fragmentOf(whole, ...first));
    expect(admit(fragmentOf(whole, ...second))).toBe(DROP.fragment);
    expect(faults()).toEqual(['overlap']);
    expect(released).toMatchObject([{ token: 1, v: DROP.fragment }]);
  });

  test('are forgotten after the timeout: the identification may be used again', () => {
    const parts = fragmentsAt(udp(64), [4]);
    admit(parts[0]!);
    admit(parts[0]!);
    table.expire(2999);
    expect(admit(parts[1]!, 2999)).toBe(DROP.fragment);
    table.expire(3000);
    expect(admit(parts[0]!, 3000)).toBe(HOLD);
    expect(admit(parts[1]!, 3000)).toBe(PASS);
  });
});

describe('single fragments that are refused', () => {
  const long = tcp('a'.repeat(80), [1, 1, 1, 1]);
  test.each([
    { name: 'a first one without the whole TCP header', bytes: fragmentOf(long, 0, 16, true) },
    { name: 'a first one without the TCP options', bytes: fragmentOf(longHeader(), 0, 24, true) },
    { name: 'one that starts in the TCP header, 8', bytes: fragmentOf(long, 8, 64, true) },
    { name: 'one that starts in the TCP header, 16', bytes: fragmentOf(long, 16, 64, true) },
  ])('tiny: $name', ({ bytes }) => {
    expect(admit(bytes)).toBe(DROP.fragment);
    expect(events).toEqual([
      {
        type: 'fragments',
        fault: 'tiny',
        interface: 'Ethernet2/0',
        limit: 32,
        src: ip('10.1.1.1'),
        dst: ip('10.10.10.2'),
      },
    ]);
  });

  test('a tiny one takes with it what came of its datagram before', () => {
    admit(fragmentOf(long, 64, 104, false));
    expect(admit(fragmentOf(long, 0, 8, true))).toBe(DROP.fragment);
    expect(released).toMatchObject([{ token: 1, v: DROP.fragment }]);
    expect(admit(fragmentOf(long, 24, 64, true))).toBe(DROP.fragment);
  });

  test.each([
    { name: 'no payload', from: 24, to: 24, more: true },
    { name: 'no payload, last', from: 24, to: 24, more: false },
    { name: 'more to come, but a length that is no multiple of 8', from: 24, to: 44, more: true },
  ])('malformed: $name', ({ from, to, more }) => {
    expect(admit(fragmentOf(long, from, to, more))).toBe(DROP.malformed);
    expect(table.interfaces[0]!.currentReassemblies).toBe(0);
  });

  test('oversize: a ping of death, which takes its set with it', () => {
    const piece = ipv4Packet('10.1.1.1', '10.10.10.2', 1, new Uint8Array(400));
    const at = (offset: number, more: boolean): Uint8Array => {
      const b = piece.slice();
      put16(b, 6, (offset >>> 3) | (more ? 0x2000 : 0));
      writeIpv4Checksum(b, 0, 20);
      return b;
    };
    expect(admit(at(0, true))).toBe(HOLD);
    expect(admit(at(65200, false))).toBe(DROP.fragment);
    expect(faults()).toEqual(['oversize']);
    expect(released).toMatchObject([{ token: 1, v: DROP.fragment }]);
  });

  test('oversize: a datagram that only its first header makes too long', () => {
    const whole = new Uint8Array(60 + 65508);
    whole.set(ipv4Packet('10.1.1.1', '10.10.10.2', 47, new Uint8Array(0)));
    const short = whole.slice(40);
    short.set(whole.subarray(0, 20));
    whole[0] = 0x4f;
    whole.fill(1, 20, 60);
    expect(admit(fragmentOf(short, 8, 65508, false))).toBe(HOLD);
    expect(admit(fragmentOf(whole, 0, 8, true))).toBe(DROP.fragment);
    expect(faults()).toEqual(['oversize']);
    expect(released).toMatchObject([{ token: 1, v: DROP.fragment }]);
    expect(table.interfaces[0]!.fragments).toBe(0);
  });

  test('all of them with drop-fragments', () => {
    start({ dropFragments: true });
    expect(fragmentsAt(udp(64), [4]).map((f) => admit(f))).toEqual([DROP.fragment, DROP.fragment]);
    expect(events).toEqual([]);
  });
});

describe('limits', () => {
  const first = (id: number): Uint8Array => fragmentsAt(withId(udp(64), id), [4])[0]!;
  const second = (id: number): Uint8Array => fragmentsAt(withId(udp(64), id), [4])[1]!;

  test('the 17th datagram at a time takes the place of the oldest, with one alert until there is room', () => {
    for (let id = 1; id <= 16; id++) expect(admit(from(id, first(id)))).toBe(HOLD);
    expect(events).toEqual([]);
    expect(admit(from(17, first(17)))).toBe(HOLD);
    expect(admit(from(18, first(18)))).toBe(HOLD);
    expect(released).toEqual([
      { token: 1, v: DROP.fragment },
      { token: 2, v: DROP.fragment },
    ]);
    expect(events).toMatchObject([{ fault: 'table-overflow', limit: 16 }]);
    expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 16, failures: 2 });
    expect(admit(from(5, second(5)))).toBe(PASS);
    expect(admit(from(19, first(19)))).toBe(HOLD);
    expect(admit(from(20, first(20)))).toBe(HOLD);
    expect(faults()).toEqual(['table-overflow', 'table-overflow']);
  });

  test('one source has half of the places; for more it gives up its oldest', () => {
    for (let id = 1; id <= 8; id++) admit(first(id));
    expect(released).toEqual([]);
    expect(admit(first(9))).toBe(HOLD);
    expect(released).toEqual([{ token: 1, v: DROP.fragment }]);
    expect(events).toMatchObject([{ fault: 'source-overflow', limit: 8, src: ip('10.1.1.1') }]);
    admit(first(10));
    expect(faults()).toEqual(['source-overflow']);
    expect(admit(second(3))).toBe(PASS);
    for (let id = 20; id <= 27; id++) expect(admit(from(2, first(id)))).toBe(HOLD);
    expect(table.interfaces[0]!.currentReassemblies).toBe(15);
  });

  test('a full table takes a place from the source that has most', () => {
    start({ maxReassemblies: 8 });
    for (let i = 1; i <= 3; i++) admit(from(i, first(i)));
    for (let id = 50; id < 54; id++) admit(from(9, first(id)));
    admit(from(4, first(4)));
    expect(admit(from(5, first(5)))).toBe(HOLD);
    expect(released).toEqual([{ token: 4, v: DROP.fragment }]); // the oldest of 9
    // Who has most itself takes none from others.
    expect(admit(from(9, first(60)))).toBe(HOLD);
    expect(released.at(-1)).toEqual({ token: 5, v: DROP.fragment });
    for (let i = 1; i <= 5; i++) expect(admit(from(i, second(i)))).toBe(PASS);
  });

  test.each([1, 2, 3, 16, 17, 1024])('with %i places a datagram passes, however many hold lone fragments', (places) => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 250 }), { maxLength: 40 }), fc.nat(), (sources, seed) => {
        start({ maxReassemblies: places });
        sources.forEach((source, i) => admit(from(source, first(i + 1))));
        const mine = seed % 251;
        admit(from(mine, first(5000)));
        expect(admit(from(mine, second(5000)))).toBe(PASS);
        expect(table.interfaces[0]!.currentReassemblies).toBeLessThan(Math.max(places, 1));
        expect(held.size).toBe(table.interfaces[0]!.fragments);
      }),
      { numRuns: 50 },
    );
  });

  test('what the access list denies takes no place, and ends the set that it would complete', () => {
    screen = (f) => (f.src === ip('10.1.1.9') || f.fragmentOffset === 0 ? DROP.acl : PASS);
    for (let id = 1; id <= 40; id++) expect(admit(from(9, second(id)))).toBe(DROP.acl);
    expect(table.interfaces[0]!.currentReassemblies).toBe(0);
    expect(admit(second(1))).toBe(HOLD);
    expect(admit(first(1))).toBe(DROP.acl);
    expect(released).toEqual([{ token: 41, v: DROP.acl }]);
    expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 0, fragments: 0, failures: 1 });
    expect(events).toEqual([]);
  });

  test('a fragment of a datagram that has begun is not asked about again', () => {
    let asked = 0;
    screen = () => {
      asked++;
      return PASS;
    };
    const parts = fragmentsAt(udp(100), [4, 6, 8]);
    for (const f of parts) admit(f);
    expect(asked).toBe(1);
    for (const f of parts.reverse()) admit(f);
    expect(asked).toBe(3); // the one that began, and the first, which has the ports
  });

  test('a set past its timeout makes room at once', () => {
    start({ maxReassemblies: 1 });
    admit(first(1), 0);
    expect(admit(first(2), 3000)).toBe(HOLD);
    expect(released).toMatchObject([{ token: 1, v: DROP.fragment }]);
  });

  test('a datagram in more than 32 fragments is dropped whole', () => {
    const parts = fragmentsAt(
      udp(8 * 40),
      Array.from({ length: 40 }, (_, i) => i),
    );
    const verdicts = parts.slice(0, 34).map((f) => admit(f));
    expect(verdicts).toEqual([...Array<number>(32).fill(HOLD), DROP.fragment, DROP.fragment]);
    expect(events).toMatchObject([{ fault: 'too-many', limit: 32 }]);
    expect(released.length).toBe(32);
    expect(held.size).toBe(0);
  });

  test('an incomplete datagram is dropped after 3 seconds, and its late rest goes nowhere', () => {
    admit(first(1), 1000);
    table.expire(3999);
    expect(released).toEqual([]);
    table.expire(4000);
    expect(released).toMatchObject([{ token: 1, v: DROP.fragment }]);
    expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 0, fragments: 0, failures: 1, timeouts: 1 });
    expect(admit(second(1), 4001)).toBe(HOLD);
    table.expire(9000);
    expect(judged).toEqual([]);
    expect(held.size).toBe(0);
  });

  test('reassembly that is switched off lets nothing stay held', () => {
    start({}, {});
    admit(first(1), 0, 0);
    admit(first(1), 0, 1);
    table.configure([{ name: 'Ethernet2/0' }]);
    expect(released.map((r) => r.v)).toEqual([DROP.fragment, DROP.fragment]);
    expect(table.covers(0)).toBe(false);
    expect(table.covers(1)).toBe(false);
    table.expire(9000);
  });

  test('a change of options keeps what is held and counted', () => {
    for (let i = 1; i <= 4; i++) admit(from(i, first(i)));
    table.configure([{ name: 'Ethernet2/0', reassembly: { ...DEFAULTS, maxReassemblies: 2 } }]);
    expect(table.covers(0)).toBe(true);
    expect(admit(from(1, second(1)))).toBe(PASS);
    expect(admit(from(5, first(5)))).toBe(HOLD);
    expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 2, reassemblies: 1, failures: 2 });
  });

  test('hold for any stream of fragments: bounded memory, one verdict for each, only whole datagrams judged', () => {
    const anyFragment = fc.record({
      id: fc.nat(5),
      from: fc.nat(12),
      length: fc.integer({ min: 0, max: 6 }),
      odd: fc.nat(3),
      more: fc.boolean(),
      protocol: fc.constantFrom(1, 6, 17, 47),
      wait: fc.constantFrom(0, 0, 0, 0, 700, 4000),
      verdict: fc.constantFrom<Verdict>(PASS, PASS, DROP.acl),
    });
    const source = Uint8Array.from({ length: 220 }, (_, i) => (i * 37) & 255);
    source[12] = 0x50;
    fc.assert(
      fc.property(fc.array(anyFragment, { maxLength: 120 }), (sequence) => {
        start({ maxReassemblies: 4, maxFragments: 5 });
        let now = 0;
        for (const f of sequence) {
          now += f.wait;
          table.expire(now);
          judge = () => f.verdict;
          const whole = withId(ipv4Packet('10.1.1.1', '10.10.10.2', f.protocol, source), f.id);
          const odd = f.odd === 0 ? 3 : 0;
          admit(fragmentOf(whole, f.from * 8, f.from * 8 + f.length * 8 + odd, f.more || f.from === 0), now);
          const port = table.interfaces[0]!;
          if (port.currentReassemblies > 4 || port.fragments > 20) throw new Error('over the limits');
          if (port.fragments !== held.size) throw new Error('a fragment got lost');
        }
        table.expire(now + 3000);
        expect(held.size).toBe(0);
        expect(table.interfaces[0]).toMatchObject({ currentReassemblies: 0, fragments: 0 });
        expect(judged.every((d) => hex(d.subarray(20)) === hex(source.subarray(0, d.length - 20)))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});

/** A segment whose TCP header has 44 bytes by its own account. */
function longHeader(): Uint8Array {
  const body = new Uint8Array(80);
  body[12] = 0xb0;
  return ipv4Packet('10.1.1.1', '10.10.10.2', 6, body);
}
