import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/ios/config/parse.js';
import type { RouterConfig } from '../../../src/ios/config/model.js';
import { runningConfig } from '../../../src/ios/config/running-config.js';
import { showRunningConfig } from '../../../src/ios/show/running-config.js';

const seed = readFileSync('config/3640.cfg', 'utf8');

/** What the router does with a configuration: all of it but where its lines stood in the file. */
function meaning(config: RouterConfig): unknown {
  const strip = (value: unknown): unknown => {
    if (value instanceof Map) return [...(value as Map<unknown, unknown>)].map(strip);
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key, v]) => !['line', 'lines', 'accessClassLine', 'quietModeLine'].includes(key) && v !== undefined)
        .map(([key, v]) => [key, strip(v)]),
    );
  };
  const inert = [...config.inert].map((l) => `${l.block ?? ''}|${l.text}`).sort();
  // Sequence numbers are not in the text: as on a 3640 that was reloaded, entries are numbered anew.
  const lists = [...config.accessLists.values()]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map((l) => ({
      ...l,
      entries: l.entries.map((e, i) => ({ ...e, sequence: i })),
      remarks: (l.remarks ?? []).map((r) => ({ ...r, after: l.entries.filter((e) => e.sequence <= r.after).length })),
    }));
  // Named lists stand before numbered ones in the text, and interfaces are inspected in its order.
  const interfaces = config.interfaces.map((i) => ({ ...i, inspectOrder: i.inspectOrder > 0 }));
  return strip({ ...config, inert, accessLists: lists, interfaces });
}

test('3640.cfg prints as it was written, but for comments and the places of a few lines', () => {
  const lines = (text: string): string[] =>
    text
      .split('\n')
      .filter((l) => !/^\s*!/.test(l) && l !== '')
      .sort();
  expect(lines(runningConfig(parseConfig(seed, 'seed').config))).toEqual(lines(seed));
});

test('show running-config has the head lines of IOS and counts bytes', () => {
  const [, blank, count, ...rest] = showRunningConfig(parseConfig(seed, 'seed').config).split('\n');
  expect(blank).toBe('');
  expect(count).toBe(`Current configuration : ${rest.join('\n').length} bytes`);
  expect(rest[0]).toBe('!');
  expect(rest.slice(-2)).toEqual(['end', '']);
});

// --- the law: what is printed parses back to the same state ---

const address = fc.nat(0xffff).map((n) => `10.${n >> 8}.${n & 255}.${((n * 7) % 250) + 1}`);
const aclName = fc.constantFrom('MAIL', 'in-out', 'A1');
const ruleName = fc.constantFrom('IN-OUT', 'OUT-IN');
const interfaceName = fc.constantFrom('Ethernet2/0', 'Ethernet2/1', 'Serial2/0', 'Loopback0');
const onOff = fc.constantFrom('on', 'off');
const small = fc.integer({ min: 1, max: 60 });
const optional = (words: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant(''),
    words.map((w) => ` ${w}`),
  );
const join = (...parts: (string | fc.Arbitrary<string | number>)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((p) => (typeof p === 'string' ? fc.constant(p) : p))).map((p) => p.join(''));

const endpoint = fc.oneof(fc.constant('any'), join('host ', address), join(address, ' 0.0.0.', fc.nat(255)));
const port = fc.oneof(
  join(fc.constantFrom('eq', 'neq', 'lt', 'gt'), ' ', fc.constantFrom('smtp', 'www', '25', '1023', 'domain')),
  join('range ', fc.integer({ min: 1, max: 99 }), ' ', fc.integer({ min: 100, max: 65535 })),
);
const extended = fc.oneof(
  join(
    fc.constantFrom('ip', 'gre', 'esp', '200'),
    ' ',
    endpoint,
    ' ',
    endpoint,
    optional(fc.constantFrom('log', 'fragments', 'tos 3', 'dscp af11')),
  ),
  join(
    'tcp ',
    endpoint,
    optional(port),
    ' ',
    endpoint,
    optional(port),
    optional(fc.constantFrom('established', 'log-input', 'precedence flash')),
  ),
  join('udp ', endpoint, ' ', endpoint, optional(fc.constantFrom('eq ntp', 'gt 1023', 'range 5 6'))),
  join(
    'icmp ',
    endpoint,
    ' ',
    endpoint,
    optional(fc.constantFrom('echo', '3 4', 'unreachable', '200', 'port-unreachable', 'log')),
  ),
);
const action = fc.constantFrom('permit', 'deny');
const remark = fc.constantFrom('first   two', '! not a comment', 'permit ip any any');

