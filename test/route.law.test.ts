import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../src/ios/config/parse.js';
import { RoutingTable } from '../src/route.js';

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
      const egress = best === undefined ? -2 : (best.nextHop! >> 8) & 255;
      expect(new RoutingTable(config).lookup((0xc0000200 + host) | 0)).toBe(egress);
    }),
    { numRuns: 500 },
  );
});
