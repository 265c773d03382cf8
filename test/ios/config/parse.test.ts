import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatConfigError, parseConfig } from '../../../src/ios/config/parse.js';
import { runningConfig } from '../../../src/ios/config/running-config.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
const at = (address: string): number => parseAddress(address)!;

describe('3640.cfg', () => {
  const { config, errors, inert } = parseConfig(seed, '3640.cfg');

  test('has no line that is not understood', () => expect(errors).toEqual([]));

  test('comments inside an interface block do not leave it', () => {
    const outside = config.interfaces.find((i) => i.name === 'Ethernet2/0');
    expect(outside).toMatchObject({ accessGroupIn: '101', nat: 'outside', inspectIn: 'OUT-IN' });
    expect(outside?.addresses).toEqual([{ address: at('172.22.1.16'), mask: at('255.255.255.0') }]);
  });

  test('the list admits mail to the global address of the server, and nothing else', () => {
    expect(config.accessLists.get('101')?.entries).toEqual([
      {
        sequence: 10,
        action: 'permit',
        protocol: 6,
        src: { address: 0, wildcard: -1 },
        dst: { address: at('172.22.1.110'), wildcard: 0 },
        dstPort: { op: 'eq', from: 25, to: 25 },
        established: false,
        fragments: false,
        log: 'none',
        line: 94,
      },
    ]);
  });

  test('lines that a Linux box has no use for are kept, with their blocks', () => {
    const lines = inert.map((l) => (l.block === undefined ? l.text : `${l.block}: ${l.text}`));
    expect(lines).toContain('voice-port 1/1/0');
    expect(lines).toContain('controller T1 3/0: framing sf');
    expect(lines).toContain('interface Ethernet2/1: half-duplex');
    expect(lines).toContain('no ip dhcp use vrf connected');
    expect(lines).not.toContain('ip inspect name OUT-IN smtp');
  });

  test('reads the same with CR LF', () => {
    expect(parseConfig(seed.replaceAll('\n', '\r\n'), '3640.cfg').config).toEqual(config);
  });
});

/** Lines, and where and how the router complains about one of them. */
const WRONG: { name: string; lines: string; line: number; column: number; reason: string }[] = [
  {
    name: 'a word that is no command: the caret under its first wrong letter',
    lines: 'ip inspekt name A tcp',
    line: 1,
    column: 9,
    reason: "Invalid input detected at '^' marker.",
  },
  {
    name: 'a word too many',
    lines: 'ip inspect audit-trail now',
    line: 1,
    column: 24,
    reason: "Invalid input detected at '^' marker.",
  },
  {
    name: 'a number out of range',
    lines: 'ip inspect name A tcp timeout 4',
    line: 1,
    column: 31,
    reason: "Invalid input detected at '^' marker.",
  },
  { name: 'a line cut short', lines: 'ip inspect name A', line: 1, column: 18, reason: 'Incomplete command.' },
  { name: 'an abbreviation of several words', lines: 'ip i', line: 1, column: 4, reason: 'Ambiguous command:  "ip i"' },
  {
    name: 'a wrong line in a block, by its place in the file',
    lines: '!\ninterface Ethernet2/0\n ! comment\n ip adress 10.0.0.1 255.0.0.0',
    line: 4,
    column: 7,
    reason: "Invalid input detected at '^' marker.",
  },
  {
    name: 'a mask with holes',
    lines: 'interface Ethernet2/0\n ip address 10.0.0.1 255.0.255.0',
    line: 2,
    column: 22,
    reason: "Invalid input detected at '^' marker.",
  },
  {
    name: 'the network address on an interface',
    lines: 'interface Ethernet2/0\n ip address 10.0.0.0 255.0.0.0',
    line: 2,
    column: 22,
    reason: 'Bad mask /8 for address 10.0.0.0',
  },
  {
    name: 'two interfaces in one subnet',
    lines:
      'interface Ethernet2/0\n ip address 10.0.0.1 255.0.0.0\ninterface Ethernet2/1\n ip address 10.9.0.1 255.255.0.0',
    line: 4,
    column: 22,
    reason: '10.9.0.0 overlaps with Ethernet2/0',
  },
  {
    name: 'a route whose prefix has host bits',
    lines: 'ip route 10.0.0.1 255.0.0.0 10.1.1.1',
    line: 1,
    column: 19,
    reason: 'Inconsistent address and mask',
  },
  {
    name: 'ESMTP beside SMTP',
    lines: 'ip inspect name A smtp\nip inspect name A esmtp',
    line: 2,
    column: 19,
    reason: '%ESMTP cannot coexist with SMTP, please unconfigure SMTP and try again..',
  },
  {
    name: 'SMTP beside ESMTP',
    lines: 'ip inspect name A esmtp\nip inspect name A smtp',
    line: 2,
    column: 19,
    reason: '%SMTP cannot coexist with ESMTP, please unconfigure ESMTP and try again..',
  },
  {
    name: 'allow: a verb behind which client and server change places',
    lines: 'ip inspect name X esmtp allow STARTTLS,atrn',
    line: 1,
    column: 31,
    reason: 'atrn cannot be allowed: client and server change places (RFC 2645)',
  },
  {
    name: 'one inside global address twice',
    lines: 'ip nat inside source static 10.0.0.1 1.1.1.1\nip nat inside source static 10.0.0.2 1.1.1.1',
    line: 2,
    column: 1,
    reason: 'similar static entry (10.0.0.1 -> 1.1.1.1) already exists',
  },
  {
    name: 'a password that is not of its type',
    lines: 'enable password 7 0205zz',
    line: 1,
    column: 19,
    reason: 'Invalid encrypted password: not a type 7 password',
  },
  {
    name: 'a banner without its end',
    lines: '!\nbanner motd ^\nhello',
    line: 2,
    column: 1,
    reason: 'Banner without its closing delimiter',
  },
  {
    name: 'text behind the end',
    lines: 'end\naccess-list 1 permit any',
    line: 2,
    column: 1,
    reason: "Text behind 'end'",
  },
];

