/** Which shard a packet is for: both directions of a flow, before NAT and behind it, and the errors about it meet in one. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  isOutside,
  maskOf,
  prefixesOf,
  shardOf,
  shardOfPacket,
  type Steering,
  steeringOf,
} from '../../src/core/shard/steering.js';
import { type Origin, steeringRules } from '../../src/host/steering.js';
import { compilePolicy } from '../../src/ios/compile/policy.js';
import { dotted, icmpPacket, ip, ipv4Packet, tcpPacket, withHeader } from '../support/packets.js';
import { config3640 } from '../support/router-3640.js';
import { runBpf } from './bpf.js';

/** The shard that the rules send a packet to. */
const byRules = (steering: Steering, origin: Origin, b: Uint8Array): number =>
  steeringRules(steering, origin).find((r) => runBpf(r.match, b) !== 0)?.shard ?? 0;

const address = fc.oneof(
  fc.integer(),
  fc.constantFrom('10.10.10.2', '172.22.1.110', '172.22.1.16', '198.51.100.7', '224.0.0.5', '10.10.10.255').map(ip),
  fc.nat(0xffff).map((n) => ip('172.22.0.0') | n),
);
const shards = fc.integer({ min: 2, max: 16 });

const policy = compilePolicy(
  config3640(`ip nat pool P 198.18.0.3 198.18.0.17 netmask 255.255.255.0
ip nat inside source list 1 pool P overload
ip route 198.51.100.0 255.255.255.0 10.10.10.7
ip route 0.0.0.0 0.0.0.0 172.22.1.1`),
);

const areas = fc.array(
  fc.record({ prefix: fc.integer(), length: fc.integer({ min: 0, max: 32 }), outside: fc.boolean() }),
  { maxLength: 30 },
);
const anySteering = fc.record({
  shards,
  areas: fc.option(
    areas.map((all) =>
      all.map((a) => ({ ...a, prefix: a.prefix & maskOf(a.length) })).sort((a, b) => b.length - a.length),
    ),
    { nil: undefined },
  ),
});

const rest = fc.uint8Array({ minLength: 0, maxLength: 60 });
const packet = fc
  .record({ src: address, dst: address, protocol: fc.constantFrom(1, 1, 1, 6, 17, 50), rest, options: fc.nat(3) })
  .chain((p) =>
    fc
      .record({ fragment: fc.constantFrom(0, 0, 0, 0x2000, 0x0003, 0x4000), type: fc.constantFrom(0, 3, 5, 8, 11, 12) })
      .map((more) => {
        const body = p.rest.slice();
        if (body.length > 0) body[0] = more.type;
        const b = withHeader(ipv4Packet(dotted(p.src), dotted(p.dst), p.protocol, body), { fragment: more.fragment });
        const long = new Uint8Array(b.length + p.options * 4);
        long.set(b.subarray(0, 20));
        long.set(b.subarray(20), 20 + p.options * 4);
        long[0] = 0x45 + p.options;
        return long;
      }),
  );

test('the programs of iptables do what is meant, for any packet and any areas', () => {
  fc.assert(
    fc.property(anySteering, packet, fc.boolean(), (steering, b, outside) => {
      expect(byRules(steering, outside ? 'outside' : 'inside', b)).toBe(
        shardOfPacket(steering, b, 0, b.length, outside),
      );
    }),
    { numRuns: 2000 },
  );
});

const error = (from: number, to: number, quoted: Uint8Array): Uint8Array =>
  icmpPacket(dotted(from), dotted(to), 11, 0, [0, 0, 0, 0, ...quoted.subarray(0, 28)]);
const tcp = (src: number, dst: number): Uint8Array =>
  tcpPacket({ src: dotted(src), srcPort: 1024, dst: dotted(dst), dstPort: 25, flags: 'S' });

