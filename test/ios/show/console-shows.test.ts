/** `show` of the router itself: routes by prefix and source, translations by kind, memory, processes, inventory. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';
import { NO_TRAFFIC } from '../../../src/ios/show/interfaces.js';
import { shortName } from '../../../src/ios/show/interfaces-description.js';
import { fakeRouter } from '../support/fake-router.js';
import type { FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
const at = (text: string): number => parseAddress(text)!;
let router: FakeRouter;

const show = (command: string): string => new ConsoleSession(router, 'console', 15).execute(`show ${command}`).output;

/** 3640.cfg with lines before its end, both Ethernets up. */
function start(extra = ''): void {
  router = fakeRouter(seed.replace(/\nend\n/, `\n${extra}\nend\n`));
  const live = { ...NO_TRAFFIC, lineUp: true, kbits: 10_000 };
  router.system.interfaces = () => ['Ethernet2/0', 'Ethernet2/1'].map((name) => ({ ...live, name }));
}

beforeEach(() => start());

describe('show ip route', () => {
  const ROUTES = `
ip route 192.168.6.0 255.255.255.0 10.10.10.2
ip route 192.168.6.0 255.255.255.0 10.10.10.5
ip route 10.20.0.0 255.255.0.0 10.10.10.5 20
ip route 192.168.0.0 255.255.0.0 Null0`;
  beforeEach(() => start(ROUTES));

  test('connected and static: their routes alone, under their networks, without the codes', () => {
    expect(show('ip route connected')).toBe(
      '     172.22.0.0/24 is subnetted, 1 subnets\n' +
        'C       172.22.1.0 is directly connected, Ethernet2/0\n' +
        '     10.0.0.0/8 is variably subnetted, 2 subnets, 2 masks\n' +
        'C       10.10.10.0/24 is directly connected, Ethernet2/1\n',
    );
    expect(show('ip ro st')).toBe(
      '     10.0.0.0/8 is variably subnetted, 2 subnets, 2 masks\n' +
        'S       10.20.0.0/16 [20/0] via 10.10.10.5\n' +
        'S    192.168.6.0/24 [1/0] via 10.10.10.2\n' +
        '                    [1/0] via 10.10.10.5\n' +
        'S    192.168.0.0/16 is directly connected, Null0\n' +
        'S*   0.0.0.0/0 [1/0] via 172.22.1.1\n',
    );
  });

  const BLOCKS = '  Routing Descriptor Blocks:\n';
  const METRIC = '      Route metric is 0, traffic share count is 1\n';
  test.each([
    {
      asked: '10.10.10.77',
      answer:
        'Routing entry for 10.10.10.0/24\n' +
        '  Known via "connected", distance 0, metric 0 (connected, via interface)\n' +
        `${BLOCKS}  * directly connected, via Ethernet2/1\n${METRIC}\n`,
    },
    {
      asked: '10.20.1.1',
      answer: `Routing entry for 10.20.0.0/16\n  Known via "static", distance 20, metric 0\n${BLOCKS}  * 10.10.10.5\n${METRIC}\n`,
    },
    {
      asked: '192.168.6.9',
      answer:
        'Routing entry for 192.168.6.0/24\n  Known via "static", distance 1, metric 0\n' +
        `${BLOCKS}  * 10.10.10.2\n${METRIC}    10.10.10.5\n${METRIC}\n`,
    },
    {
      asked: '192.168.7.9',
      answer:
        'Routing entry for 192.168.0.0/16, supernet\n  Known via "static", distance 1, metric 0 (connected)\n' +
        `${BLOCKS}  * directly connected, via Null0\n${METRIC}\n`,
    },
    {
      asked: '0.0.0.0',
      answer:
        'Routing entry for 0.0.0.0/0, supernet\n  Known via "static", distance 1, metric 0, candidate default path\n' +
        `${BLOCKS}  * 172.22.1.1\n${METRIC}\n`,
    },
    {
      asked: '10.0.0.0',
      answer:
        'Routing entry for 10.0.0.0/8, 2 known subnets\n  Attached (1 connections)\n  Variably subnetted with 2 masks\n\n' +
        'C       10.10.10.0/24 is directly connected, Ethernet2/1\nS       10.20.0.0/16 [20/0] via 10.10.10.5\n',
    },
    { asked: '10.30.0.1', answer: '% Subnet not in table\n' },
    { asked: '10.10.10.0 255.255.0.0', answer: '% Subnet not in table\n' },
    { asked: '13.1.1.1', answer: '% Network not in table\n' }, // only the default route leads there
    { asked: '192.168.6.0 255.255.255.0', answer: expect.stringContaining('entry for 192.168.6.0/24\n') as string },
  ])('$asked', ({ asked, answer }) => expect(show(`ip route ${asked}`)).toEqual(answer));

  test('summary: networks and subnets of each source, with what they take', () => {
    expect(show('ip route summary')).toBe(
      'IP routing table name is Default-IP-Routing-Table(0)\n' +
        'IP routing table maximum-paths is 16\n' +
        'Route Source    Networks    Subnets     Overhead    Memory (bytes)\n' +
        'connected       0           2           144         272\n' +
        'static          3           1           288         544\n' +
        'internal        2                                   2312\n' +
        'Total           5           3           432         3128\n',
    );
  });
});

