/** The life of `fw3640 run`: it starts, it is stopped, it crashes, it is misused. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configVariant, Fw3640, fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

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
    'ip -4 -brief address; ip -4 route; ip -4 rule; iptables-save | grep "^-"; ip6tables -S; cat /proc/sys/net/ipv4/conf/*/forwarding',
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
    await router.kill();
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
    expect(passes()).toBe(true); // its data plane is at work still
    const removed = fw3640(lab, 'cleanup');
    expect([removed.code, removed.stdout]).toEqual([0, expect.stringMatching(/^removed data plane \d+\nremoved /)]);
    expect(passes()).toBe(false);
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

  test('SIGHUP sets right what somebody has changed on the host', async () => {
    const before = trace();
    const router = await Fw3640.start(lab);
    const made = trace();
    lab.run('router', 'iptables', ['-t', 'raw', '-F', 'FW3640']);
    lab.run('router', 'ip', ['address', 'del', '172.22.1.111/32', 'dev', 'outside']);
    router.process.child.kill('SIGHUP');
    await router.logged('%SYS-5-CONFIG_I', /by SIGHUP/);
    expect(trace()).toBe(made);
    expect(passes()).toBe(true);
    expect(await router.stop()).toBe(0);
    expect(trace()).toBe(before);
  });

  test('thousands of translations and entries: each line typed and the file read again, and no ping is lost', async () => {
    const many = (line: (i: number) => string) => Array.from({ length: 2000 }, (_, i) => line(i)).join('\n');
    const config = configVariant(
      lab,
      [' ip address 172.22.1.16 255.255.255.0', ' ip address 172.22.1.16 255.255.0.0'],
      [
        'control-plane',
        `${many((i) => `ip nat inside source static 10.10.${20 + (i >> 8)}.${i & 255} 172.22.${20 + (i >> 8)}.${i & 255}`)}
${many((i) => `access-list 101 permit tcp any host 172.22.${20 + (i >> 8)}.${i & 255} eq 443`)}
control-plane`,
      ],
    );
    const before = trace();
    const router = await Fw3640.start(lab, { config });
    const ping = new LabProcess(lab, 'inside', 'ping', ['-n', '-i', '0.01', '172.22.1.10']);
    router.console('configure terminal', 'hostname other', 'no access-list 7', 'access-list 7 permit any', 'end');
    router.console('configure terminal', 'ip nat inside source static 10.10.9.9 172.22.9.9', 'end');
    expect(lab.run('router', 'ip', ['-4', 'address', 'show', 'dev', 'outside'])).toContain(' 172.22.9.9/32 ');
    router.process.child.kill('SIGHUP');
    await router.logged('%SYS-5-CONFIG_I', /by SIGHUP/);
    expect(lab.run('router', 'ip', ['-4', 'address', 'show', 'dev', 'outside'])).not.toContain(' 172.22.9.9/32 ');
    await ping.stop('SIGINT');
    // Those behind the last answer were on their way when it was stopped: on a busy machine several.
    const answered = [...ping.stdout.matchAll(/icmp_seq=(\d+) /g)].map((m) => Number(m[1]));
    expect(answered.length).toBeGreaterThan(100);
    expect(answered).toEqual(Array.from(answered, (_, i) => i + 1));
    expect(await router.stop()).toBe(0);
    expect(trace()).toBe(before);
  });

  test('--log-format ios prints what a 3640 prints', async () => {
    const router = await Fw3640.start(lab, { args: ['--log-format', 'ios'] });
    expect(router.process.stdout).toMatch(/^\*?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{3}: %SYS-5-RESTART: /m);
    await router.stop();
  });
});

describe('a file that is not what was meant', () => {
  const OPEN = 'access list 150 is not defined: all packets are permitted in on Ethernet2/0';

  test('a list that is applied and not defined is said by check, at the start and at SIGHUP', async () => {
    const config = configVariant(lab, [' ip access-group 101 in', ' ip access-group 150 in']);
    const line = readFileSync(config, 'utf8').split('\n').indexOf(' ip access-group 150 in') + 1;
    const checked = fw3640(lab, 'check', '--config', config, ...INTERFACES);
    expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining(`:${line}:1: warning: % ${OPEN}`)]);
    expect(fw3640(lab, 'check', '--strict', '--config', config, ...INTERFACES).code).toBe(2);
    const router = await Fw3640.start(lab, { config });
    const said = () => router.log.filter((l) => l.mnemonic === '%PARSER-3-UNDEFINED').map((l) => [l['line'], l.msg]);
    const once = [line, `%PARSER-3-UNDEFINED: ${OPEN}`];
    expect(said()).toEqual([once]);
    router.process.child.kill('SIGHUP');
    await router.logged('%SYS-5-CONFIG_I', /by SIGHUP/);
    await until('it to be said again', () => said().length === 2);
    expect(said()).toEqual([once, once]);
    expect(await router.stop()).toBe(0);
  });

  test('a file that was cut changes nothing at SIGHUP, and does not start', async () => {
    const config = configVariant(lab);
    const whole = readFileSync(config, 'utf8');
    const router = await Fw3640.start(lab, { config });
    const before = router.console('show running-config');
    for (const part of [0.1, 0.9]) {
      writeFileSync(config, whole.replace('hostname 3640-123', 'hostname other').slice(0, whole.length * part));
      const lines = router.log.length;
      router.process.child.kill('SIGHUP');
      const said = (): string[] => router.log.slice(lines).map((l) => l.msg);
      await until(
        () => `it to be refused:\n${said().join('\n')}`,
        () => said().some((m) => /^%SYS-3-CONFIG: .*; the configuration stays as it is$/.test(m)),
      );
      expect(said()).toContainEqual(expect.stringMatching(/^%SYS-3-CONFIG: .*The file ends before its 'end'/));
      expect(router.console('show running-config')).toBe(before);
      expect(passes()).toBe(true);
      const started = fw3640(lab, 'run', '--config', config, ...INTERFACES);
      expect([started.code, started.stderr]).toEqual([2, expect.stringContaining("The file ends before its 'end'")]);
    }
    writeFileSync(config, whole.replace('hostname 3640-123', 'hostname other'));
    router.process.child.kill('SIGHUP');
    await router.logged('%SYS-5-CONFIG_I', /by SIGHUP/);
    expect(router.console('show running-config')).toContain('\nhostname other\n');
    expect(await router.stop()).toBe(0);
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
