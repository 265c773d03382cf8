/** `fw3640 check` says what `run` will do with the file: exit code 0 of the one means that the other starts. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/ios/check.js';
import { parseConfig } from '../../src/ios/config/parse.js';
import { ConsoleSession } from '../../src/ios/exec/session.js';
import { writeWhole } from '../../src/io/whole-file.js';
import { fakeRouter } from './support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
const check = (lines: string, options = {}): { report: string; exitCode: number } =>
  checkConfig(`${lines}\nend\n`, 'x.cfg', options);

describe('a file that was cut', () => {
  test.each([0.3, 0.6, 0.9, 0.999])('at %f of its length is refused, with the line where it ends', (part) => {
    const cut = seed.slice(0, Math.floor((seed.length - 5) * part));
    const { report, exitCode } = checkConfig(cut, 'x.cfg');
    expect(exitCode).toBe(2);
    expect(report).toContain(`x.cfg:${cut.split('\n').length}:1: % The file ends before its 'end'`);
  });

  test('is no matter for lines that are no file', () => expect(parseConfig('hostname r', 'x').errors).toEqual([]));
});

test('what run refuses, check refuses: sessions of the router itself', () => {
  const text = readFileSync('test/ios/config/cases/check-says-ok-run-refuses.cfg', 'utf8');
  const { report, exitCode } = checkConfig(text, 'x.cfg');
  expect(exitCode).toBe(2);
  expect(report).toContain('x.cfg:15:1: % ip inspect name FW tcp router-traffic: sessions of the router itself');
});

test('a mapping that run would refuse is an error of check', () => {
  const { report, exitCode } = checkConfig(seed, 'x.cfg', { mappingFaults: ['the configuration has no interface X'] });
  expect(exitCode).toBe(2);
  expect(report).toContain('x.cfg: % the configuration has no interface X');
});

test('lists that are applied and empty are said to be open', () => {
  const text = 'ip access-list extended E\ninterface Ethernet0/0\n ip access-group E in\n ip access-group 199 out';
  const { report } = check(text);
  expect(report).toContain(
    'x.cfg:3:1: warning: % access list E has no entries: all packets are permitted in on Ethernet0/0',
  );
  expect(report).toContain('access list 199 is not defined: all packets are permitted out on Ethernet0/0');
});

describe('--lenient', () => {
  test.each(['frobnicate all', 'telemetry receiver 1', 'service frobnicate', 'frobnicate\n mode fast\n level 5'])(
    'keeps a line that nobody knows and that weakens nothing, with a warning: %s',
    (line) => {
      const text = `interface Ethernet0/0\n ip access-group 101 in\n${line}\naccess-list 101 permit ip any any`;
      expect(check(text).exitCode).toBe(2);
      const { report, exitCode } = check(text, { lenient: true });
      expect([exitCode, report]).toEqual([
        0,
        expect.stringContaining('warning: % unknown command, kept without effect'),
      ]);
      const { config } = parseConfig(text, 'x', { lenient: true });
      expect(config.inert.map((l) => l.text)).toContain(line.split('\n')[0]);
      expect(config.interfaces[0]?.accessGroupIn).toBe('101');
    },
  );

  test.each([
    'acess-list 101 deny ip any any',
    'access-list 101 deny ip any eny',
    'ip acces-group 101 in',
    'ip nta inside source static 10.0.0.1 192.0.2.1',
    'ip inspct name A tcp',
    'ip rout 0.0.0.0 0.0.0.0 x',
    'intrface Ethernet9/9',
    'interface Frobnicate0\n ip access-group 101 in',
    'usrname x password y',
    'line vtyy 0 4',
    'frobnicate\n permit ip any any',
    'frobnicate\n ip access-group 101 in',
    'frobnicate deny all',
    'zone-par x',
    'class-mapp x',
    'interface Ethernet0/0\n frobnicate',
    'enable scret x',
  ])('never a line that may be about filtering, translation, routes or who may log in: %s', (line) => {
    expect(check(line, { lenient: true }).exitCode).toBe(2);
  });
});

test('what goes wrong on a busy network is said, and what to set', () => {
  const notes = (lines: string): string[] =>
    check(lines)
      .report.split('\n')
      .filter((l) => /^x\.cfg:(?:\d+:)? note: /.test(l));
  const applied = 'ip inspect name M esmtp\ninterface Ethernet0/0\n ip inspect M in\n';
  const said = notes(applied).join('\n');
  expect(said).toMatch(/one-minute high 500, max-incomplete high 500: numbers of 1998/);
  expect(said).toMatch(/max-incomplete host 50: 200 SYNs a second/);
  expect(said).toMatch(/attachment of about 15 MB/);
  expect(said).toMatch(/STARTTLS is masked/);
  const set = `ip inspect one-minute high 60000\nip inspect max-incomplete high 20000
ip inspect tcp max-incomplete host 10000\nip inspect name M esmtp max-data 50000000 allow STARTTLS
interface Ethernet0/0\n ip inspect M in`;
  expect(notes(set)).toEqual([expect.stringContaining('what comes behind STARTTLS is encrypted and not inspected')]);
  expect(notes('hostname r')).toEqual([]);
});

test('login block-for is done; what of its kin is not is said', () => {
  const BLOCK = 'login block-for 60 attempts 3 within 30';
  expect(check(`${BLOCK}\nlogin quiet-mode access-class 7\naccess-list 7 permit any`).report).toMatch(
    /0 errors, 0 warnings\n$/,
  );
  expect(check(BLOCK).report).toContain('note: login block-for: whoever reaches the terminal lines');
  expect(check('login on-failure trap').report).toContain(
    'x.cfg:1:1: warning: % login on-failure trap: no traps are sent here, and nothing is logged: add log',
  );
});

test('privilege levels between are said to be level 1', () => {
  expect(check('username u privilege 7 password x').report).toContain(
    'x.cfg:1:1: warning: % username u: level 7 has the commands of level 1 here',
  );
});

describe('on the console, in an interface, what is typed is what is meant', () => {
  const type = (...lines: string[]): { router: ReturnType<typeof fakeRouter>; prompt: string; failed: boolean } => {
    const router = fakeRouter(`${seed.replace(/\nend\n/, '\n')}interface Ethernet2/3\nend\n`);
    const session = new ConsoleSession(router, 'console', 15);
    let failed = false;
    for (const line of ['configure terminal', 'interface Ethernet2/1', ...lines]) failed = session.execute(line).failed;
    return { router, prompt: session.prompt, failed };
  };
  const inert = (router: ReturnType<typeof fakeRouter>): number => router.config().inert.length;
  const before = inert(type().router);

  test.each(['int', 'inte', 'inter', 'interf', 'interfa', 'interfac', 'interface'])('%s e2/3', (word) => {
    const { router } = type(`${word} e2/3`, 'description there');
    expect(router.config().interfaces.find((i) => i.name === 'Ethernet2/3')?.description).toBe('there');
    expect(inert(router)).toBe(before);
  });

  test('interface range is refused', () => {
    const { router, failed } = type('interface range e2/0 - 1');
    expect([failed, inert(router)]).toEqual([true, before]);
  });

  test('access 101 deny ip any any is an entry of the list', () => {
    const { router } = type('access 101 deny ip any any');
    expect(router.config().accessLists.get('101')?.entries.at(-1)?.action).toBe('deny');
    expect(inert(router)).toBe(before);
  });

  test('ban motd is a banner', () => {
    const { router } = type('ban motd #x#');
    expect([router.config().banners.motd, inert(router)]).toEqual(['x', before]);
  });
});

test('a file is written whole or not at all, behind a link too, and nothing else stays', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fw3640-'));
  try {
    writeFileSync(join(folder, 'a.cfg'), 'old');
    symlinkSync('a.cfg', join(folder, 'link.cfg'));
    writeWhole(join(folder, 'link.cfg'), 'new');
    expect(readFileSync(join(folder, 'a.cfg'), 'utf8')).toBe('new');
    expect(() => writeWhole(join(folder, 'none', 'b.cfg'), 'x')).toThrow(/ENOENT/);
    expect(readdirSync(folder).sort()).toEqual(['a.cfg', 'link.cfg']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('what is accepted and not in force is said with file and line', () => {
  const TWO = 'interface Ethernet0/0\n ip address 192.0.2.1 255.255.255.0';
  test.each([
    {
      line: 'ip inspect name F fragment maximum 256 timeout 1',
      want: 'fragments are limited by ip virtual-reassembly',
    },
    { line: 'router ospf 1\n network 10.0.0.0 0.0.0.255 area 0', want: 'routing protocols are not run' },
    { line: 'router rip\n version 2', want: 'routing protocols are not run' },
    { line: 'no ip routing', want: 'packets are routed all the same' },
    { line: 'ip route 0.0.0.0 0.0.0.0 dhcp', want: 'no gateway is learned here' },
    { line: 'privilege exec level 15 show ip route', want: 'commands stay at levels 1 and 15' },
    { line: 'username u autocommand show users', want: 'the user gets a command line' },
    { line: 'username u privilege 7 password x', want: 'level 7 has the commands of level 1 here' },
    { line: 'security authentication failure rate 3 log', want: 'login block-for is done' },
    { line: 'ip nat service list 10 ftp tcp port 2021', want: 'ip port-map ftp names a port of it' },
    { line: 'ip port-map rtsp port 8555', want: 'rtsp is inspected on no port here' },
    {
      line: 'ip nat inside source static 10.0.0.5 192.0.2.9 no-payload',
      want: 'no-payload: the addresses in FTP commands are translated all the same',
    },
    {
      line: 'ip nat inside source list 1 interface Ethernet0/1 overload\naccess-list 1 permit any',
      want: 'Ethernet0/1 has no address: what should be translated to it is dropped',
    },
  ])('$line', ({ line, want }) =>
    expect(check(line).report).toMatch(new RegExp(`^x\\.cfg:1:1: warning: % .*${want}`, 'm')),
  );

  test.each([
    { line: 'ip address dhcp', want: 'no address is learned here' },
    { line: 'ip address negotiated', want: 'no address is learned here' },
    { line: 'mac access-group 700 in', want: 'the MAC access list is not applied' },
    { line: 'bridge-group 1 input-address-list 700', want: 'the MAC access list is not applied' },
    { line: 'switchport port-security', want: 'MAC addresses are not limited' },
    { line: 'dot1x port-control auto', want: 'nobody has to log in to use the port' },
    { line: 'access-expression in smac(701)', want: 'the access expression is not applied' },
  ])('$line of an interface', ({ line, want }) =>
    expect(check(`${TWO}\n ${line}`).report).toMatch(new RegExp(`^x\\.cfg:3:1: warning: % .*${want}`, 'm')),
  );

  test.each([
    { line: 'privilege level 7', want: 'warning: % line vty 0: level 7 has the commands of level 1 here', at: '2:1' },
    { line: 'autocommand show users', want: 'warning: % callers get a command line', at: '2:1' },
    {
      line: 'access-class 23 in',
      want: 'warning: % access list 23 is not defined: every address may connect',
      at: '2:1',
    },
    { line: 'access-class 23 out', want: 'warning: % outgoing terminal connections are not offered', at: '2:1' },
    { line: 'transport input ssh', want: 'note: line vty 0 4: takes no telnet, and there is no ssh here', at: '2' },
    { line: 'session-limit 3', want: 'note: line vty 0 4: session-limit: there are no outgoing sessions', at: '2' },
  ])('$line of terminal lines', ({ line, want, at }) =>
    expect(check(`line vty 0 4\n ${line}`).report).toContain(`x.cfg:${at}: ${want}`),
  );

  test('FTP that is translated and not inspected', () => {
    const nat =
      'ip nat inside source static 10.0.0.5 192.0.2.9\ninterface Ethernet0/0\n ip address 192.0.2.1 255.255.255.0';
    const said = 'x.cfg:1: note: ip nat: the addresses in FTP commands and replies are translated only where';
    expect(check(nat).report).toContain(said);
    expect(check(`${nat}\n ip inspect F in\nip inspect name F ftp`).report).not.toContain(said);
  });

  test('no exec of the console', () => {
    expect(check('line con 0\n no exec').report).toContain('x.cfg:2: note: line con 0: no exec: the console socket');
  });

  test('a named MAC list is a block of its own, and no line of the MAC address table', () => {
    const { report } = check('mac access-list extended M\n permit any any\nhostname r');
    expect(report).toMatch(/^ +1 {2}mac access-list extended M$/m);
    expect(report).toMatch(/0 errors, 0 warnings\n$/);
  });
});
