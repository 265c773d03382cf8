/** What an engineer's hands know: aliases, lists of commands with their heading, history, ways out of modes. */
import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { parseConfig } from '../../../src/ios/config/parse.js';
import { runningConfig } from '../../../src/ios/config/running-config.js';
import { ConsoleSession } from '../../../src/ios/exec/session.js';
import { fakeRouter } from '../support/fake-router.js';
import type { FakeRouter } from '../support/fake-router.js';

const seed = readFileSync('config/3640.cfg', 'utf8');
let router: FakeRouter;
let session: ConsoleSession;

beforeEach(() => {
  router = fakeRouter(seed);
  session = new ConsoleSession(router, 'console', 15);
});

const type = (...lines: string[]): string => lines.map((l) => session.execute(l).output).join('');
const configured = (): string => runningConfig(router.config());

describe('aliases', () => {
  test.each([
    ['s privilege', 'show privilege'],
    ['s', 'show'],
    ['p', 'ping'],
    ['h', 'help'],
    ['u ip packet', 'undebug ip packet'],
    ['un all', 'undebug all'],
  ])('the exec alias in %j does what %j does', (alias, command) => {
    const other = new ConsoleSession(fakeRouter(seed), 'console', 15);
    expect([session.execute(alias).failed, session.prompt]).toEqual([other.execute(command).failed, other.prompt]);
  });

  test('lo logs out', () => {
    type('lo');
    expect(session.isClosed()).toBe(true);
  });

  test('one that is configured runs, with what stands behind it, in do too, and is in the configuration', () => {
    type('conf t', 'alias exec sp show privilege', 'alias exec sr show run | include', 'end');
    expect(type('sp')).toBe('Current privilege level is 15\n');
    expect(type('SR ^hostname')).toBe('hostname 3640-123\n');
    expect(type('conf t', 'do sp')).toContain('Current privilege level is 15\n');
    expect(configured()).toContain('alias exec sp show privilege\nalias exec sr show run | include\n');
    const again = parseConfig(configured(), 'again.cfg');
    expect([again.errors, again.config.aliases]).toEqual([[], router.config().aliases]);
  });

  test('of a mode of configuration: in that mode alone', () => {
    type('conf t', 'alias configure i interface', 'alias interface down shutdown', 'i e2/0', 'down');
    expect(session.prompt).toBe('3640-123(config-if)#');
    expect(router.config().interfaces[0]?.shutdown).toBe(true);
    expect(session.execute('i e2/1').failed).toBe(true);
  });

  test('the last text counts; no takes one away, or all of a mode, those of the router too; default brings them back', () => {
    type('conf t', 'alias exec x show clock', 'alias exec x show privilege', 'end');
    expect(type('x')).toBe('Current privilege level is 15\n');
    type('conf t', 'no alias exec x', 'no alias exec s', 'end');
    expect(session.execute('x').failed).toBe(true);
    expect(type('s')).toBe('% Incomplete command.\n\n');
    expect(configured()).toContain('no alias exec s\n');
    type('conf t', 'alias exec s show', 'end');
    expect(configured()).not.toContain('alias exec s');
    type('conf t', 'no alias exec', 'end');
    expect(configured().match(/no alias exec/g)).toHaveLength(8);
    type('conf t', 'default alias exec', 'end');
    expect(configured()).not.toContain('alias');
  });

  test('the caret of a fault is under what was typed', () => {
    expect(type('s nonsense')).toBe(
      `${' '.repeat('3640-123#s '.length)}^\n% Invalid input detected at '^' marker.\n\n`,
    );
    type('conf t', 'alias exec sx show xyz', 'end');
    expect(type('sx')).toMatch(/^ {9}\^\n/);
  });

  test('? shows them first, with a star; behind a blank it knows what they stand for', () => {
    type('conf t', 'alias exec pq show ip interface brief', 'end');
    expect(session.help('p')).toBe('*p=ping  *pq="show ip interface brief"  packet-tracer  ping\n');
    expect(session.help(' p')).toBe('packet-tracer  ping\n');
    expect(session.help('s cl')).toBe('clock\n');
    expect(session.help('s ')).toBe(session.help('show '));
  });

  test('those of other modes are kept without effect', () => {
    type('conf t', 'alias router n network', 'end');
    expect(configured()).toContain('alias router n network\n');
  });
});

