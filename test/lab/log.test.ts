/** The log's other end stops, goes away, is full, or no descriptor is free: packets go on, and the end comes in time. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configVariant, Fw3640, fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
});
afterEach(() => lab.down());

const passes = (): boolean => lab.exec('inside', 'ping', ['-c1', '-W2', '172.22.1.10']).code === 0;
/** Of both processes. */
const residentKb = (router: Fw3640): number =>
  [router.process.child.pid!, router.dataPlane]
    .map((pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]))
    .reduce((a, b) => a + b);
/** Thousands of packets, each of which makes lines of `debug ip packet detail`. */
const traffic = (): void => void lab.run('inside', 'ping', ['-q', '-c4000', '-i0.001', '-W2', '172.22.1.10']);

/** Ends it. @returns ms that it took */
async function stop(router: { stop(signal?: NodeJS.Signals): Promise<number> }): Promise<number> {
  const began = performance.now();
  expect(await router.stop()).toBe(0);
  return performance.now() - began;
}

test('a reader that stops: memory stays bounded, packets go on, and what was lost is said when it reads again', async () => {
  const router = await Fw3640.start(lab);
  router.console('debug ip packet detail');
  const before = residentKb(router);
  router.process.child.stdout.pause();
  traffic();
  traffic();
  expect(passes()).toBe(true);
  expect(residentKb(router) - before).toBeLessThan(120_000);
  expect(router.console('show logging')).toMatch(/\((?!0 )\d+ messages dropped/);
  router.console('undebug all');
  router.process.child.stdout.resume();
  await until('the count', () => /LOGGER_DROPPED: System dropped \d+ console messages/.test(router.process.stdout));
  await router.stop();
});

test('a reader that stops does not keep the end waiting', async () => {
  const free = await Fw3640.start(lab);
  const quick = await stop(free);
  const router = await Fw3640.start(lab);
  router.console('debug ip packet detail');
  router.process.child.stdout.pause();
  traffic();
  // A third of a second; the rest is for a busy machine. It was as long as the reader liked.
  expect((await stop(router)) - quick).toBeLessThan(4000);
});

test('a reader that has gone: packets go on, the console answers, SIGTERM ends it', async () => {
  const router = await Fw3640.start(lab);
  router.process.child.stdout.destroy();
  router.console('debug ip packet detail');
  traffic();
  expect(passes()).toBe(true);
  expect(router.console('show logging')).toMatch(/\((?!0 )\d+ messages dropped/);
  await stop(router);
});

test('a full disk: packets go on, SIGTERM ends it', async () => {
  const socket = join(lab.folder, 'console.sock');
  const command =
    `exec ${process.execPath} dist/main.js run --config config/3640.cfg --socket ${socket} ` +
    '--interface Ethernet2/0=outside --interface Ethernet2/1=inside > /dev/full';
  const router = new LabProcess(lab, 'router', 'sh', ['-c', command]);
  const show = (): string => fw3640(lab, 'console', '--socket', socket, '-e', 'show logging').stdout;
  await until('the console', () => show().includes('Syslog logging'));
  fw3640(lab, 'console', '--socket', socket, '-e', 'debug ip packet detail');
  traffic();
  expect(passes()).toBe(true);
  await until('losses', () => /\((?!0 )\d+ messages dropped/.test(show()));
  await stop(router);
});

test('no free descriptor: packets go on, the log does too, and what was not sent is said', async () => {
  const config = configVariant(lab, [
    'hostname 3640-123',
    'hostname 3640-123\nlogging 172.22.1.10\nlogging trap debugging',
  ]);
  const router = await Fw3640.start(lab, { config });
  const descriptors = (n: string): void => {
    for (const pid of [router.process.child.pid!, router.dataPlane]) {
      const { uid, gid } = statSync(`/proc/${pid}`); // who may do it
      const as = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--'];
      lab.run('router', 'setpriv', [...as, 'prlimit', `--pid=${pid}`, `--nofile=${n}:`]);
    }
  };
  router.console('debug ip packet');
  descriptors('3');
  for (let n = 0; n < 3; n++) expect(passes()).toBe(true);
  // The load is looked at every five seconds, in files.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  expect(router.process.exitCode).toBeUndefined();
  expect(passes()).toBe(true);
  descriptors('1024');
  expect(router.console('show logging')).toContain('Trap logging: level debugging');
  await stop(router);
});

test('what the kernel drops while the data plane stands still is shown, and said', async () => {
  const router = await Fw3640.start(lab);
  process.kill(router.dataPlane, 'SIGSTOP');
  lab.exec('inside', 'ping', ['-q', '-c6000', '-l6000', '-W1', '172.22.1.10']);
  process.kill(router.dataPlane, 'SIGCONT');
  await router.shows('show ip inspect statistics', /lost, as the kernel's queue was full: [1-9]/);
  await until('the message', () =>
    /QUEUE_DROP: \d+ packets lost in \d+ seconds?: the kernel's queue was full/.test(router.process.stdout),
  );
  await stop(router);
});
