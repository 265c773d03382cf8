import { describe, expect, test } from 'vitest';
import { checkBindings, planHost, type HostChange, type HostFacts } from '../../src/host/host-plan.js';
import type { RouterConfig } from '../../src/ios/config/model.js';
import { netmask } from '../../src/ios/ipv4-text.js';
import { address, BINDINGS, routerConfig } from '../support/router-config.js';

const OPTIONS = { queue: 7, failOpen: false };

/** A host that was just booted: two Ethernet NICs and one for management. */
function facts(sysctls: Record<string, string> = {}, hasIpv6 = true): HostFacts {
  return { devices: ['lo', 'outside', 'inside', 'mgmt'], sysctl: (key) => sysctls[key], hasIpv6 };
}

const plan = (config: RouterConfig, f = facts()) => planHost(config, BINDINGS, OPTIONS, f);
const of = <K extends HostChange['kind']>(kind: K, changes: HostChange[]) =>
  changes.filter((c): c is HostChange & { kind: K } => c.kind === kind);
const inWords = (changes: HostChange[]) =>
  of('address', changes).map((c) => `${c.address}/${c.length} ${c.device}${c.alias ? ' alias' : ''}`);

describe('order', () => {
  test('the rules come before anything else and forwarding after everything else', () => {
    const { changes } = plan(routerConfig());
    expect(changes.slice(0, 2)).toEqual([
      {
        kind: 'rules',
        family: 'ipv4',
        devices: ['outside', 'inside'],
        natOutside: ['outside'],
        queue: 7,
        failOpen: false,
      },
      { kind: 'rules', family: 'ipv6', devices: ['outside', 'inside'] },
    ]);
    expect(changes.slice(-2)).toEqual([
      { kind: 'sysctl', key: 'net/ipv4/conf/outside/forwarding', value: '1' },
      { kind: 'sysctl', key: 'net/ipv4/conf/inside/forwarding', value: '1' },
    ]);
    expect(changes.filter((c) => c.kind === 'sysctl' && c.key.endsWith('forwarding'))).toHaveLength(2);
  });

  test('a kernel without IPv6 gets no IPv6 rules', () => {
    expect(of('rules', plan(routerConfig(), facts({}, false)).changes).map((r) => r.family)).toEqual(['ipv4']);
  });
});

describe('addresses', () => {
  test('primary, secondary, then the inside global addresses on the segment where they lie', () => {
    const config = routerConfig((c) => {
      c.interfaces[0]!.addresses.push({ address: address('172.22.2.16'), mask: netmask(25) });
    });
    expect(inWords(plan(config).changes)).toEqual([
      '172.22.1.16/24 outside',
      '172.22.2.16/25 outside',
      '10.10.10.1/24 inside',
      '172.22.1.110/32 outside alias',
      '172.22.1.111/32 outside alias',
    ]);
  });

  test.each([
    { name: 'no-alias', entry: { insideGlobal: address('172.22.1.110'), noAlias: true } },
    { name: 'an inside global address that is routed to us', entry: { insideGlobal: address('192.0.2.1') } },
    { name: "the interface's own address", entry: { insideGlobal: address('172.22.1.16') } },
    { name: 'a translation to an interface', entry: { insideGlobal: 0, interfaceName: 'Ethernet2/0' } },
  ])('$name gets no alias', ({ entry }) => {
    const config = routerConfig((c) => {
      c.nat.staticEntries = [{ insideLocal: address('10.10.10.2'), ...entry }];
    });
    expect(of('address', plan(config).changes).filter((c) => c.alias)).toEqual([]);
  });

  test('a pool in use is answered for, address by address, up to a limit that is told', () => {
    const config = routerConfig((c) => {
      c.nat.staticEntries = [];
      c.interfaces[0]!.addresses = [{ address: address('172.16.0.1'), mask: netmask(12) }];
      c.nat.pools.set('P', {
        name: 'P',
        start: address('172.22.1.254'),
        end: address('172.22.18.1'),
        mask: netmask(12),
      });
      c.nat.dynamic = [{ list: '1', pool: 'P', overload: false, line: 1 }];
    });
    const { changes, notes } = plan(config);
    expect(inWords(changes).slice(2, 5)).toEqual([
      '172.22.1.254/32 outside alias',
      '172.22.1.255/32 outside alias',
      '172.22.2.0/32 outside alias',
    ]);
    expect(of('address', changes).filter((c) => c.alias)).toHaveLength(4096);
    expect(notes.map((n) => n.text)).toContain('ARP is answered for the first 4096 inside global addresses only');
  });
});

