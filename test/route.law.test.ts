import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RouterConfig, StaticRoute } from '../src/ios/config/model.js';
import { parseConfig } from '../src/ios/config/parse.js';
import { UNREACHABLE } from '../src/core/route/routing-table.js';
import { routingTable } from '../src/ios/compile/policy.js';

const CONNECTED = `interface Ethernet2/0
 ip address 10.0.0.1 255.255.255.0
interface Ethernet2/1
 ip address 10.0.1.1 255.255.255.0
interface Ethernet2/2
 ip address 10.0.2.1 255.255.255.0
`;

/** Routes that cover each other: of few prefixes, all lengths and some distances. */
const route = fc.record({
  bits: fc.nat(255),
  length: fc.integer({ min: 24, max: 32 }),
  hop: fc.nat(2),
  distance: fc.integer({ min: 1, max: 3 }),
});

const asText = ({ bits, length, hop, distance }: { bits: number; length: number; hop: number; distance: number }) => {
  const ones = (0xff << (32 - length)) & 0xff;
  return `ip route 192.0.2.${bits & ones} 255.255.255.${ones} 10.0.${hop}.9 ${distance}`;
};

test('many routes lead where the longest, of those the nearest, and of those the first leads', () => {
  fc.assert(
    fc.property(fc.array(route, { minLength: 20, maxLength: 40 }), fc.nat(255), (routes, host) => {
      const config = parseConfig(CONNECTED + routes.map(asText).join('\n'), 'x').config;
      const covering = config.routes
        .filter((r) => ((0xc0000200 + host) & r.mask) === r.prefix)
        .sort((a, b) => (b.mask >>> 0) - (a.mask >>> 0) || a.distance - b.distance);
      const best = covering[0];
      const egress = best === undefined ? UNREACHABLE : (best.nextHop! >> 8) & 255;
      expect(routingTable(config).lookup((0xc0000200 + host) | 0)).toBe(egress);
    }),
    { numRuns: 500 },
  );
});

/** The slow way: who looks for a packet's way, follows next hops one after the other. */
function follow(
  config: RouterConfig,
  mapped: ReadonlySet<string>,
  dst: number,
  seen: readonly StaticRoute[] = [],
): number {
  const all = [
    ...config.interfaces.flatMap((i, egress) =>
      i.addresses.map((a) => ({ prefix: a.address & a.mask, mask: a.mask, distance: 0, egress, route: undefined })),
    ),
    ...config.routes.map((r) => ({ ...r, egress: undefined, route: r })),
  ].filter((r) => (dst & r.mask) === r.prefix);
  all.sort((a, b) => (b.mask >>> 0) - (a.mask >>> 0) || a.distance - b.distance);
  for (const { egress, route } of all) {
    if (egress !== undefined) return mapped.has(config.interfaces[egress]!.name) ? egress : UNREACHABLE;
    if (seen.some((s) => s.prefix === route.prefix && s.mask === route.mask)) continue;
    return follow(config, mapped, route.nextHop!, [...seen, route]);
  }
  return UNREACHABLE;
}

test('a next hop behind another route leads where that one leads, and what leads to no Linux interface leads nowhere', () => {
  const hop = fc.constantFrom('10.0.0.9', '10.0.1.9', '10.0.2.9', '10.20.0.1', '10.21.0.1', '10.22.0.1');
  const chain = fc.uniqueArray(fc.record({ net: fc.constantFrom(20, 21, 22, 23), hop }), { selector: (r) => r.net });
  fc.assert(
    fc.property(chain, fc.constantFrom(20, 21, 22, 23), (routes, net) => {
      const lines = routes.map((r) => `ip route 10.${r.net}.0.0 255.255.0.0 ${r.hop}`).join('\n');
      const { config } = parseConfig(CONNECTED + lines, 'x');
      const mapped = new Set(['Ethernet2/0', 'Ethernet2/1']);
      const dst = (10 << 24) | (net << 16) | 5;
      expect([lines, routingTable(config, mapped).lookup(dst)]).toEqual([lines, follow(config, mapped, dst)]);
    }),
    { numRuns: 500 },
  );
});

test('a second way to a prefix is known, whatever other prefixes stand between', () => {
  const lines = [
    'ip route 192.0.2.0 255.255.255.0 10.0.0.9',
    'ip route 198.51.100.0 255.255.255.0 10.0.2.9',
    'ip route 192.0.2.0 255.255.255.0 10.0.1.9 5',
  ];
  const table = routingTable(parseConfig(CONNECTED + lines.join('\n'), 'x').config);
  const host = (192 << 24) | (2 << 8) | 7;
  expect([0, 1, 2].map((egress) => table.leadsTo(host, egress))).toEqual([true, true, false]);
});
