/** What has no way, or one that Linux has no interface for, goes nowhere: no translation, no session, no other route. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Engine } from '../src/core/engine.js';
import { compilePolicy } from '../src/ios/compile/policy.js';
import { planHost } from '../src/host/host-plan.js';
import { checkConfig } from '../src/ios/check.js';
import type { RouterConfig } from '../src/ios/config/model.js';
import { parseConfig } from '../src/ios/config/parse.js';
import { showIpRoute } from '../src/ios/show/ip-route.js';
import { traceConfig } from '../src/ios/trace/index.js';
import { RouterState } from '../src/core/state/router-state.js';
import { DROP, PASS } from '../src/core/verdict.js';
import { dotted, received, udpPacket } from './support/packets.js';

const BINDINGS = new Map([
  ['Ethernet0/0', 'outside'],
  ['Ethernet0/1', 'inside'],
]);
const MAPPED = new Set(BINDINGS.keys());

const textOf = (name: string): string => readFileSync(`test/ios/config/cases/${name}.cfg`, 'utf8');
const configOf = (text: string): RouterConfig => parseConfig(text, 'x').config;

/** What a datagram of an inside host comes to. */
function send(
  text: string,
  dst: string,
): { verdict: number; sessions: number; translations: number; answers: Uint8Array[] } {
  const answers: Uint8Array[] = [];
  const nothing = (): void => undefined;
  const engine = new Engine(
    compilePolicy(configOf(text), MAPPED),
    { capacity: 64, seed: 1, now: 0 },
    { event: nothing, release: nothing, inject: (p) => answers.push(p.slice()) },
  );
  const verdict = engine.handle(received(udpPacket('10.10.10.5', 4000, dst, 53, 'x'), 1), 1000);
  let sessions = 0;
  engine.sessions.forEach(() => sessions++);
  return { verdict, sessions, translations: new RouterState(engine, () => 1000).translations().length, answers };
}

const routesOf = (text: string): unknown[] =>
  planHost(
    configOf(text),
    BINDINGS,
    { queue: 0, failOpen: false },
    { devices: [], sysctl: () => undefined, hasIpv6: false },
  ).changes.flatMap((c) => (c.kind === 'route' ? [c.route] : []));

const NOWHERE = 0x7fff_ffff;

describe.each([
  ['tunnel-route', '10.50.0.1', { destination: '10.50.0.0/16', metric: NOWHERE }, 'Tunnel0'],
  ['tunnel-route', '10.60.0.1', { destination: '10.60.0.0/16', metric: NOWHERE }, 'Tunnel0'],
  ['tunnel-route', '10.255.0.1', { destination: '10.255.0.0/30', metric: NOWHERE }, 'Tunnel0'],
  ['unmapped-connected', '10.99.0.7', { destination: '10.99.0.0/24', metric: NOWHERE }, 'Ethernet0/2'],
  ['unmapped-connected', '10.99.0.1', { destination: '10.99.0.0/24', metric: NOWHERE }, 'Ethernet0/2'],
  ['null0', '10.77.0.1', { destination: '10.0.0.0/8', metric: 1 }, undefined],
  ['null0', '192.168.9.9', { destination: '192.168.0.0/16', metric: 1 }, undefined],
])('%s: what goes to %s', (name, dst, route, unmapped) => {
  const text = textOf(name);

  test('is dropped, opens nothing, and its sender is told: host unreachable', () => {
    const { answers, ...rest } = send(text, dst);
    expect(rest).toEqual({ verdict: DROP.unroutable, sessions: 0, translations: 0 });
    expect(
      answers.map((a) => [a[20], a[21], dotted((a[44]! << 24) | (a[45]! << 16) | (a[46]! << 8) | a[47]!)]),
    ).toEqual([[3, 1, dst]]);
  });

  test('has no way in the kernel either', () => expect(routesOf(text)).toContainEqual(route));

  test('is dropped by what trace says', () => {
    const words = ['udp', '10.10.10.5', '4000', dst, '53'];
    const { report } = traceConfig(text, 'x.cfg', 'e0/1', words, MAPPED);
    expect(report).toContain('Result: dropped: unreachable');
    if (unmapped !== undefined) expect(report).toContain(`by ${unmapped}, which no Linux interface is mapped to`);
  });

  test('goes to Null0 by show ip route', () => {
    const live = [...BINDINGS.keys()].map((n) => ({ ...LIVE, name: n }));
    const [network] = route.destination.split('/');
    expect(showIpRoute(configOf(text), live, MAPPED)).toMatch(
      new RegExp(`^[CS] +${network!.replaceAll('.', '\\.')}(?:/\\d+)? is directly connected, Null0$`, 'm'),
    );
  });

  if (unmapped !== undefined)
    test('is said by check', () => {
      const { report } = checkConfig(text, 'x.cfg', { mapped: MAPPED });
      expect(report).toContain(
        `${unmapped} is mapped to no Linux interface: packets to ${route.destination} are dropped`,
      );
    });
});

const LIVE = {
  lineUp: true,
  mtu: 1500,
  kbits: 10_000,
  halfDuplex: false,
  packetsIn: 0,
  bytesIn: 0,
  packetsOut: 0,
  bytesOut: 0,
} as Parameters<typeof showIpRoute>[1][number];

test('interface Null0 with no ip unreachables: nobody is told', () => {
  const text = textOf('null0').replace('ip route 10', 'interface Null0\n no ip unreachables\nip route 10');
  expect(send(text, '10.77.0.1')).toMatchObject({ verdict: DROP.unroutable, answers: [] });
});

test('a recursive static route goes where its next hop goes', () => {
  const text = textOf('recursive-route');
  expect(send(text, '192.168.50.9').verdict).toBe(PASS);
  expect(routesOf(text)).toContainEqual({
    destination: '192.168.50.0/24',
    via: '10.10.10.2',
    device: 'inside',
    metric: 1,
  });
  const { report } = traceConfig(text, 'x.cfg', 'e0/0', ['udp', '198.51.100.1', '1', '192.168.50.9', '2'], MAPPED);
  expect(report).toContain('192.168.50.0/24 via 10.10.10.2, Ethernet0/1');
});

test('without a route nothing leaves, whatever routes the box has of its own', () => {
  const text = textOf('recursive-route').replace('ip route 0.0.0.0 0.0.0.0 172.22.1.10', '!');
  expect(send(text, '203.0.113.1').verdict).toBe(DROP.unroutable);
});

test('a backup route of the same prefix takes the place of one by an interface that is not mapped', () => {
  const text = textOf('tunnel-route').replace(
    'ip nat inside source',
    'ip route 10.50.0.0 255.255.0.0 10.10.10.9 200\nip nat inside source',
  );
  expect(routesOf(text)).toContainEqual({
    destination: '10.50.0.0/16',
    via: '10.10.10.9',
    device: 'inside',
    metric: 200,
  });
  expect(send(text, '10.50.0.1').verdict).toBe(PASS);
});