describe('sysctls', () => {
  test('no check of sources, no martians of our own, no redirects, and proxy ARP as configured', () => {
    const config = routerConfig((c) => {
      c.interfaces[2]!.proxyArp = false;
    });
    const set = Object.fromEntries(of('sysctl', plan(config).changes).map((c) => [c.key.slice(14), c.value]));
    expect(set).toMatchObject({
      'outside/rp_filter': '0',
      'inside/rp_filter': '0',
      'outside/accept_local': '1',
      'inside/accept_local': '1',
      'outside/send_redirects': '0',
      'inside/send_redirects': '0',
      'outside/proxy_arp': '1',
      'inside/proxy_arp': '0',
    });
    expect(Object.keys(set).filter((key) => !/^(outside|inside)\//.test(key))).toEqual([]);
  });

  test('rp_filter of `all` is cleared, and other NICs keep the check it gave them', () => {
    const before = { 'net/ipv4/conf/all/rp_filter': '2', 'net/ipv4/conf/lo/rp_filter': '2' };
    const changes = of('sysctl', plan(routerConfig(), facts(before)).changes);
    const keys = changes.map((c) => `${c.key} ${c.value}`);
    expect(keys.indexOf('net/ipv4/conf/mgmt/rp_filter 2')).toBeGreaterThanOrEqual(0);
    expect(keys.indexOf('net/ipv4/conf/all/rp_filter 0')).toBeGreaterThan(
      keys.indexOf('net/ipv4/conf/mgmt/rp_filter 2'),
    );
    expect(keys.some((key) => key.startsWith('net/ipv4/conf/lo/'))).toBe(false);
  });
});

describe('routes', () => {
  test.each([
    {
      name: 'next hop on a connected network',
      route: { prefix: 0, mask: 0, nextHop: address('172.22.1.1'), distance: 1 },
      want: { destination: '0.0.0.0/0', via: '172.22.1.1', device: 'outside', metric: 1 },
    },
    {
      name: 'an interface only, with a distance',
      route: { prefix: address('192.168.0.0'), mask: netmask(16), interfaceName: 'Ethernet2/1', distance: 200 },
      want: { destination: '192.168.0.0/16', device: 'inside', metric: 200 },
    },
    {
      name: 'Null0',
      route: { prefix: address('10.0.0.0'), mask: netmask(8), interfaceName: 'Null0', distance: 1 },
      want: { destination: '10.0.0.0/8', metric: 1 },
    },
  ])('$name', ({ route, want }) => {
    const { changes, notes } = plan(routerConfig((c) => void (c.routes = [route])));
    expect(of('route', changes).map((c) => c.route)).toEqual([want]);
    expect(notes).toEqual([]);
  });

  test('of one distance share a route of the kernel; another distance is a route of its own', () => {
    const to = { prefix: address('192.168.6.0'), mask: netmask(24) };
    const { changes, notes } = plan(
      routerConfig((c) => {
        c.routes = [
          { ...to, nextHop: address('10.10.10.2'), distance: 1 },
          { ...to, nextHop: address('172.22.1.9'), distance: 9 },
          { ...to, nextHop: address('10.10.10.5'), distance: 1 },
          { ...to, interfaceName: 'Null0', distance: 9 },
        ];
      }),
    );
    const destination = '192.168.6.0/24';
    expect(of('route', changes).map((c) => c.route)).toEqual([
      { destination, via: '10.10.10.2', device: 'inside', metric: 1, also: [{ via: '10.10.10.5', device: 'inside' }] },
      { destination, via: '172.22.1.9', device: 'outside', metric: 9 },
    ]);
    expect(notes.map((n) => n.text)).toEqual([
      '192.168.6.0/24 has a next hop and Null0 at distance 9: the later line is left out',
    ]);
  });

  test.each([
    {
      name: 'next hop on no mapped interface',
      route: { prefix: 0, mask: 0, nextHop: address('192.0.2.1'), distance: 1 },
      note: 'ip route 0.0.0.0 0.0.0.0 192.0.2.1: there is no way to the next hop, the route is left out',
    },
    {
      name: 'an interface that is shut down',
      route: { prefix: 0, mask: 0, interfaceName: 'Serial2/0', distance: 1 },
      note: 'ip route 0.0.0.0 0.0.0.0 Serial2/0: Serial2/0 is shut down, the route is left out',
    },
    {
      name: 'distance 255',
      route: { prefix: 0, mask: 0, nextHop: address('172.22.1.1'), distance: 255 },
      note: 'ip route 0.0.0.0 0.0.0.0 172.22.1.1: distance 255 is never installed',
    },
  ])('$name: left out, and said so', ({ route, note }) => {
    const { changes, notes } = plan(routerConfig((c) => void (c.routes = [route])));
    expect(of('route', changes)).toEqual([]);
    expect(notes).toEqual([{ level: 'warn', text: note }]);
  });
});

test('shutdown takes the link down and leaves out the routes through it', () => {
  const { changes, notes } = plan(routerConfig((c) => void (c.interfaces[0]!.shutdown = true)));
  expect(of('link', changes)).toEqual([
    { kind: 'link', device: 'outside', up: false },
    { kind: 'link', device: 'inside', up: true },
  ]);
  expect(of('route', changes)).toEqual([]);
  expect(notes.map((n) => n.text)).toEqual([
    'ip route 0.0.0.0 0.0.0.0 172.22.1.1: Ethernet2/0 is shut down, the route is left out',
  ]);
});

describe('mapping of interfaces', () => {
  test.each([
    { name: 'two known ones', map: BINDINGS, faults: 0 },
    { name: 'one alone', map: new Map([['Ethernet2/0', 'eth0']]), faults: 1 },
    { name: 'unknown to the configuration', map: new Map([...BINDINGS, ['Ethernet9/0', 'eth2']]), faults: 1 },
    { name: 'two to one NIC', map: new Map([['Ethernet2/0', 'eth0'], ['Ethernet2/1', 'eth0']]), faults: 1 }, // prettier-ignore
    { name: "iptables' wildcard", map: new Map([['Ethernet2/0', 'eth+'], ['Ethernet2/1', 'eth0']]), faults: 1 }, // prettier-ignore
    { name: 'loopback', map: new Map([['Ethernet2/0', 'lo'], ['Ethernet2/1', 'eth0']]), faults: 1 }, // prettier-ignore
  ])('$name: $faults faults', ({ map, faults }) => {
    expect(checkBindings(routerConfig(), map)).toHaveLength(faults);
  });
});
