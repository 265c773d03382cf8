/** `reload` and `write erase` of a router that forwards: what is gone, what stays, and that nothing passes uninspected. */
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configWith } from './support/config.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { smtpServer } from './support/smtp-server.js';
import { openTcp } from './support/tcp.js';
import { until } from './support/until.js';

let lab: Lab;
let router: Fw3640;
let config: string;
beforeAll(async () => {
  lab = Lab.up();
  config = configWith(lab, 'ip inspect name OUT-IN smtp');
  router = await Fw3640.start(lab, { config });
});
afterAll(() => lab.down());

test('reload: the startup-config is in force, sessions are reset, terminals hung up, counters at nothing', async () => {
  await smtpServer(lab);
  const client = await openTcp(lab, 'outside', '172.22.1.110', 25);
  await client.receive(/^220 .*\r\n/);
  router.console('configure terminal', 'hostname unsaved', 'end', 'debug ip nat');
  expect(router.console('show access-lists')).toMatch(/ match/);
  // Nobody is there to say whether to save: all goes on.
  expect(() => router.console('reload')).toThrow(/Save\? \[yes\/no\]/);
  expect(router.console('show ip inspect sessions')).toContain('SIS_OPEN');

  const terminal = connect(join(lab.folder, 'console.sock'));
  terminal.write('{"mode":"terminal","rows":0,"columns":80}\n');
  let closed = false;
  let screen = '';
  terminal.on('data', (bytes) => (screen += bytes.toString()));
  terminal.on('close', () => (closed = true));
  await until(
    () => `a prompt: ${screen}`,
    () => screen.includes('unsaved>'),
  );
  terminal.write('enable\rcisco123\rreload cables\rno\r\r');
  await until(
    () => `the end of the terminal: ${screen}`,
    () => closed,
  );
  await router.logged('%SYS-5-RELOAD', /: Reload requested by console\. Reload Reason: cables\.$/);
  await client.gone();
  expect(router.console('show version')).toMatch(/^3640-123 uptime is 0 minutes\nSystem returned to ROM by reload$/m);
  expect(router.console('show ip inspect sessions')).toBe('');
  expect(router.console('show access-lists')).not.toContain('match');
  expect(router.console('show debugging')).toBe('');
  expect((await openTcp(lab, 'outside', '172.22.1.110', 25)).closed).toBeUndefined();
});

test('write erase puts the file aside; a reload without one changes nothing', async () => {
  const text = readFileSync(config, 'utf8');
  expect(router.console('write erase')).toContain('[OK]\nErase of nvram: complete\n');
  expect([existsSync(config), readFileSync(`${config}.erased`, 'utf8')]).toEqual([false, text]);
  await router.logged('%HOST-6-NOTE', /is kept as .*\.erased$/);
  expect(router.console('show startup-config')).toBe('startup-config is not present\n');
  expect(() => router.console('reload')).toThrow(/Save\? \[yes\/no\]/);
  expect(router.console('show running-config')).toContain('hostname 3640-123');
  router.console('write memory');
  expect(readFileSync(config, 'utf8')).toContain('hostname 3640-123');
});