describe('show ip nat translations', () => {
  const one = { insideLocal: at('10.10.10.2'), static: false, createdAgo: 0, usedAgo: 0 };
  const row = (text: string): string[] =>
    text
      .split('\n')
      .slice(1, -1)
      .map((l) => l.trim().replace(/ +/g, ' '));
  beforeEach(() => {
    const ports = { insideGlobalPort: 25, insideLocalPort: 25, outsidePort: 40000 };
    router.translations.push(
      { ...one, ...ports, protocol: 'tcp', insideGlobal: at('172.22.1.110'), outside: at('172.22.1.10') },
      { ...one, ...ports, protocol: 'udp', insideGlobal: at('172.22.1.16'), outside: at('172.22.1.11') },
      { ...one, protocol: '---', insideGlobal: at('172.22.1.110'), static: true },
    );
  });
  const TCP = 'tcp 172.22.1.110:25 10.10.10.2:25 172.22.1.10:40000 172.22.1.10:40000';
  const UDP = 'udp 172.22.1.16:25 10.10.10.2:25 172.22.1.11:40000 172.22.1.11:40000';
  const STATIC = '--- 172.22.1.110 10.10.10.2 --- ---';

  test.each([
    ['', [TCP, UDP, STATIC]],
    ['tcp', [TCP]],
    ['u', [UDP]],
    ['icmp', []],
    ['inside', [TCP, UDP, STATIC]],
    ['inside 172.22.1.110', [TCP, STATIC]],
    ['outside 172.22.1.11', [UDP]],
    ['outside', []],
  ])('%s', (which, rows) => expect(row(show(`ip nat translations ${which}`))).toEqual(rows));

  test('of one kind, with more about each', () =>
    expect(show('ip nat translations tcp verbose')).toMatch(/^Pro .*\ntcp .*\n {4}create 00:00:00, use/));
});

test('show interfaces description: short names, what the link does, the words of the administrator', () => {
  router.config().interfaces[0]!.description = 'outside';
  const head = 'Interface                      Status         Protocol Description\n';
  expect(show('interfaces description')).toBe(
    head +
      'Et2/0                          up             up       outside\n' +
      'Se2/0                          admin down     down\n' +
      'Et2/1                          up             up\n',
  );
  expect(show('int e2/1 desc')).toBe(`${head}Et2/1                          up             up\n`);
  expect(['GigabitEthernet0/1', 'Virtual-Template1', 'Loopback0'].map(shortName)).toEqual(['Gi0/1', 'Vt1', 'Lo0']);
});

test('show memory, show memory summary', () => {
  const text =
    '                Head    Total(b)     Used(b)     Free(b)   Lowest(b)  Largest(b)\n' +
    'Processor          0   130023424    30000000   100023424   100023424   100023424\n';
  expect(show('memory')).toBe(text);
  expect(show('mem sum')).toBe(text);
});

test('show processes, and cpu and memory sorted', () => {
  expect(show('processes')).toBe(
    'CPU utilization for five seconds: 3%/0%; one minute: 2%; five minutes: 1%\n' +
      ' PID Q  Ty       PC  Runtime(uS)    Invoked   uSecs    Stacks TTY Process\n' +
      '   1 M  we        0            0          1       0       0/0   0 IP Input\n',
  );
  expect(show('processes cpu sorted')).toBe(show('processes cpu'));
  expect(show('processes memory sorted')).toBe(show('processes memory'));
});

test('show inventory: the chassis, and the module of each slot', () => {
  expect(show('inventory')).toBe(
    'NAME: "3640 chassis", DESCR: "3640 chassis"\nPID:                   , VID: 0xFF, SN: 00000000\n\n' +
      'NAME: "Two port Ethernet", DESCR: "Two port Ethernet"\nPID: NM-2E2W=          , VID: 1.0, SN: 00000000\n\n',
  );
});

test('show configuration is what NVRAM holds', () => {
  expect(show('configuration')).toBe('startup-config is not present\n');
  router.startup = '!\nend\n';
  expect(show('conf')).toBe('Using 6 out of 129016 bytes\n!\nend\n');
});

test('show ip port-map: those of the system, then those of the administrator; of an application, of a port', () => {
  start('ip port-map smtp port 2525\nip port-map ftp port 1250 list 50\nip port-map http port tcp from 8000 to 8010');
  const smtp = [
    'Default mapping:  smtp                 tcp port 25                         system defined',
    'Default mapping:  smtp                 tcp port 2525                       user defined',
  ];
  expect(show('ip port-map smtp')).toBe(`${smtp.join('\n')}\n`);
  expect(show('ip port-map port 2525')).toBe(`${smtp[1]!}\n`);
  expect(show('ip port-map port 8005')).toMatch(/^Default mapping: {2}http +tcp from 8000 to 8010 +user defined\n$/);
  expect(show('ip port-map ftp')).toMatch(/\nHost specific: {4}ftp {18}tcp port 1250 {3}in list 50 +user defined\n$/);
  expect(show('ip port-map').split('\n')).toHaveLength(23 + 3 + 1);
});

test('show aliases: those of the router, then those of the administrator, by mode', () => {
  start('alias exec sib show ip interface brief\nalias interface na no ip address');
  const exec =
    'Exec mode aliases:\n  h                     help\n  lo                    logout\n  p                     ping\n' +
    '  r                     resume\n  s                     show\n  u                     undebug\n' +
    '  un                    undebug\n  w                     where\n  sib                   show ip interface brief\n\n';
  expect(show('aliases')).toBe(
    `${exec}Interface configuration mode aliases:\n  na                    no ip address\n\n`,
  );
  expect(show('alias exec')).toBe(exec);
});

test('clock set is refused, and why', () => {
  expect(new ConsoleSession(router, 'console', 15).execute('clock set 10:00:00 1 jan 2026')).toEqual({
    output: '% The clock is that of the Linux host: set it there (timedatectl, NTP)\n',
    failed: true,
  });
});
