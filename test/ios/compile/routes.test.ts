/** From lines of configuration to the routes in force: which are installed, where they lead, which goes first. */
import { expect, test } from 'vitest';
import { compilePolicy, routingPolicy } from '../../../src/ios/compile/policy.js';
import { resolveRoutes } from '../../../src/ios/compile/routes.js';
import type { RouterConfig } from '../../../src/ios/config/model.js';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { dotted, ip } from '../../support/packets.js';

const ROUTER = `
interface Ethernet0/0
 ip address 10.0.0.1 255.255.255.0
interface Ethernet0/1
 ip address 10.0.1.1 255.255.255.0
 ip address 10.0.4.1 255.255.255.0 secondary
interface Ethernet0/2
 ip address 10.0.2.1 255.255.255.0
 shutdown
interface Loopback0
 ip address 10.0.9.1 255.255.255.255
interface Null0
`;

function config(lines: string): RouterConfig {
  const { config: read, errors } = parseConfig(`${ROUTER}${lines}\n`, 'x.cfg');
  expect(errors.map(String)).toEqual([]);
  return read;
}

/** The static routes in force, the first one first: `prefix/length interface gateway`. */
const routes = (lines: string): string[] =>
  resolveRoutes(config(lines))
    .filter((r) => r.route !== undefined)
    .map(({ prefix, mask, out }) => {
      const to = out.kind === 'null' ? 'Null' : `${out.kind === 'unmapped' ? '!' : ''}${out.name}`;
      const gateway = out.kind === 'interface' && out.gateway !== undefined ? ` ${dotted(out.gateway)}` : '';
      const length = Array.from(dotted(mask).split('.'), (n) => Number(n).toString(2).replaceAll('0', '')).join(
        '',
      ).length;
      return `${dotted(prefix)}/${length} ${to}${gateway}`;
    });

const NET = 'ip route 192.168.0.0 255.255.0.0';

test.each([
  { name: 'a next hop on a link', lines: `${NET} 10.0.0.7`, want: ['192.168.0.0/16 Ethernet0/0 10.0.0.7'] },
  {
    name: 'one on the link of a secondary address',
    lines: `${NET} 10.0.4.7`,
    want: ['192.168.0.0/16 Ethernet0/1 10.0.4.7'],
  },
  { name: 'an interface', lines: `${NET} Ethernet0/1`, want: ['192.168.0.0/16 Ethernet0/1'] },
  { name: 'host bits are cleared', lines: 'ip route 192.168.7.9 255.255.255.0 10.0.0.7', want: undefined },
  { name: 'Null0', lines: `${NET} Null0`, want: ['192.168.0.0/16 Null'] },
  { name: 'an interface that is shut down', lines: `${NET} Ethernet0/2`, want: [] },
  { name: 'a next hop behind it', lines: `${NET} 10.0.2.7`, want: [] },
  { name: 'an interface that Linux does not have', lines: `${NET} Loopback0`, want: ['192.168.0.0/16 !Loopback0'] },
  { name: 'a next hop that nothing leads to', lines: `${NET} 172.16.0.1`, want: [] },
  { name: 'its own next hop', lines: `${NET} 192.168.0.1`, want: [] },
  { name: 'distance 255', lines: `${NET} 10.0.0.7 255`, want: [] },
  { name: 'distance 254', lines: `${NET} 10.0.0.7 254`, want: ['192.168.0.0/16 Ethernet0/0 10.0.0.7'] },
  {
    name: 'a next hop behind a next hop is asked for at the nearer one',
    lines: `${NET} 172.16.0.1\nip route 172.16.0.0 255.255.0.0 10.0.1.9`,
    want: ['192.168.0.0/16 Ethernet0/1 10.0.1.9', '172.16.0.0/16 Ethernet0/1 10.0.1.9'],
  },
  {
    name: 'a next hop behind an interface is asked for itself',
    lines: `${NET} 172.16.0.1\nip route 172.16.0.0 255.255.0.0 Ethernet0/1`,
    want: ['192.168.0.0/16 Ethernet0/1 172.16.0.1', '172.16.0.0/16 Ethernet0/1'],
  },
  {
    name: 'the longest prefix leads to a next hop, the default route where there is no other',
    lines: `${NET} 172.16.0.1\nip route 0.0.0.0 0.0.0.0 10.0.0.7\nip route 172.16.0.0 255.255.0.0 10.0.1.9\nip route 10.9.0.0 255.255.0.0 8.8.8.8`,
    want: [
      '192.168.0.0/16 Ethernet0/1 10.0.1.9',
      '172.16.0.0/16 Ethernet0/1 10.0.1.9',
      '10.9.0.0/16 Ethernet0/0 10.0.0.7',
      '0.0.0.0/0 Ethernet0/0 10.0.0.7',
    ],
  },
  {
    name: 'a route that is longer than the link goes before it',
    lines: `${NET} 10.0.0.7\nip route 10.0.0.7 255.255.255.255 Ethernet0/1`,
    want: ['10.0.0.7/32 Ethernet0/1', '192.168.0.0/16 Ethernet0/1 10.0.0.7'],
  },
  {
    name: 'a circle leads nowhere',
    lines: 'ip route 172.16.0.0 255.255.0.0 172.17.0.1\nip route 172.17.0.0 255.255.0.0 172.16.0.1',
    want: [],
  },
  {
    name: 'of one prefix the least distance is first, and what leads out before what Linux does not have',
    lines: `${NET} 10.0.1.9 5\n${NET} 10.0.0.7 2\n${NET} Loopback0`,
    want: ['192.168.0.0/16 Ethernet0/0 10.0.0.7', '192.168.0.0/16 Ethernet0/1 10.0.1.9', '192.168.0.0/16 !Loopback0'],
  },
  {
    name: 'the way to a next hop is the one of least distance',
    lines: `${NET} 172.16.0.1\nip route 172.16.0.0 255.255.0.0 10.0.0.7 9\nip route 172.16.0.0 255.255.0.0 10.0.1.9 3`,
    want: [
      '192.168.0.0/16 Ethernet0/1 10.0.1.9',
      '172.16.0.0/16 Ethernet0/1 10.0.1.9',
      '172.16.0.0/16 Ethernet0/0 10.0.0.7',
    ],
  },
])('ip route: $name', ({ lines, want }) => {
  if (want === undefined) expect(parseConfig(`${ROUTER}${lines}\n`, 'x.cfg').errors.length).toBe(1);
  else expect(routes(lines)).toEqual(want);
});

