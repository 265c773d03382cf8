/** `--log-file`, moved away by the real logrotate with packaging's file: no line is lost, none is there twice. */
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fw3640, fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { until } from './support/until.js';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
});
afterEach(() => lab.down());

const HAS_LOGROTATE = spawnSync('logrotate', ['--version']).status === 0;

test.skipIf(!HAS_LOGROTATE)(
  'logrotate moves it away while lines are written: each is in one file, whole and once',
  async () => {
    const logFile = join(lab.folder, 'fw3640.log');
    const router = await Fw3640.start(lab, { logFile, args: ['--log-format', 'ios'] });
    expect(statSync(logFile).mode & 0o777).toBe(0o640);
    const conf = join(lab.folder, 'logrotate.conf');
    const text = readFileSync('packaging/logrotate', 'utf8')
      .replace('/var/log/fw3640/fw3640.log', logFile)
      .replace('su fw3640 fw3640', 'su root root')
      .replace(/systemctl kill .*/, `kill -USR2 ${router.process.child.pid!}`)
      .replace('delaycompress', 'nocompress')
      .replace(/^ {4}compress$/m, '');
    writeFileSync(conf, text);
    chmodSync(conf, 0o644);
    chmodSync(lab.folder, 0o755);
    router.console('debug ip packet');
    let pings = 0;
    for (let turn = 0; turn < 3; turn++) {
      const ping = lab.spawn('inside', 'ping', ['-q', '-c100', '-i0.002', '-W2', '172.22.1.10']);
      const rotated = spawnSync('logrotate', ['-f', '-s', join(lab.folder, 'state'), conf], { encoding: 'utf8' });
      expect([rotated.status, rotated.stderr]).toEqual([0, '']);
      await until('the pings to end', () => ping.exitCode !== null);
      pings += 100;
    }
    router.console('undebug all');
    const whole = (): string[] =>
      readdirSync(lab.folder)
        .filter((name) => name.startsWith('fw3640.log'))
        .sort()
        .reverse() // .3 is the oldest
        .flatMap((name) => readFileSync(join(lab.folder, name), 'utf8').split('\n').slice(0, -1));
    await router.stop();
    const lines = whole();
    // Each ping is told of twice: as it goes and as its answer comes.
    const told = lines.filter((line) => /IP: .*172\.22\.1\.10\b/.test(line));
    expect(told.length).toBe(2 * pings);
    expect(lines.filter((line) => !/^\*?\w{3} [ \d]\d .*: \S/.test(line))).toEqual([]);
    const last = readFileSync(logFile, 'utf8');
    expect(last).toContain('SIGTERM: the router stops');
  },
);

test('a log file that cannot be opened is refused before anything is set up', () => {
  const args = [
    '--config',
    'config/3640.cfg',
    '--interface',
    'Ethernet2/0=outside',
    '--interface',
    'Ethernet2/1=inside',
  ];
  const done = fw3640(lab, 'run', ...args, '--log-file', '/nosuch/folder/x.log');
  expect(done.code).toBe(2);
  expect(done.stderr).toMatch(/^fw3640: --log-file: ENOENT/);
});

test('the action of fail2ban shuts a host out, and lets it in again', async () => {
  const router = await Fw3640.start(lab);
  const answers = (): boolean => lab.exec('outside', 'ping', ['-c1', '-W1', '172.22.1.110']).code === 0;
  const action = readFileSync('packaging/fail2ban/action-fw3640-null0.conf', 'utf8');
  const does = (name: string): void => {
    const [, command] = new RegExp(`^${name} = (.*)$`, 'm').exec(action)!;
    const words = command!
      .replace('<fw3640>', `${process.execPath} ${join(process.cwd(), 'dist/main.js')}`)
      .replace('<socket>', join(lab.folder, 'console.sock'))
      .replace('<ip>', '172.22.1.10');
    lab.run('router', 'sh', ['-c', words]);
  };
  const before = router.console('show ip route');
  does('actionban');
  expect(router.console('show ip route')).toMatch(/172\.22\.1\.10\/32.*Null0|172\.22\.1\.10 .*Null0/);
  expect(answers()).toBe(false);
  does('actionunban');
  expect(router.console('show ip route')).toBe(before);
  expect(await router.stop()).toBe(0);
});
