/**
 * The units of systemd, their commands run by hand in the order in which systemd runs them (man systemd.service): a lab
 * has no systemd of its own. scripts/vm-test has the real one.
 */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

const INSTALLED = '/usr/local/lib/fw3640';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
  // As the box would be without us: Linux forwards.
  lab.run('router', 'sh', [
    '-c',
    `ip address add 172.22.1.16/24 dev outside; ip address add 10.10.10.1/24 dev inside
     ip link set outside up; ip link set inside up; sysctl -qw net.ipv4.ip_forward=1`,
  ]);
});
afterEach(() => lab.down());

const unit = (name: string): string =>
  readFileSync(join(ROOT, 'packaging', name), 'utf8').replaceAll(INSTALLED, ROOT).replaceAll('/usr/local/bin/fw3640', process.execPath); // prettier-ignore

/** Runs the command of a key of fw3640-closed.service, while systemd has a job of this type for the unit. */
function closed(key: 'ExecStart' | 'ExecStop' | 'ExecReload', job: 'start' | 'stop' | 'restart' | 'reload'): void {
  const [, command] = new RegExp(`^${key}=(.*)$`, 'm').exec(unit('fw3640-closed.service')) ?? [];
  const bin = jobOf('fw3640-closed.service', job);
  lab.run('router', 'env', [
    'FW3640_INTERFACES=--interface Ethernet2/0=outside --interface Ethernet2/1=inside',
    `PATH=${bin}:${process.env['PATH'] ?? ''}`,
    ...command!.split(' '),
  ]);
}

const restart = (): void => {
  closed('ExecStop', 'restart');
  closed('ExecStart', 'restart');
};

/** Pings to an inside host that list 101 denies, and that Linux would forward. @returns how many were answered */
class Forbidden {
  readonly #process = new LabProcess(lab, 'outside', 'ping', ['-q', '-i', '0.005', '10.10.10.2']);
  async answered(): Promise<number> {
    await this.#process.stop('SIGINT');
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(this.#process.stdout) ?? [];
    expect(Number(sent)).toBeGreaterThan(50);
    return Number(received);
  }
}
const answersOutside = (): boolean => lab.exec('inside', 'ping', ['-c1', '-W1', '172.22.1.10']).code === 0;

const SYSTEMD = spawnSync('systemd-analyze', ['--version']).status === 0;

test.skipIf(!SYSTEMD)('systemd finds no fault in the units', () => {
  const names = ['fw3640-closed.service', 'fw3640.service'];
  for (const name of names) writeFileSync(join(lab.folder, name), unit(name));
  const done = spawnSync('systemd-analyze', ['verify', ...names.map((name) => join(lab.folder, name))], {
    encoding: 'utf8',
  });
  // Of our units alone: this machine may have others.
  expect(done.stderr.split('\n').filter((l) => l.includes('fw3640'))).toEqual([]);
});

test.skipIf(!SYSTEMD)('the unit may do little: systemd counts less than 2.0 of 10', () => {
  const path = join(lab.folder, 'fw3640.service');
  writeFileSync(path, unit('fw3640.service'));
  const done = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', path], { encoding: 'utf8' });
  expect(Number(/exposure level .*: ([\d.]+)/.exec(done.stdout)?.[1])).toBeLessThan(2);
});

/** In place of systemctl: there is a job of this type. @returns the folder that it is in */
function jobOf(unitName: string, job: string): string {
  const bin = join(lab.folder, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "1 ${unitName} ${job} running"\n`);
  chmodSync(join(bin, 'systemctl'), 0o755);
  return bin;
}

test.each([
  { job: 'stop', signal: 'TERM' },
  { job: 'restart', signal: 'USR1' },
])('ExecStop of fw3640.service in a $job job sends SIG$signal, and waits for the end', async ({ job, signal }) => {
  const traps = 'for s in TERM USR1; do trap "echo $s; exit" $s; done; echo ready; while :; do sleep 0.02; done';
  const main = new LabProcess(lab, 'router', 'sh', ['-c', traps]);
  await until('it to run', () => main.stdout.includes('ready'));
  const [, command] = /^ExecStop=\+(.*)$/m.exec(unit('fw3640.service')) ?? [];
  const args = command!.replace('$MAINPID', String(main.child.pid)).split(' ');
  lab.run('router', 'env', [`PATH=${jobOf('fw3640.service', job)}:${process.env['PATH'] ?? ''}`, ...args]);
  await until('what it was sent', () => main.stdout === `ready\n${signal}\n`);
});

describe('fw3640-closed.service', () => {
  test('is restarted, reloaded and restarted again, and nothing crosses meanwhile', async () => {
    closed('ExecStart', 'start');
    expect(answersOutside()).toBe(false);
    const forbidden = new Forbidden();
    for (let i = 0; i < 5; i++) {
      restart();
      closed('ExecReload', 'reload');
    }
    expect(await forbidden.answered()).toBe(0);
  });

  test('and fw3640 are restarted, as an upgrade does: nothing forbidden passes, and what is permitted passes again', async () => {
    closed('ExecStart', 'start');
    let router = await Fw3640.start(lab);
    expect(answersOutside()).toBe(true);
    const forbidden = new Forbidden();
    for (let i = 0; i < 2; i++) {
      expect(await router.stop()).toBe(0); // it requires the other unit: it stops first and starts last
      restart();
      router = await Fw3640.start(lab);
      expect(answersOutside()).toBe(true);
    }
    await router.kill(); // a crash, and the lock is restarted before the router
    restart();
    expect(answersOutside()).toBe(false);
    router = await Fw3640.start(lab);
    expect(answersOutside()).toBe(true);
    expect(await forbidden.answered()).toBe(0);
    expect(await router.stop()).toBe(0);
    expect(answersOutside()).toBe(false); // the other unit is still there
  });

  test('is stopped: the box is an open Linux again, with no rule of ours left', () => {
    const rules = (): string => lab.run('router', 'sh', ['-c', 'ip rule; iptables-save; ip6tables-save']);
    const ours = /FW3640|^36\d\d:/m;
    closed('ExecStart', 'start');
    expect(rules()).toMatch(ours);
    closed('ExecStop', 'stop');
    expect(rules()).not.toMatch(ours);
    expect(answersOutside()).toBe(true);
  });
});