test.each(WRONG)('$name is an error at its place', ({ lines, line, column, reason }) => {
  const { errors } = parseConfig(lines, 'x.cfg');
  expect(errors).toEqual([
    { severity: 'error', file: 'x.cfg', line, column, reason, text: lines.split('\n')[line - 1] },
  ]);
});

test('all errors of a file are reported, and prints show line, caret and reason', () => {
  const { errors } = parseConfig('hostnam\nip inspect name A zork\naccess-list 101 permit tcp any\nip route', 'x.cfg');
  expect(errors.map((e) => e.line)).toEqual([1, 2, 3, 4]);
  expect(formatConfigError(errors[1]!)).toBe(
    "x.cfg:2:19: % Invalid input detected at '^' marker.\n  ip inspect name A zork\n                    ^",
  );
});

test('under a header that is not understood nothing more is said', () => {
  const { errors } = parseConfig('bogus thing\n with lines\n under it\nhostname ok\nbogus again', 'x.cfg');
  expect(errors.map((e) => e.line)).toEqual([1, 5]);
});

test('an interface line with a bad argument is no short form of a global command', () => {
  // `ip address` begins `ip address-pool`, which has no effect here.
  const { errors, inert } = parseConfig('interface Ethernet2/0\n ip address 10.0.0.1 255.0.255.0', 'x.cfg');
  expect(errors.map((e) => [e.severity, e.column])).toEqual([['error', 22]]);
  expect(inert).toEqual([]);
});

test('the prompts of a terminal around a listing are no lines of it', () => {
  const text = 'gw>en\ngw#show config\nUsing 60 out of 129016 bytes\nhostname gw\nend\n\ngw#\n';
  const { config, errors } = parseConfig(text, 'x.cfg');
  expect(errors).toEqual([]);
  expect(config.hostname).toBe('gw');
});

test('where blocks are indented, a line that is not stands outside; where none is, the mode decides', () => {
  const blockOf = (text: string): string | undefined =>
    parseConfig(text, 'x.cfg').inert.find((l) => l.text === 'ip dhcp relay x')?.block;
  expect(blockOf('interface Ethernet2/0\n half-duplex\n!\nip dhcp relay x')).toBeUndefined();
  expect(blockOf('interface Ethernet2/0\nhalf-duplex\n!\nip dhcp relay x')).toBe('interface Ethernet2/0');
});

test('a line that lost the indentation of its block belongs nowhere, and the error says where it may have stood', () => {
  const { config, errors } = parseConfig(
    'interface Ethernet2/0\n ip address 10.0.0.1 255.0.0.0\nip access-group 101 in\nspeed 10',
    'x.cfg',
  );
  expect(errors.map((e) => [e.line, e.reason])).toEqual([
    [3, `Invalid input detected at '^' marker. A line of "interface Ethernet2/0" is indented.`],
    [4, "Invalid input detected at '^' marker."],
  ]);
  expect(config.interfaces[0]?.accessGroupIn).toBeUndefined();
  expect(config.inert).toEqual([]);
});

