/** The real netmiko logs in by telnet, looks, configures and saves, as it does with a 3640. scripts/setup installs it. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';

/** Debian's interpreter, which sees Debian's packages. */
const PYTHON = '/usr/bin/python3';
const VTY_PORT = '2323';

/** @returns undefined, or why there is no netmiko here */
function whyNoNetmiko(): string | undefined {
  const { status, stderr, error } = spawnSync(PYTHON, ['-c', 'import netmiko'], { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim().split('\n').at(-1));
}

const missing = whyNoNetmiko();
describe.skipIf(missing !== undefined)(missing === undefined ? 'netmiko' : `netmiko (skipped: ${missing})`, () => {
  let lab: Lab;
  let config: string;
  let seen: Record<string, string | boolean>;

  beforeAll(async () => {
    lab = Lab.up();
    config = configVariant(lab, [
      'end',
      'enable secret s3cret\nusername robot password 0 r0b0t\nline vty 0 4\n login local\nend',
    ]);
    await Fw3640.start(lab, { config, args: ['--vty', VTY_PORT] });
    const script = join(import.meta.dirname, 'support/netmiko_session.py');
    seen = JSON.parse(lab.run('router', PYTHON, [script, VTY_PORT, 'robot', 'r0b0t', 's3cret'])) as typeof seen;
  }, 180_000);
  afterAll(() => lab.down());

  test('finds the prompt and becomes privileged', () =>
    expect([seen.prompt, seen.enabled]).toEqual(['3640-123>', true]));

  test('gets the whole of what a command prints, without what was typed and without the prompt', () => {
    expect(seen.version).toMatch(/^IOS \(tm\) 3600 Software .* Version 12\.3,/m);
    expect(seen.running).toMatch(/^Building configuration\.\.\.\n/);
    expect(seen.running).toMatch(/\nend$/);
    expect(seen.wrong).toMatch(/^ +\^\n% Invalid input detected at '\^' marker\.\n$/);
  });

  test('configures, leaves configuration, saves', () => {
    expect(seen.configured).toContain('Enter configuration commands, one per line.  End with CNTL/Z.');
    expect(seen['left configuration']).toBe(true);
    expect(seen.saved).toContain('[OK]');
    expect(seen.interface).toContain(' description set by netmiko\n');
    expect(readFileSync(config, 'utf8')).toContain(' description set by netmiko\n');
  });
});