const globalLine = fc.oneof(
  join('hostname ', fc.constantFrom('r1', '3640-123')),
  join(
    'service timestamps ',
    fc.constantFrom('debug', 'log'),
    ' ',
    fc.constantFrom('uptime', 'datetime', 'datetime msec year', 'datetime localtime show-timezone'),
  ),
  join('no service timestamps ', fc.constantFrom('debug', 'log')),
  fc.constantFrom('service password-encryption', 'no service password-encryption', 'no ip domain-lookup'),
  fc.constantFrom(
    'enable password clear',
    'enable secret clear',
    'enable secret 5 $1$abcd$0123456789012345678901',
    'no enable password',
  ),
  fc.constantFrom('username a password 0 b', 'username a privilege 15 secret c', 'username d nopass', 'no username a'),
  fc.constantFrom('clock timezone CET 1', 'clock timezone IST 5 30', 'clock timezone EST -5'),
  fc.constantFrom(
    'logging buffered 8192 warnings',
    'no logging console',
    'logging trap errors',
    'no logging trap',
    'logging 10.9.9.9',
    'logging host 10.9.9.8',
    'logging host 10.9.9.8 transport tcp port 1514',
    'logging host 10.9.9.7 transport tls',
    'no logging host 10.9.9.7 transport tls',
    'logging host 10.9.9.7 transport udp port 5140',
    'logging facility local2',
    'no logging on',
    'logging monitor 3',
  ),
  fc.constantFrom(
    'ip cef',
    'no ip cef',
    'ip http server',
    'no ip http server',
    'snmp-server community x RO',
    'cdp run',
    'aaa new-model',
    'no aaa new-model',
  ),
  fc.constantFrom(
    'ip domain-name example.net',
    'ip domain name corp.example',
    'no ip domain-name',
    'ip name-server 192.0.2.53',
    'ip name-server 192.0.2.54 192.0.2.53 192.0.2.55',
    'no ip name-server 192.0.2.53',
  ),
  join(
    'ip host ',
    fc.constantFrom('mail', 'MAIL', 'www.example.net'),
    optional(fc.constant('2001')),
    ' ',
    address,
    optional(address),
  ),
  fc.constantFrom('no ip host mail', 'ip host vrf BLUE mail 10.0.0.1', 'ip name-server vrf BLUE 10.0.0.1'),
  join(
    'ip inspect name ',
    ruleName,
    ' ',
    fc.constantFrom('tcp', 'udp', 'icmp', 'ftp', 'http', 'smtp', 'esmtp'),
    optional(join('alert ', onOff)),
    optional(join('audit-trail ', onOff)),
    optional(join('timeout ', fc.integer({ min: 5, max: 43200 }))),
  ),
  join(
    'ip inspect name ',
    ruleName,
    ' smtp max-data ',
    small,
    optional(fc.constantFrom('monitor-only', 'line-length 2048')),
  ),
  join('ip inspect name ', ruleName, ' esmtp mask-ehlo ', onOff, ' allow starttls,BDAT'),
  join('ip inspect name ', ruleName, fc.constantFrom(' http java-list 7', ' tcp router-traffic', ' h323 timeout 60')),
  join('no ip inspect name ', ruleName, optional(fc.constantFrom('tcp', 'smtp'))),
  join(
    'ip inspect ',
    fc.constantFrom('max-incomplete', 'one-minute'),
    ' ',
    fc.constantFrom('high', 'low'),
    ' ',
    fc.integer({ min: 1, max: 900 }),
  ),
  join(
    'ip inspect ',
    fc.constantFrom(
      'tcp synwait-time',
      'tcp finwait-time',
      'tcp idle-time',
      'udp idle-time',
      'dns-timeout',
      'tcp reassembly timeout',
      'tcp reassembly queue length',
      'tcp reassembly memory limit',
    ),
    ' ',
    small,
  ),
  fc.constantFrom(
    'ip inspect audit-trail',
    'ip inspect alert-off',
    'ip inspect log drop-pkt',
    'ip inspect tcp reassembly alarm off',
    'ip tcp intercept list 101',
    'no ip tcp intercept list',
    'ip tcp intercept mode watch',
    'ip tcp intercept drop-mode random',
    'ip tcp intercept watch-timeout 10',
    'ip tcp intercept finrst-timeout 9',
    'ip tcp intercept connection-timeout 3600',
    'ip tcp intercept max-incomplete high 500',
    'ip tcp intercept max-incomplete low 2000',
    'ip tcp intercept one-minute low 100',
    'ip inspect tcp max-incomplete host 20 block-time 2',
    'default ip inspect audit-trail',
  ),
  join('access-list ', fc.constantFrom('101', '2001'), ' ', action, ' ', extended),
  join('access-list ', fc.constantFrom('7', '1400'), ' ', action, ' ', endpoint, optional(fc.constant('log'))),
  join('access-list ', fc.constantFrom('7', '101'), ' remark ', remark),
  fc.constantFrom('no access-list 101', 'no access-list 7'),
  join(
    'ip nat inside source static ',
    address,
    ' ',
    address,
    optional(fc.constantFrom('extendable', 'no-alias', 'extendable no-alias')),
  ),
  join(
    'ip nat inside source static tcp ',
    address,
    ' ',
    small,
    ' ',
    address,
    ' ',
    small,
    optional(fc.constantFrom('extendable', 'no-payload', 'no-alias no-payload')),
  ),
  join('ip nat inside source static udp ', address, ' ', small, ' interface Ethernet2/0 ', small),
  join('ip nat inside source static network ', address, ' ', address, ' /', fc.integer({ min: 8, max: 30 })),
  join(
    'ip nat pool ',
    fc.constantFrom('P', 'Q'),
    ' 192.0.2.',
    small,
    ' 192.0.2.',
    fc.integer({ min: 61, max: 200 }),
    ' ',
    fc.constantFrom('netmask 255.255.255.0', 'prefix-length 24'),
  ),
  join(
    'ip nat inside source list ',
    fc.constantFrom('7', 'MAIL'),
    ' ',
    fc.constantFrom('pool P', 'pool P overload', 'interface Ethernet2/0 overload'),
  ),
  join(
    'ip nat translation ',
    fc.constantFrom('timeout', 'tcp-timeout', 'udp-timeout', 'dns-timeout', 'port-timeout', 'max-entries'),
    ' ',
    small,
  ),
  fc.constant('ip nat translation icmp-timeout never'),
  join('ip route 10.', fc.nat(255), '.0.0 255.255.0.0 ', address, optional(small.map(String))),
  fc.constantFrom(
    'ip route 0.0.0.0 0.0.0.0 Serial2/0',
    'ip route 0.0.0.0 0.0.0.0 Ethernet2/0 10.1.1.1 200',
    'no ip route 0.0.0.0 0.0.0.0 Serial2/0',
  ),
  fc.constantFrom(
    'login block-for 60 attempts 3 within 30',
    'login delay 2',
    'login quiet-mode access-class 7',
    'login on-failure log every 3',
    'login on-success trap',
    'no login on-failure',
    'no login block-for',
  ),
  fc.constantFrom('banner motd ^ hello ^', 'banner login #\nline two\n#', 'banner exec ^Cx^C', 'no banner motd'),
);
const interfaceLine = fc.oneof(
  join('ip address 10.', fc.nat(255), '.', fc.nat(255), '.5 255.255.255.0', optional(fc.constant('secondary'))),
  join('ip access-group ', fc.oneof(aclName, fc.constant('101')), ' ', fc.constantFrom('in', 'out')),
  join('ip inspect ', ruleName, ' ', fc.constantFrom('in', 'out')),
  join(
    fc.constantFrom('', 'no ', 'default '),
    fc.constantFrom(
      'shutdown',
      'ip nat inside',
      'ip nat outside',
      'ip unreachables',
      'ip redirects',
      'ip proxy-arp',
      'ip virtual-reassembly',
    ),
  ),
  join(
    'ip virtual-reassembly',
    optional(join('max-fragments ', small)),
    optional(join('timeout ', small)),
    optional(fc.constant('drop-fragments')),
  ),
  fc.constantFrom(
    'no ip address',
    'no ip access-group in',
    'no ip inspect in',
    'description to  the ISP',
    'no description',
    'half-duplex',
    'ip tcp adjust-mss 1400',
    'no ip tcp adjust-mss',
    'no cdp enable',
    'speed 100',
    'ip verify unicast reverse-path',
  ),
);
const namedLine = fc.oneof(
  join(optional(fc.integer({ min: 1, max: 99 }).map((n) => `${n} `)), action, ' ', extended),
  join('remark ', remark),
  fc.constant('no 10'),
);
const lineLine = fc.constantFrom(
  'login',
  'login local',
  'no login',
  'password p',
  'exec-timeout 0 0',
  'exec-timeout 5 30',
  'privilege level 15',
  'access-class 7 in',
  'access-class MAIL in vrf-also',
  'no access-class in',
  'length 0',
  'transport input ssh',
  'transport input telnet pad ssh',
  'transport input none',
  'transport input all',
  'no transport input',
  'no exec',
  'exec',
  'session-limit 3',
  'timeout login response 20',
  'absolute-timeout 15',
  'no absolute-timeout',
  'logging synchronous',
  'no password',
  'default login',
);