describe('the list of commands has a heading', () => {
  test.each([
    { lines: [], heading: 'Exec commands:' },
    { lines: ['conf t'], heading: 'Configure commands:' },
    { lines: ['conf t', 'int e2/0'], heading: 'Interface configuration commands:' },
    { lines: ['conf t', 'line con 0'], heading: 'Line configuration commands:' },
    { lines: ['conf t', 'line vty 0 4'], heading: 'Virtual Line configuration commands:' },
    { lines: ['conf t', 'ip access-list extended X'], heading: 'Ext Access List configuration commands:' },
    { lines: ['conf t', 'ip access-list standard X'], heading: 'Standard Access List configuration commands:' },
    { lines: ['conf t', 'policy-map P'], heading: 'QoS policy-map configuration commands:' },
    { lines: ['conf t', 'policy-map P', 'class C'], heading: 'QoS policy-map class configuration commands:' },
  ])('$lines: $heading', ({ lines, heading }) => {
    type(...lines);
    const [first, ...rows] = session.help('').trimEnd().split('\n');
    expect(first).toBe(heading);
    const columns = rows.map((r) => /^ {2}(?:\S+ {2,})/.exec(r)?.[0].length).filter((n) => n !== undefined);
    expect(new Set(columns).size).toBe(1);
    expect(session.help('no ')).not.toContain('commands:');
  });

  test('do ? lists those of EXEC', () => {
    const exec = session.help('');
    type('conf t');
    expect(session.help('do ')).toBe(exec);
  });

  test('a block without effect lists the words of its lines', () => {
    type('conf t', 'policy-map P');
    expect(session.help('cl')).toBe('class\n');
  });
});

describe('nested blocks', () => {
  test('exit leads from class to policy-map to configuration; class in class is its neighbour', () => {
    const prompts = [
      'conf t',
      'policy-map P',
      'class A',
      'bandwidth 10',
      'class B',
      'bandwidth 10',
      'exit',
      'exit',
      'router bgp 1',
      'address-family ipv4 vrf X',
      'exit-address-family',
      'key chain K',
      'key 1',
      'exit',
      'exit',
      'exit',
    ].map((line) => {
      type(line);
      return session.prompt.replace('3640-123', '');
    });
    expect(prompts).toEqual([
      '(config)#',
      '(config-pmap)#',
      '(config-pmap-c)#',
      '(config-pmap-c)#',
      '(config-pmap-c)#',
      '(config-pmap-c)#',
      '(config-pmap)#',
      '(config)#',
      '(config-router)#',
      '(config-router-af)#',
      '(config-router)#',
      '(config-keychain)#',
      '(config-keychain-key)#',
      '(config-keychain)#',
      '(config)#',
      '#',
    ]);
    expect(configured()).toContain('policy-map P\n class A\n  bandwidth 10\n class B\n  bandwidth 10\n!\n');
  });

  test('from a file too no class loses a line to its neighbour; no class takes its lines along', () => {
    const text = 'policy-map P\n class A\n  bandwidth 10\n class B\n  bandwidth 10\n  set dscp ef\n';
    router = fakeRouter(`hostname r\n${text}end\n`);
    session = new ConsoleSession(router, 'console', 15);
    expect(configured()).toContain(text);
    type('conf t', 'policy-map P', 'no class A');
    expect(configured()).toContain('policy-map P\n class B\n  bandwidth 10\n  set dscp ef\n');
    expect(session.prompt).toBe('r(config-pmap)#');
  });
});

describe('history', () => {
  test('EXEC and configuration have one each, of the size that is set; passwords and answers are in none', () => {
    type('terminal history size 3', 'show clock', 'show privilege', 'show arp', 'conf t', 'int e2/0', 'no shutdown');
    expect(session.recallable).toEqual(['int e2/0', 'no shutdown']);
    type('end');
    expect(session.recallable).toEqual(['show privilege', 'show arp', 'conf t']);
    type('conf t');
    expect(session.recallable).toEqual(['int e2/0', 'no shutdown', 'end']);
    type('end', 'copy run start');
    expect(session.recallable).toEqual([]);
    type('');
    expect(session.recallable.at(-1)).toBe('copy run start');
  });
});

describe('three wrong passwords', () => {
  test.each([
    ['enable secret a', '% Bad secrets\n'],
    ['enable password a', '% Bad passwords\n'],
    ['enable secret a\nenable password b', '% Bad secrets\n'],
  ])('%j: %j', (line, answer) => {
    router = fakeRouter(`hostname r\n${line}\nend\n`);
    session = new ConsoleSession(router, 'console');
    expect(type('enable', 'x', 'y', 'z')).toBe(answer);
    expect([session.prompt, session.asking]).toEqual(['r>', false]);
  });
});