describe('of a flow between outside and inside', () => {
  const outside = fc.integer().filter((a) => isOutside(steeringOf(policy, 2).areas!, a));
  const inside = fc.nat(250).map((n) => ip('10.10.10.0') | n);
  const global = fc.constantFrom('172.22.1.110', '172.22.1.111', '172.22.1.16', '198.18.0.3', '198.18.0.17').map(ip);

  test('all packets and all errors are for the shard of its outside address', () => {
    fc.assert(
      fc.property(outside, inside, global, shards, fc.integer(), fc.nat(250), (o, local, g, n, router, k) => {
        const s = steeringOf(policy, n);
        const at = (b: Uint8Array, fromOutside: boolean): number => {
          const shard = shardOfPacket(s, b, 0, b.length, fromOutside);
          expect(byRules(s, fromOutside ? 'outside' : 'inside', b)).toBe(shard);
          return shard;
        };
        const own = (b: Uint8Array, fromOutside: boolean): number =>
          byRules(s, fromOutside ? 'quoted-from-outside' : 'quoted-from-inside', b);
        const shard = shardOf(o, n);
        expect(at(tcp(o, g), true)).toBe(shard);
        expect(at(tcp(local, o), false)).toBe(shard);
        // Of a router on the way, about what left; of an inside one, about what came.
        expect(at(error(router, g, tcp(g, o)), true)).toBe(shard);
        expect(at(error(ip('10.10.10.0') | k, o, tcp(o, local)), false)).toBe(shard);
        // Of the router's own kernel, behind NAT.
        expect(own(error(ip('172.22.1.16'), o, tcp(o, local)), true)).toBe(shard);
        expect(own(error(ip('10.10.10.1'), g, tcp(g, o)), false)).toBe(shard);
      }),
    );
  });

  test('outside addresses are spread over all shards', () => {
    for (const n of [2, 3, 4, 16]) {
      const counts = new Array<number>(n).fill(0);
      for (let i = 0; i < 256; i++) counts[shardOf(ip('192.0.2.0') + i, n)]!++;
      expect(Math.min(...counts)).toBeGreaterThan(256 / n / 3);
    }
  });
});

test.each([
  { name: 'inside to inside', src: '10.10.10.2', dst: '198.51.100.7', outside: false },
  { name: 'a hairpin', src: '10.10.10.2', dst: '172.22.1.110', outside: false },
  { name: 'its second half', src: '10.10.10.2', dst: '172.22.1.111', outside: false },
  { name: 'a hairpin to a pool', src: '10.10.10.2', dst: '198.18.0.9', outside: false },
  { name: 'inside to the router', src: '10.10.10.2', dst: '172.22.1.16', outside: false },
  { name: 'outside to outside', src: '203.0.113.9', dst: '172.22.1.77', outside: true },
])('$name is for shard 0', ({ src, dst, outside }) => {
  for (let n = 2; n <= 16; n++)
    for (let i = 0; i < 8; i++)
      expect(shardOfPacket(steeringOf(policy, n), tcp(ip(src) + i * 0, ip(dst)), 0, 40, outside)).toBe(0);
});

test('where nothing is outside, both directions and errors about either have one shard', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer(), fc.integer(), shards, fc.boolean(), (a, b, router, n, outside) => {
      const s: Steering = { shards: n, areas: undefined };
      const want = shardOf(a ^ b, n);
      const packets = [tcp(a, b), tcp(b, a), error(router, a, tcp(a, b)), error(router, b, tcp(b, a))];
      for (const p of packets) {
        expect(shardOfPacket(s, p, 0, p.length, outside)).toBe(want);
        expect(byRules(s, outside ? 'outside' : 'inside', p)).toBe(want);
      }
    }),
  );
});

test('a pool is covered by its prefixes, and nothing else is', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 31 }), fc.integer({ min: 1, max: 5000 }), (first, size) => {
      const end = (p: readonly [number, number]): number => (p[0] >>> 0) + 2 ** (32 - p[1]);
      const found = prefixesOf({ first: first | 0, size });
      let at = first;
      for (const p of found) {
        expect(p[0] >>> 0).toBe(at);
        expect(p[0] & maskOf(p[1])).toBe(p[0]);
        at = end(p);
      }
      expect(at).toBe(first + size);
    }),
  );
});

test('a few hundred static entries in a row take few rules', () => {
  const lines = Array.from({ length: 256 }, (_, i) => `ip nat inside source static 10.10.20.${i} 198.18.1.${i}`);
  const { areas: all } = steeringOf(compilePolicy(config3640(lines.join('\n'))), 4);
  expect(all!.length).toBeLessThan(12);
});
