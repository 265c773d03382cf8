import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { noDebug } from '../../../src/core/observe/debug.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { parseAddress } from '../../../src/ios/ipv4-text.js';
import { fakeRouter } from '../support/fake-router.js';
import type { FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
let router: FakeRouter;
let session: ConsoleSession;

beforeEach(() => {
  router = fakeRouter(seed);
  session = new ConsoleSession(router, 'console', 15);
});

const ENTER = 'Enter configuration commands, one per line.  End with CNTL/Z.\n';
const type = (...lines: string[]): string => lines.map((l) => session.execute(l).output).join('');

describe('EXEC', () => {
  test.each([
    { typed: 'show ip inspect', answer: '% Incomplete command.\n\n' },
    { typed: 'sh ip i', answer: '% Ambiguous command:  "sh ip i"\n' },
    {
      typed: 'show boot now',
      answer: "              ^\n% Invalid input detected at '^' marker.\n\n", // prompt of 9, then column 6
    },
    {
      typed: 'showboot',
      answer:
        'Translating "showboot"...domain server (255.255.255.255)\n' +
        '% Unknown command or computer name, or unable to find computer address\n',
    },
    { typed: '', answer: '' },
    { typed: '! a remark', answer: '' },
    { typed: 'show privilege', answer: 'Current privilege level is 15\n' },
    { typed: 'show clock', answer: '*21:51:35.886 UTC Fri Oct 18 2024\n' },
  ])('$typed', ({ typed, answer }) => expect(type(typed)).toBe(answer));

  test('an unknown word is not looked up where lookup is off', () => {
    type('conf t', 'no ip domain-lookup', 'end');
    expect(type('showboot')).toBe(
      'Translating "showboot"\n% Unknown command or computer name, or unable to find computer address\n',
    );
  });

  test('user EXEC does not know what privileged EXEC does', () => {
    session = new ConsoleSession(router, 'console');
    expect(session.prompt).toBe('3640-123>');
    expect(session.execute('show running-config').failed).toBe(true);
    expect(session.execute('configure terminal').failed).toBe(true);
    expect(session.execute('show ip inspect sessions').failed).toBe(false);
    expect(session.help('')).not.toContain('configure');
  });

  test('enable: three tries, disable: back', () => {
    session = new ConsoleSession(router, 'console');
    expect(type('enable')).toBe('');
    expect([session.prompt, session.secret]).toEqual(['Password: ', true]);
    expect(type('x', 'y', 'z')).toBe('% Bad passwords\n');
    expect(session.prompt).toBe('3640-123>');
    type('enable', 'cisco123');
    expect(session.prompt).toBe('3640-123#');
    type('disable');
    expect(session.prompt).toBe('3640-123>');
  });

  test('without an enable password only the console may enable', () => {
    router = fakeRouter('hostname r\nline vty 0 4\n no login');
    session = new ConsoleSession(router, 'console');
    type('enable');
    expect(session.prompt).toBe('r#');
    session = new ConsoleSession(router, { vty: 0, from: parseAddress('10.0.0.9')! });
    expect(type('enable')).toBe('% No password set\n');
    expect(session.prompt).toBe('r>');
  });

  test('passwords are in no history and no log', () => {
    session = new ConsoleSession(router, 'console');
    type('enable', 'guess', 'cisco123', 'show history');
    expect(session.history.join()).not.toMatch(/guess|cisco123/);
    expect(router.calls.join()).not.toMatch(/guess|cisco123/);
  });
});

describe('output filters', () => {
  test.each([
    ['show run | include ^ip nat', 2],
    ['show run | inc ip nat|^hostname', 5],
    ['show run | exclude .', 1],
    ['show run | begin ^line vty', 5],
    ['show run | section interface Ethernet2/1', 6],
    ['show run | i nothing at all', 0],
  ])('%s', (command, lines) => {
    const text = type(command);
    expect(text === '' ? 0 : text.split('\n').length - 1).toBe(lines);
  });

  test.each([
    ['show run | ', '% Incomplete command.\n\n'],
    ['show run | include', '% Incomplete command.\n\n'],
    ['show run | include (', '% Failed to compile regular expression\n'],
    ['show run | bogus x', "                     ^\n% Invalid input detected at '^' marker.\n\n"],
  ])('%j is refused', (command, answer) => expect(type(command)).toBe(answer));
});

describe('configure terminal', () => {
  test('prompts say where one is, abbreviations do, do is for EXEC, exit and end lead out', () => {
    const prompts = [
      'conf t',
      'int eth 2/0',
      'exit',
      'line vty 0 4',
      'ip access-list ext MAIL',
      'ip access-l st S',
      'controller T1 3/0',
      'int e2/1',
      'end',
    ].map((l) => [l, session.execute(l), session.prompt] as const);
    expect(prompts.map(([, , p]) => p.replace('3640-123', ''))).toEqual([
      '(config)#',
      '(config-if)#',
      '(config)#',
      '(config-line)#',
      '(config-ext-nacl)#',
      '(config-std-nacl)#',
      '(config-controller)#',
      '(config-if)#',
      '#',
    ]);
    expect(type('conf t')).toBe(ENTER);
    expect(type('do show privilege')).toBe('Current privilege level is 15\n');
  });

  test('each line takes effect at once, and only if it changes something', () => {
    type('conf t', 'int e2/0', 'no ip unreachables');
    expect(router.config().interfaces[0]?.unreachables).toBe(false);
    const before = router.calls.length;
    type('no ip unreachables', 'ip access-group 101 in');
    expect(router.calls.length).toBe(before);
  });

  test('part of a range of terminal lines, and sequence numbers, which no line of the running-config shows', () => {
    type('conf t', 'line vty 1 2', 'login local', 'exit');
    expect(router.config().lines.map((l) => [l.first, l.last, l.login])).toEqual([
      [0, 0, 'none'],
      [0, 0, 'none'],
      [0, 0, 'line'],
      [1, 2, 'local'],
      [3, 4, 'line'],
    ]);
    type('ip access-list resequence 101 500 5');
    expect(
      router
        .config()
        .accessLists.get('101')
        ?.entries.map((e) => e.sequence),
    ).toEqual([500]);
  });

  test.each([
    ['access-list 101 deny ip any any'],
    ['ip access-list extended A', 'no 5', 'no remark x'],
    ['ip access-list extended A', '5 permit tcp any any', 'remark y'],
    ['ip nat inside source static 10.10.10.2 172.22.1.110 extendable'],
    ['no ip nat inside source static 10.10.10.5 172.22.1.111'],
    ['ip nat translation timeout 5'],
    ['no ip route 0.0.0.0 0.0.0.0 172.22.1.1'],
    ['interface Ethernet2/0', 'no half-duplex', 'no ip inspect OUT-IN in'],
    ['ip inspect name OUT-IN tcp'],
    ['line vty 0 4', 'transport input ssh', 'no login'],
  ])('the configuration that %s replaces is as it was: others still read it', (...lines) => {
    router = fakeRouter(`${seed}\nip access-list extended A\n 5 permit ip any any\n remark x\n`);
    session = new ConsoleSession(router, 'console', 15);
    const before = router.config();
    const copy = structuredClone(before);
    type('conf t', ...lines);
    expect(router.config()).not.toEqual(copy);
    expect(before).toEqual(copy);
  });

  test('errors point at the column on the screen and change nothing', () => {
    type('conf t', 'int e2/0');
    expect(type('ip adress 10.0.0.1 255.0.0.0')).toBe(
      `${' '.repeat('3640-123(config-if)#'.length + 5)}^\n% Invalid input detected at '^' marker.\n\n`,
    );
    expect(type('ip address 10.10.10.9 255.255.255.0')).toBe('% 10.10.10.0 overlaps with Ethernet2/1\n');
    expect(type('ip inspect name OUT-IN esmtp')).toBe(
      '%ESMTP cannot coexist with SMTP, please unconfigure SMTP and try again..\n',
    );
    expect(type('do bogus line')).toMatch(/^ +\^\n/);
    expect(router.calls).toEqual([]);
  });

  test('what the router cannot do is refused in its words, and not in force', () => {
    router.actions.apply = () => 'Ethernet2/0 has no Linux interface';
    expect(type('conf t', 'hostname other')).toBe(`${ENTER}% Ethernet2/0 has no Linux interface\n`);
    expect(session.prompt).toBe('3640-123(config)#');
  });

  test('two sessions see each other change the configuration', () => {
    const other = new ConsoleSession(router, 'console', 15);
    type('conf t', 'int e2/0');
    other.execute('conf t');
    other.execute('hostname renamed');
    expect(session.prompt).toBe('renamed(config-if)#');
    type('shutdown');
    expect(router.config()).toMatchObject({ hostname: 'renamed' });
    expect(router.config().interfaces[0]?.shutdown).toBe(true);
  });

  test('a banner is typed over several lines', () => {
    expect(type('conf t', 'banner motd #')).toContain("End with the character '#'");
    expect(session.prompt).toBe('');
    type('hostname trap', 'welcome#');
    expect(router.config().banners.motd).toBe('\nhostname trap\nwelcome');
    expect(session.prompt).toBe('3640-123(config)#');
  });

  test('leaving is logged, with the terminal it was done from', () => {
    session = new ConsoleSession(router, { vty: 2, from: parseAddress('10.0.0.9')! }, 15);
    type('conf t', 'end');
    expect(router.calls).toEqual(['log 5 SYS-5-CONFIG_I: Configured from console by vty2 (10.0.0.9)']);
  });

  test('thresholds say what they reset', () => {
    expect(type('conf t', 'ip inspect one-minute high 300')).toBe(
      `${ENTER}%Also resetting low threshold from [400] to [300]\n`,
    );
  });

  test.each(['write', 'write memory', 'wr'])('%s keeps the configuration', (command) => {
    expect(type('conf t', 'hostname kept', 'end', command)).toBe(`${ENTER}Building configuration...\n[OK]\n`);
    expect(router.startup).toContain('\nhostname kept\n');
    expect(type('show startup-config')).toBe(
      `Using ${router.startup!.length} out of 129016 bytes\n${router.startup ?? ''}`,
    );
  });
});

describe('an interface that is not there is an invalid input, the caret under what fits none', () => {
  test.each([
    ['show interfaces Ethernet2/7', 'show interfaces Ethernet2/'],
    ['show interfaces e 2/7', 'show interfaces e 2/'],
    ['sh int eth9/0', 'sh int eth'],
    ['sh int eth20/0', 'sh int eth'],
    ['show ip interface brief GigabitEthernet0/1', 'show ip interface brief '],
    ['show ip interface Loopback0', 'show ip interface '],
    ['show running-config interface Serial2/9', 'show running-config interface Serial2/'],
    ['show interfaces Ethernet2/7 | include MTU', 'show interfaces Ethernet2/'],
    ['show ip virtual-reassembly e2/8', 'show ip virtual-reassembly e2/'],
    ['clear counters e2/8', 'clear counters e2/'],
    ['ping 10.10.10.2 source Ethernet2/8', 'ping 10.10.10.2 source Ethernet2/'],
  ])('%s', (line, right) => {
    const { output, failed } = session.execute(line);
    const caret = ' '.repeat('3640-123#'.length + right.length);
    expect([output, failed]).toEqual([`${caret}^\n% Invalid input detected at '^' marker.\n\n`, true]);
  });

  test('behind do, too; and one that is there is shown', () => {
    session.execute('conf t');
    expect(type('do show interfaces e2/7')).toMatch(
      new RegExp(`^ {${'3640-123(config)#do show interfaces e2/'.length}}\\^\n`),
    );
    expect(type('do show interfaces e2/1')).toMatch(/^Ethernet2\/1 is /);
    expect(type('do show interfaces Null0')).toBe('');
  });
});

describe('help', () => {
  test('lists what may follow, padded, with <cr> last', () => {
    expect(session.help('show ip inspect ')).toBe(
      '  all         Inspection all available information\n' +
        '  config      Inspection configuration\n' +
        '  interfaces  Inspection interfaces\n' +
        '  name        Inspection name\n' +
        '  sessions    Inspection sessions\n' +
        '  statistics  Inspection statistics\n' +
        '  transcript  Transcripts of inspected dialogues (fw3640 extension)\n\n',
    );
    expect(session.help('show ip inspect sessions ')).toBe(
      '  Hex-value  Address of the session, as show ip inspect sessions prints it\n' +
        '  detail     Detailed information\n' +
        '  recent     Sessions that were heard of last\n' +
        '  |          Output modifiers\n  <cr>\n\n',
    );
  });

  test('completes a word in part, and says so where there is none', () => {
    expect(session.help('cle')).toBe('clear\n');
    expect(session.help('cl')).toBe('clear  clock\n');
    expect(session.help('show ip in')).toBe('inspect  interface\n');
    expect(session.help('bogus ')).toBe('% Unrecognized command\n');
    expect(session.help('show run | ')).toContain('  include  Include lines that match\n');
  });

  test('in a mode its own commands come, and those of do', () => {
    type('conf t', 'int e2/0');
    expect(session.help('ip nat ')).toBe(
      '  enable   Not supported: refused\n' +
        '  inside   Inside interface for address translation\n' +
        '  outside  Outside interface for address translation\n\n',
    );
    expect(session.help('do show cl')).toBe('clock\n');
    expect(session.help('')).toContain('  shutdown ');
    expect(session.help('shut')).toBe('shutdown\n');
  });

  test('Tab spells out the only word that fits', () => {
    expect(session.complete('sh')).toBe('show ');
    expect(session.complete('show ip insp')).toBe('show ip inspect ');
    expect(session.complete('show ip in')).toBe('show ip in');
    expect(session.complete('show ')).toBe('show ');
    type('conf t');
    expect(session.complete('do sh')).toBe('do show ');
    expect(session.complete('interf')).toBe('interface ');
    expect(session.complete('access-list 101 per')).toBe('access-list 101 permit ');
  });
});

describe('clear and debug', () => {
  test.each([
    ['clear ip inspect session *', 'clear sessions'],
    ['clear ip inspect session 66F96EB0', 'clear sessions 1727622832'],
    ['clear ip inspect statistics', 'clear inspect-statistics'],
    ['clear ip nat translation *', 'clear translations'],
    ['clear access-list counters', 'clear acl-counters'],
    ['clear access-list counters 101', 'clear acl-counters "101"'],
    ['clear ip access-list counters 101', 'clear acl-counters "101"'],
  ])('%s', (command, call) => {
    router.sessions.push({
      id: 0x66f96eb0,
      protocol: 6,
      service: 'smtp',
      state: 'SIS_OPEN',
      initiator: 0,
      initiatorPort: 1,
      responder: 0,
      responderLocal: 0,
      responderPort: 25,
      createdAgo: 0,
      heardAgo: 0,
      initiatorBytes: 0,
      responderBytes: 0,
    });
    expect(type(command)).toBe('');
    expect(router.calls).toEqual([call]);
  });

  test('a session that is not there cannot be cleared', () => {
    expect(type('clear ip inspect session 66F96EB0')).toBe('%No such session: 66F96EB0\n');
    expect(router.calls).toEqual([]);
  });

  test('what is to be confirmed is asked, and Enter confirms', () => {
    type('clear logging');
    expect(session.prompt).toBe('Clear logging buffer [confirm]');
    type('');
    type('clear logging', 'n');
    expect(router.calls).toEqual(['clearLogging']);
  });

  test('what is not there cannot be cleared', () => {
    expect(type('clear access-list counters 150')).toBe('%access-list 150 does not exist\n');
    expect(type('clear ip nat translation inside 172.22.1.110 10.10.10.2')).toBe('%Translation not found\n');
  });

  test('debug answers as the router does, and undebug all ends it', () => {
    expect(type('debug ip inspect smtp')).toBe('INSPECT SMTP Inspection debugging is on\n');
    expect(router.debug.smtp).toBe(true);
    expect(type('debug ip nat')).toBe('IP NAT debugging is on\n');
    expect(type('show debugging')).toBe(
      'INSPECT:\n  INSPECT SMTP Inspection debugging is on\n\nGeneric IP:\n  IP NAT debugging is on\n\n',
    );
    expect(type('no debug ip inspect smtp')).toBe('INSPECT SMTP Inspection debugging is off\n');
    expect(type('u all')).toBe('All possible debugging has been turned off\n');
    expect(Object.values(router.debug)).not.toContain(true);
    expect(type('show debugging')).toBe('');
  });

  test.each([
    ['ip inspect ftp', 'ftp', 'INSPECT FTP commands and responses'],
    ['ip inspect ftp-cmd', 'ftp', 'INSPECT FTP commands and responses'],
    ['ip inspect http', 'http', 'INSPECT HTTP Inspection'],
    ['ip inspect icmp', 'icmp', 'INSPECT ICMP Inspection'],
    ['ip inspect events', 'events', 'INSPECT special events'],
    ['ip inspect timers', 'timers', 'INSPECT Timer related events'],
    ['ip inspect detailed', 'detailed', 'INSPECT Detailed Debug Records'],
  ] as const)('debug %s: on, shown, and off by either word', (command, flag, words) => {
    for (const off of [`undebug ${command}`, `no debug ${command}`, `do undebug ${command}`]) {
      expect(type(`debug ${command}`)).toBe(`${words} debugging is on\n`);
      expect(Object.entries(router.debug).filter(([, v]) => v === true)).toEqual([[flag, true]]);
      expect(type('show debugging')).toBe(`INSPECT:\n  ${words} debugging is on\n\n`);
      const configuring = off.startsWith('do ');
      if (configuring) type('configure terminal');
      expect(type(off)).toBe(`${words} debugging is off\n`);
      if (configuring) type('end');
      expect(Object.values(router.debug)).not.toContain(true);
    }
  });

  test.each([
    ['', undefined, false, ''],
    [' 199', '199', false, ' for access list 199'],
    [' 199 detail', '199', true, ' (detailed) for access list 199'],
    [' detail 2699', '2699', true, ' (detailed) for access list 2699'],
    [' detail', undefined, true, ' (detailed)'],
  ])('debug ip packet%s', (typed, list, detail, words) => {
    type('debug ip packet 7 detail'); // is replaced
    expect(type(`debug ip packet${typed}`)).toBe(`IP packet debugging is on${words}\n`);
    expect(router.debug).toMatchObject({ packet: true, packetScope: { list, detail } });
    expect(type('show debugging')).toBe(`Generic IP:\n  IP packet debugging is on${words}\n\n`);
    expect(type('undebug ip packet')).toBe('IP packet debugging is off\n');
    expect(router.debug).toEqual(noDebug());
    type(`debug ip packet${typed}`);
    expect(type(`no debug ip packet${typed}`)).toBe(`IP packet debugging is off${words}\n`);
    type(`debug ip packet${typed}`, 'undebug all');
    expect(router.debug).toEqual(noDebug());
  });

  test.each(['200', '0', '1299', '2700', 'NAME'])('%s is no list of debug ip packet', (list) => {
    expect(type(`debug ip packet ${list}`)).toContain("% Invalid input detected at '^' marker.");
    expect(router.debug.packet).toBe(false);
  });

  test('debug ip packet ? as on the router', () => {
    expect(session.help('debug ip packet ')).toBe(
      '  <1-199>      Access list\n' +
        '  <1300-2699>  Access list (expanded range)\n' +
        '  detail       Print more debugging detail\n' +
        '  <cr>\n\n',
    );
  });

  test('debug ip inspect ? has what can be traced', () => {
    expect(session.help('debug ip inspect ')).toBe(
      '  detailed         INSPECT Detailed Debug Records\n' +
        '  events           INSPECT special events\n' +
        '  ftp              INSPECT FTP commands and responses\n' +
        '  ftp-cmd          INSPECT FTP commands and responses\n' +
        '  http             INSPECT HTTP\n' +
        '  icmp             INSPECT ICMP\n' +
        '  object-creation  INSPECT Object Creations\n' +
        '  object-deletion  INSPECT Object Deletions\n' +
        '  smtp             INSPECT SMTP\n' +
        '  tcp              INSPECT TCP\n' +
        '  timers           INSPECT Timer related events\n' +
        '  udp              INSPECT UDP\n\n',
    );
    expect(session.complete('debug ip inspect ev')).toBe('debug ip inspect events ');
  });
});