const block = (header: fc.Arbitrary<string>, body: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.tuple(header, fc.array(body, { maxLength: 6 })).map(([h, lines]) => [h, ...lines.map((l) => ` ${l}`)].join('\n'));

const text = fc
  .array(
    fc.oneof(
      { weight: 6, arbitrary: globalLine },
      { weight: 3, arbitrary: block(join('interface ', interfaceName), interfaceLine) },
      { weight: 2, arbitrary: block(join('ip access-list extended ', aclName), namedLine) },
      block(fc.constantFrom('line con 0', 'line vty 0 4', 'line vty 2 7', 'line vty 3'), lineLine),
      block(
        fc.constantFrom('router ospf 1', 'voice-port 1/0/0', 'crypto isakmp policy 10'),
        fc.constantFrom('network 10.0.0.0 0.0.0.255 area 0', 'hash md5', ' deeper'),
      ),
    ),
    { maxLength: 25 },
  )
  .map((lines) => lines.join('\n'));

test('the running-config of any state parses back to that state, and to the same text', () => {
  fc.assert(
    fc.property(text, (typed) => {
      const { config } = parseConfig(typed, 'typed');
      const printed = runningConfig(config);
      const again = parseConfig(printed, 'printed');
      expect(again.errors.filter((e) => e.severity === 'error')).toEqual([]);
      expect(meaning(again.config)).toEqual(meaning(config));
      expect(runningConfig(again.config)).toBe(printed);
    }),
    { numRuns: 200 },
  );
}, 60_000);
