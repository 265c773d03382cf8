/** All that keeps the control plane busy at once: packets go on meanwhile. How long they wait: scripts/bench pauses. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

const LINES = 10_000;
/** Two seconds on a quiet machine, beside the rest. */
const READ_MS = 45_000;
const MAIN = join(ROOT, 'dist/main.js');

let lab: Lab;
let file: string;
beforeAll(() => {
  lab = Lab.up();
  file = join(lab.folder, 'long.cfg');
});
afterAll(() => lab.down());

/** config/3640.cfg with a list of 10,000 entries; in each round they are others. */
function write(round: number): void {
  const text = readFileSync(join(ROOT, 'config/3640.cfg'), 'utf8').replace(/\nend\s*$/, '');
  const entry = (i: number): string =>
    `access-list 150 permit tcp any host 10.20.${i >> 8}.${i & 255} eq ${1000 + round}`;
  const list = Array.from({ length: LINES }, (_, i) => entry(i));
  writeFileSync(file, [text, ...list, `hostname round${round}`, 'end', ''].join('\n'));
}

/** Milliseconds of each answered ping, the shortest first. */
const roundTrips = (text: string): number[] =>
  Array.from(text.matchAll(/time=([\d.]+) ms/g), ([, ms]) => Number(ms)).toSorted((a, b) => a - b);

test('a console that shows everything again and again, a log that nobody reads, 10,000 other lines in force: no ping is lost', async () => {
  write(0);
  const router = await Fw3640.start(lab, { config: file });
  const socket = join(lab.folder, 'console.sock');
  const show = Array.from({ length: 1000 }, () => ['-e', 'show tech-support']).flat();
  router.console('debug ip packet detail');
  router.process.child.stdout.pause();
  // Thousands of packets, each of which makes lines.
  for (let n = 0; n < 2; n++) lab.run('inside', 'ping', ['-q', '-c4000', '-i0.001', '-W2', '172.22.1.10']);
  const console = new LabProcess(lab, 'router', process.execPath, [MAIN, 'console', '--socket', socket, ...show]);
  const ping = new LabProcess(lab, 'inside', 'ping', ['-i0.01', '172.22.1.10']);
  for (let round = 1; round <= 2; round++) {
    write(round);
    router.process.child.kill('SIGHUP');
    const known = (): string => router.console('show running-config | include ^hostname');
    await until(`round ${round}`, () => known().includes(`round${round}`), READ_MS);
  }
  await until('a console that is at work', () => console.stdout.includes('show ip inspect statistics'));
  await ping.stop('SIGINT');
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(ping.stdout)!;
  // The last one may still be on its way.
  expect(Number(sent) - Number(received)).toBeLessThanOrEqual(1);
  const times = roundTrips(ping.stdout);
  expect(times.length).toBeGreaterThan(100);
  // On a quiet machine all of them; where others have the processors, some wait for these.
  expect(times[times.length >> 1]).toBeLessThan(5);
  expect(router.console('show access-lists 150')).toContain('eq 1002');
  expect(router.console('show logging')).toMatch(/\((?!0 )\d+ messages dropped/);
  router.process.child.stdout.resume();
  expect(await router.stop()).toBe(0);
});