describe('a header that is not known closes the block before it', () => {
  const first = 'interface Ethernet2/0\n ip access-group 101 in\n ip nat outside\n';
  const under = ' ip access-group 150 in\n no ip nat outside\n half-duplex\n';
  const alone = parseConfig(first, 'x.cfg').config;

  test.each([
    'interface Bogus0',
    'interface range Ethernet2/0 - 1',
    'interface',
    'interfaces Ethernet2/1',
    'router xyz',
    'line vty 5 99999',
    'line',
    'int Bogus0',
    'loopbak 0',
    'ip access-list foo BAR',
  ])('%s', (header) => {
    for (const text of [`${first}${header}\n${under}`, `${first}!\n${header}\n!\n${under}`]) {
      const { config, errors } = parseConfig(text, 'x.cfg');
      expect(config.interfaces.find((i) => i.name === 'Ethernet2/0')).toEqual(alone.interfaces[0]);
      expect(config.inert.filter((l) => l.block === 'interface Ethernet2/0')).toEqual([]);
      if (header !== 'router xyz') expect(errors.map((e) => e.severity)).toContain('error');
    }
    const flat = parseConfig(`${first}${header}\n${under}`.replace(/^ /gm, ''), 'x.cfg');
    expect(flat.config.interfaces[0]).toEqual(alone.interfaces[0]);
  });
});

test('lines of a circuit stand under it, and each circuit has its own', () => {
  const text =
    'interface ATM0\n no ip address\n pvc 8/35\n  encapsulation aal5snap\n  service-policy output P\n !\n' +
    ' pvc 8/36\n  encapsulation aal5snap\n !\n ip access-group 101 in\n';
  const { config, errors, inert } = parseConfig(text, 'x.cfg');
  expect(errors.map((e) => e.reason)).toEqual(['the policy map is not enforced']);
  expect(inert.map((l) => [l.block, l.text])).toEqual([
    ['interface ATM0', 'pvc 8/35'],
    ['interface ATM0\npvc 8/35', 'encapsulation aal5snap'],
    ['interface ATM0\npvc 8/35', 'service-policy output P'],
    ['interface ATM0', 'pvc 8/36'],
    ['interface ATM0\npvc 8/36', 'encapsulation aal5snap'],
  ]);
  expect(config.interfaces[0]?.accessGroupIn).toBe('101');
  expect(runningConfig(config)).toContain(
    ' pvc 8/35\n  encapsulation aal5snap\n  service-policy output P\n pvc 8/36\n  encapsulation aal5snap\n',
  );
});

test('a refused line changes nothing', () => {
  const { config } = parseConfig('ip inspect name A smtp\nip inspect name A esmtp', 'x.cfg');
  expect(config.inspectionRules.get('A')?.protocols.map((p) => p.protocol)).toEqual(['smtp']);
});

/** Access-list entries that IOS has and we cannot honour: to leave one out would filter something else. */
test.each([
  'access-list 101 permit tcp any any time-range NIGHT',
  'access-list 101 permit tcp any any reflect MIRROR',
  'access-list 101 permit ip any any option any-options',
  'access-list 101 permit ip any any ttl eq 1',
  'access-list 101 dynamic LOCK permit ip any any',
  'ip access-list extended A\n evaluate MIRROR',
  'ip access-list extended A\n dynamic LOCK permit ip any any',
  'access-list 101 permit tcp any object-group SERVERS',
  'access-list 101 permit object-group WEB any any',
  'access-list 101 permit tcp any any match-all +syn',
  'access-list 101 permit tcp any eq www any syn log',
  'access-list 101 deny igmp any any host-report',
  'access-list 101 deny igmp any any 11',
])('an entry that cannot be honoured is an error that says why: %s', (text) => {
  const { config, errors } = parseConfig(text, 'x.cfg');
  expect(errors.map((e) => e.reason)).toEqual([expect.stringMatching(/not supported/)]);
  expect([...config.accessLists.values()].flatMap((l) => l.entries)).toEqual([]);
});

