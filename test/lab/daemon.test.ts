/** The life of `fw3640 run`: it starts, it is stopped, it crashes, it is misused. */
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fw3640, fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';

const INTERFACES = ['--interface', 'Ethernet2/0=outside', '--interface', 'Ethernet2/1=inside'];
const CONFIG = ['--config', 'config/3640.cfg'];

let lab: Lab;
beforeAll(() => {
  lab = Lab.up();
});
afterAll(() => lab.down());

/** What the router has of us. An empty table of iptables is no rule: it stays, once made. */
const trace = () =>
  lab.run('router', 'sh', [
    '-c',
    'ip -4 -brief address; ip -4 route; iptables-save | grep "^-"; ip6tables -S; cat /proc/sys/net/ipv4/conf/*/forwarding',
  ]);
const passes = (): boolean => lab.exec('inside', 'ping', ['-c1', '-W1', '172.22.1.10']).code === 0;

describe('starting and stopping', () => {
  test('SIGTERM ends it with code 0 and nothing left; while it runs, its console is for root alone', async () => {
    const before = trace();
    const router = await Fw3640.start(lab);
    expect(passes()).toBe(true);
    expect(statSync(join(lab.folder, 'console.sock')).mode & 0o777).toBe(0o600);
    expect(router.console('show running-config')).toMatch(/^hostname 3640-123$/m);
    expect(await router.stop()).toBe(0);
    expect(trace()).toBe(before);
  });

  test('SIGINT is as good', async () => {
    const before = trace();
    const router = await Fw3640.start(lab);
    expect(await router.stop('SIGINT')).toBe(0);
    expect(trace()).toBe(before);
  });

  test('a crash leaves the rules, nothing passes, the next start takes over, and its end leaves nothing', async () => {
    const before = trace();
    const router = await Fw3640.start(lab);
    expect(passes()).toBe(true);
    expect(await router.stop('SIGKILL')).toBe(137);
    expect(passes()).toBe(false);
    expect(lab.run('router', 'iptables', ['-t', 'raw', '-S'])).toContain('-j NFQUEUE');
    const next = await Fw3640.start(lab);
    expect(passes()).toBe(true);
    expect(await next.stop()).toBe(0);
    expect(trace()).toBe(before);
  });

  test('cleanup does the same for a crash after which nothing shall run', async () => {
    const before = trace();
    const router = await Fw3640.start(lab);
    const refused = fw3640(lab, 'cleanup');
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('running here already as process')]);
    await router.stop('SIGKILL');
    expect(fw3640(lab, 'cleanup').code).toBe(0);
    expect(trace()).toBe(before);
    expect(fw3640(lab, 'cleanup').stdout).toContain('nothing to remove');
  });

  test('a second one in the same place is refused and disturbs nothing', async () => {
    const router = await Fw3640.start(lab);
    const second = fw3640(lab, 'run', ...CONFIG, ...INTERFACES, '--socket', join(lab.folder, 'second.sock'));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('running here already as process');
    expect(passes()).toBe(true);
    expect(await router.stop()).toBe(0);
  });

  test('--log-format ios prints what a 3640 prints', async () => {
    const router = await Fw3640.start(lab, { args: ['--log-format', 'ios'] });
    expect(router.process.stdout).toMatch(/^\*?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{3}: %SYS-5-RESTART: /m);
    await router.stop();
  });
});

describe('misuse', () => {
  test.each([
    { name: '--help', args: ['--help'], code: 0, says: /Usage: fw3640/ },
    { name: '--version', args: ['--version'], code: 0, says: /^\d+\.\d+\.\d+$/m },
    { name: 'no command at all', args: [], code: 2, says: /Usage: fw3640/ },
    { name: 'an unknown option', args: ['run', ...CONFIG, ...INTERFACES, '--quick'], code: 2, says: /--quick/ },
    { name: 'no interface', args: ['run', ...CONFIG], code: 2, says: /--interface/ },
    { name: 'one interface', args: ['run', ...CONFIG, ...INTERFACES.slice(0, 2)], code: 2, says: /two interfaces/ },
    {
      name: 'an interface that the configuration does not have',
      args: ['run', ...CONFIG, ...INTERFACES, '--interface', 'Ethernet7/7=eth7'],
      code: 2,
      says: /Ethernet7\/7/,
    },
    {
      name: 'an interface that Linux does not have',
      args: ['run', ...CONFIG, ...INTERFACES.slice(0, 2), '--interface', 'Ethernet2/1=nosuch'],
      code: 1,
      says: /nosuch/,
    },
    { name: 'no such file', args: ['run', '--config', 'nosuch.cfg', ...INTERFACES], code: 2, says: /nosuch\.cfg/ },
    { name: 'check of 3640.cfg', args: ['check', ...CONFIG], code: 0, says: /accepted without effect/ },
  ])('$name: exit code $code', ({ args, code, says }) => {
    const done = fw3640(lab, ...args);
    expect(`${done.stdout}${done.stderr}`).toMatch(says);
    expect(done.code).toBe(code);
  });

  test('a line that IOS would not take is shown with a caret, and run refuses to start on it', () => {
    const file = join(lab.folder, 'bad.cfg');
    writeFileSync(file, 'hostname bad\ninterface Ethernet2/0\n ip adress 172.22.1.16 255.255.255.0\n');
    for (const command of [['check'], ['run', ...INTERFACES]]) {
      const done = fw3640(lab, ...command, '--config', file);
      const said = `${done.stdout}${done.stderr}`;
      expect(said).toContain(`bad.cfg:3:`);
      expect(said).toContain("% Invalid input detected at '^' marker.");
      expect(done.code).toBe(2);
    }
    expect(lab.run('router', 'iptables', ['-t', 'raw', '-S'])).not.toContain('FW3640');
  });
});