test('a chain of next hops is followed for a while, but not for ever', () => {
  const chain = (hops: number): string =>
    Array.from({ length: hops }, (_, i) => {
      const hop = i === hops - 1 ? '10.0.0.7' : `172.${17 + i}.0.1`;
      return `ip route 172.${16 + i}.0.0 255.255.0.0 ${hop}`;
    }).join('\n');
  expect(routes(chain(17)).length).toBe(17);
  // Only the one that is too far away is left out, wherever in the file it stands.
  for (const lines of [chain(18), chain(18).split('\n').reverse().join('\n')]) {
    expect(routes(lines).length).toBe(17);
    expect(routes(lines).join()).not.toContain('172.16.0.0');
  }
});

test('addresses and directed broadcasts are of the router, those without a Linux interface apart', () => {
  const { own, unmapped } = routingPolicy(config(''));
  expect(own.map(dotted)).toEqual(['10.0.0.1', '10.0.0.255', '10.0.1.1', '10.0.1.255', '10.0.4.1', '10.0.4.255']);
  expect(unmapped.map(dotted)).toEqual(['10.0.9.1']);
  const link = config('interface Ethernet0/3\n ip address 10.0.3.0 255.255.255.254');
  expect(routingPolicy(link).own.map(dotted).slice(-1)).toEqual(['10.0.3.0']);
});

test('Null0 answers, unless it is told not to', () => {
  const egress = (lines: string): unknown =>
    routingPolicy(config(`${NET} Null0\n${lines}`)).routes.items.find((r) => r.prefix === ip('192.168.0.0'))?.egress;
  expect(egress('')).not.toEqual(egress('interface Null0\n no ip unreachables'));
  expect(egress('interface Ethernet0/0\n no ip unreachables')).toEqual(egress(''));
});

test.each([
  { name: 'nothing that needs it', lines: '', want: false },
  { name: 'NAT', lines: 'interface Ethernet0/0\n ip nat inside', want: true },
  { name: 'inspection inbound', lines: 'interface Ethernet0/0\n ip inspect X in', want: true },
  { name: 'inspection outbound', lines: 'interface Ethernet0/0\n ip inspect X out', want: true },
])('fragments are joined on all interfaces with $name: $want', ({ lines, want }) => {
  const { interfaces } = compilePolicy(config(`ip inspect name X tcp\n${lines}`));
  expect(interfaces.map((i) => i.reassembly !== undefined)).toEqual(interfaces.map(() => want));
});

test('a protocol has its own settings, or those of all', () => {
  const protocols = compilePolicy(
    config(`ip inspect audit-trail
ip inspect udp idle-time 31
ip inspect tcp idle-time 61
ip inspect name X tcp audit-trail off
ip inspect name X udp
ip inspect name X icmp
ip inspect name X ftp timeout 71
ip inspect name X esmtp alert off max-data 500`),
  ).inspectionRules[0]!.protocols;
  expect(protocols.map((p) => [p.protocol, p.alert, p.auditTrail, p.idleMs, p.smtp?.maxData])).toEqual([
    ['tcp', true, false, 61_000, undefined],
    ['udp', true, true, 31_000, undefined],
    ['icmp', true, true, 10_000, undefined],
    ['ftp', true, true, 71_000, undefined],
    ['esmtp', false, true, 61_000, 500],
  ]);
});

test('lists that name one pool share it; an interface without an address has none to give', () => {
  const { nat } = compilePolicy(
    config(`access-list 1 permit any
access-list 2 permit any
ip nat pool P 172.16.0.10 172.16.0.19 netmask 255.255.255.0
ip nat inside source list 1 pool P
ip nat inside source list 2 pool P overload
ip nat inside source list 3 interface Ethernet0/0 overload
ip nat inside source list 4 interface Null0 overload
ip nat inside source static tcp 10.0.1.5 25 interface Ethernet0/0 2525
ip nat inside source static tcp 10.0.1.6 25 interface Null0 2525
ip nat inside source static network 10.5.0.0 172.16.5.0 /24`),
  );
  expect(nat.mappings.map((m) => [m.name, m.pool, m.overload])).toEqual([
    ['P', 0, false],
    ['P', 0, true],
    ['Ethernet0/0', 1, true],
    ['Null0', 2, true],
  ]);
  expect(new Set(nat.mappings.map((m) => m.key)).size).toBe(4);
  expect(nat.pools.map((p) => [dotted(p.first), p.size])).toEqual([
    ['172.16.0.10', 10],
    ['10.0.0.1', 1],
    ['0.0.0.0', 0],
  ]);
  expect(
    nat.bindings.items.map((b) => [b.protocol, dotted(b.local), b.localPort, dotted(b.global), b.globalPort]),
  ).toEqual([[6, '10.0.1.5', 25, '10.0.0.1', 2525]]);
  expect(nat.networks.map((n) => [dotted(n.local), dotted(n.global)])).toEqual([['10.5.0.0', '172.16.5.0']]);
  expect(nat.own.map(dotted)).toContain('10.0.2.1');
});
