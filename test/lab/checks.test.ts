/** The checks of test/checks in the lab; scripts/vm-test runs the same ones in virtual machines. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { Postfix } from './support/postfix.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

const CHECKS = join(ROOT, 'test/checks');
const PATIENCE_MS = 110_000;

let lab: Lab;
let agents: LabProcess[];

beforeAll(async () => {
  lab = Lab.up();
  // Since Postfix 3.9 it refuses several commands in one segment itself, by default.
  Postfix.start(lab, 'inside', 'smtpd_forbid_unauth_pipelining = no');
  await Fw3640.start(lab);
  const node = process.execPath;
  const mailbox = join(lab.folder, 'postfix-inside/mail');
  agents = [
    new LabProcess(lab, 'inside', node, [join(CHECKS, 'inside.mjs'), 'inside', '--mailbox', mailbox]),
    new LabProcess(lab, 'inside2', node, [join(CHECKS, 'inside.mjs'), 'inside2']),
  ];
});
afterAll(() => lab.down());

test('run-checks on the machine outside: all of them pass', async () => {
  const names = lab
    .run('outside', process.execPath, [join(CHECKS, 'run-checks.mjs'), '--list'])
    .trim()
    .split('\n');
  const checks = new LabProcess(lab, 'outside', process.execPath, [join(CHECKS, 'run-checks.mjs')]);
  await until(
    () => `the checks to end: ${checks.stdout}${checks.stderr}${agents.map((agent) => agent.stderr).join('')}`,
    () => checks.exitCode !== undefined,
    PATIENCE_MS,
  );
  const failures = checks.stdout.replace(/^ok .*\n/gm, '');
  expect(failures + checks.stderr).toBe(`${names.length} passed, 0 failed\n`);
  expect(checks.exitCode).toBe(0);
});