test.each([
  'class-map type inspect match-any WEB',
  'policy-map type inspect P',
  'zone security inside',
  'interface Ethernet2/0\n zone-member security inside',
  'ip inspect name A appfw policy',
  'ip urlfilter allow-mode on',
  'ip nat outside source static 1.1.1.1 2.2.2.2',
  'ip nat inside source route-map R interface Ethernet2/0 overload',
  'ip nat inside source static 10.0.0.6 192.0.2.6 route-map R',
  'ip nat inside source static 10.0.0.7 interface Serial0/0',
  'ip nat inside source static esp 10.0.0.8 interface Serial0/0',
  'username guest nopassword',
  'username guest secret 4 B3zZd3eij0MBIl71ry7L..RyakHb3Tx6YRRBtu9HgX2',
])('what filters, translates or lets in and is not supported is an error that says so: %s', (text) => {
  expect(parseConfig(text, 'x.cfg').errors.map((e) => e.reason)).toEqual([expect.stringMatching(/not supported/)]);
});

test('what protects less than on the router is a warning that says so', () => {
  const { errors } = parseConfig('interface Ethernet2/0\n ip verify unicast reverse-path\n crypto map VPN', 'x.cfg');
  expect(errors.map((e) => [e.severity, e.line, e.reason])).toEqual([
    ['warning', 2, 'reverse path forwarding is not checked'],
    ['warning', 3, 'traffic is not encrypted, and unencrypted traffic is not refused'],
  ]);
});

/** An entry as typed in any IOS spelling, and as it is stored. */
test.each([
  { typed: 'permit tcp any host 10.0.0.1 eq smtp', stored: { protocol: 6, dstPort: { op: 'eq', from: 25, to: 25 } } },
  { typed: 'permit tcp any range 1000 2000 any', stored: { srcPort: { op: 'range', from: 1000, to: 2000 } } },
  { typed: 'permit tcp any range 2000 1000 any', stored: { srcPort: { op: 'range', from: 1000, to: 2000 } } },
  { typed: 'permit udp any gt 1023 any lt ntp', stored: { protocol: 17, dstPort: { op: 'lt', from: 123, to: 123 } } },
  { typed: 'permit tcp any any neq telnet established', stored: { established: true } },
  { typed: 'permit tcp any any eq syslog', stored: { dstPort: { op: 'eq', from: 514, to: 514 } } },
  { typed: 'permit icmp any any', stored: { protocol: 1 } },
  { typed: 'permit icmp any any echo-reply', stored: { icmp: { type: 0 } } },
  { typed: 'permit icmp any any administratively-prohibited', stored: { icmp: { type: 3, code: 13 } } },
  { typed: 'permit icmp any any 3 4 log', stored: { icmp: { type: 3, code: 4 }, log: 'log' } },
  { typed: 'permit 6 any any', stored: { protocol: 6 } },
  { typed: 'permit esp any any log-input', stored: { protocol: 50, log: 'log-input' } },
  { typed: 'deny ip any any precedence critical fragments', stored: { precedence: 5, fragments: true } },
  { typed: 'permit ip any any dscp ef', stored: { dscp: 46 } },
  { typed: 'permit ip any any tos min-delay log', stored: { tos: 8, log: 'log' } },
  { typed: 'permit ip 10.1.2.3 0.0.0.255 any', stored: { src: { address: at('10.1.2.0'), wildcard: 255 } } },
  { typed: 'permit ip 0.0.0.0 255.255.255.255 any', stored: { src: { address: 0, wildcard: -1 } } },
  { typed: 'per ip an an', stored: { action: 'permit' } },
])('extended entry: $typed', ({ typed, stored }) => {
  const { config, errors } = parseConfig(`access-list 101 ${typed}`, 'x.cfg');
  expect(errors).toEqual([]);
  expect(config.accessLists.get('101')?.entries[0]).toMatchObject(stored);
  const named = parseConfig(`ip access-list extended A\n 5 ${typed}`, 'x.cfg');
  expect(named.config.accessLists.get('A')?.entries[0]).toMatchObject({ ...stored, sequence: 5 });
});

test.each([
  { typed: 'permit 10.0.0.1', src: { address: at('10.0.0.1'), wildcard: 0 } },
  { typed: 'deny host 10.0.0.1 log', src: { address: at('10.0.0.1'), wildcard: 0 } },
  { typed: 'permit 10.0.0.0 0.255.255.255', src: { address: at('10.0.0.0'), wildcard: 0x00ffffff } },
  { typed: 'permit any', src: { address: 0, wildcard: -1 } },
])('standard entry: $typed', ({ typed, src }) => {
  expect(parseConfig(`access-list 1 ${typed}`, 'x.cfg').config.accessLists.get('1')?.entries[0]?.src).toEqual(src);
});

test('named lists keep sequence numbers, take insertions, and number the rest by tens', () => {
  const text =
    'ip access-list extended A\n permit tcp any any\n permit udp any any\n 15 deny icmp any any\n no 10\n permit ip any any';
  const list = parseConfig(text, 'x.cfg').config.accessLists.get('A');
  expect(list?.entries.map((e) => [e.sequence, e.action])).toEqual([
    [15, 'deny'],
    [20, 'permit'],
    [30, 'permit'],
  ]);
});

test('a test that the list makes already is not added at another place, and a place is not taken twice', () => {
  const { config, errors } = parseConfig(
    'ip access-list extended A\n 10 permit tcp any any\n 20 permit tcp any any log\n 10 permit udp any any',
    'x.cfg',
  );
  expect(errors.map((e) => [e.severity, e.line, e.reason])).toEqual([
    [
      'warning',
      3,
      "Access rule can't be configured at higher sequence num as it is part of the existing rule at sequence num 10",
    ],
    ['error', 4, 'Duplicate sequence number.'],
  ]);
  expect(config.accessLists.get('A')?.entries).toHaveLength(1);
});

test('resequence moves entries and their remarks', () => {
  const text =
    'ip access-list standard S\n 5 permit 10.0.0.1\n remark second\n 7 permit 10.0.0.2\nip access-list resequence S 100 20';
  const list = parseConfig(text, 'x.cfg').config.accessLists.get('S');
  expect(list?.entries.map((e) => e.sequence)).toEqual([100, 120]);
  expect(list?.remarks).toEqual([{ text: 'second', after: 100 }]);
});

test('no access-list N with an entry removes the whole list, as on the router', () => {
  const text =
    'access-list 101 permit tcp any any\naccess-list 101 permit udp any any\nno access-list 101 permit udp any any';
  expect(parseConfig(text, 'x.cfg').config.accessLists.has('101')).toBe(false);
});

test('an entry that is there already is not added again', () => {
  const text = 'access-list 101 permit tcp any any\naccess-list 101 permit tcp any any log';
  expect(parseConfig(text, 'x.cfg').config.accessLists.get('101')?.entries).toHaveLength(1);
});

test('banners of several lines are read to their delimiter, and nothing in them is a command', () => {
  const text = 'banner motd ^C\nhostname trap\n  welcome\n^C\nhostname real';
  const { config, errors } = parseConfig(text, 'x.cfg');
  expect(errors).toEqual([]);
  expect(config.banners.motd).toBe('\nhostname trap\n  welcome\n');
  expect(config.hostname).toBe('real');
});

test('thresholds drag each other along, as on the router', () => {
  const inspect = (line: string): unknown => parseConfig(line, 'x.cfg').config.inspect;
  expect(inspect('ip inspect max-incomplete high 300')).toMatchObject({
    maxIncompleteHigh: 300,
    maxIncompleteLow: 300,
  });
  expect(inspect('ip inspect one-minute low 600')).toMatchObject({ oneMinuteHigh: 600, oneMinuteLow: 600 });
});

test('line ranges are cut where a command names a part of one', () => {
  const text = 'line vty 0 4\n login\n password 0 a\nline vty 3 5\n exec-timeout 5 0';
  const { lines } = parseConfig(text, 'x.cfg').config;
  expect(lines.map((l) => [l.first, l.last, l.password?.text, l.execTimeout])).toEqual([
    [0, 2, 'a', 600],
    [3, 4, 'a', 300],
    [5, 5, undefined, 300],
  ]);
});

test('service password-encryption encodes what stands in clear, and hides nothing from login', () => {
  const text = 'enable password cisco123\nservice password-encryption\nline vty 0 4\n password plain';
  const { config } = parseConfig(text, 'x.cfg');
  expect(config.enable.password?.type).toBe(7);
  expect(config.lines[0]?.password?.type).toBe(7);
});

test('no text makes the parser throw or hang', () => {
  const words = seed.split(/\s+/);
  const line = fc.oneof(
    fc.string(),
    fc
      .array(fc.constantFrom(...words, 'no', 'default', '|', '?', '\t', '255', '-1', '9'.repeat(40)), { maxLength: 14 })
      .map((w) => w.join(' ')),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('', ' '), line), { maxLength: 12 }), (lines) => {
      const text = lines.map(([indent, l]) => indent + l).join('\n');
      const { errors } = parseConfig(text, 'x.cfg');
      for (const e of errors) expect(e.column).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
}, 60_000);
