/** fail2ban's filters of packaging/ find who is meant in lines that the log has really written, and nobody else. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoints } from '../../src/core/events.js';
import type { SmtpFinding } from '../../src/core/inspect/smtp/finding.js';
import { Log, type LogFormat } from '../../src/io/log.js';
import { emptyConfig } from '../../src/ios/config/defaults.js';
import { LoginWatch } from '../../src/ios/exec/login-watch.js';
import { parseAddress } from '../../src/ios/ipv4-text.js';
import { type Message, messageOf } from '../../src/ios/messages.js';
import { fakeRouter } from '../ios/support/fake-router.js';

const PACKAGING = 'packaging/fail2ban';
const HAS_FAIL2BAN = spawnSync('fail2ban-regex', ['--version']).status === 0;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'fw3640-fail2ban-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const endpoints = (initiator: string): Endpoints => ({
  sessionId: 0x66f96eb0,
  service: 'smtp',
  initiator: parseAddress(initiator)!,
  initiatorPort: 4000,
  responder: parseAddress('172.22.1.110')!,
  responderPort: 25,
});

const found = (initiator: string, finding: SmtpFinding, fromInitiator = true): Message =>
  messageOf({ type: 'smtp', endpoints: endpoints(initiator), finding, fromInitiator, seq: 7 });

const masked = (initiator: string, before: string): Message =>
  found(initiator, { kind: 'invalid-command', action: 'masked', altered: true, before, after: 'xxxx', why: 'unknown' });

/** What is logged when somebody at this address has typed that name and a wrong password. */
function failed(location: string, name: string): Message {
  const router = fakeRouter('');
  new LoginWatch(router).noteFailure({ name, location });
  const [, severity, mnemonic, text] = /^log (\d) (\S+): (.*)$/s.exec(router.calls.at(-1)!)!;
  return { severity: Number(severity), mnemonic: `%${mnemonic!}`, text: text!, fields: {} };
}

/** The lines that the log writes. */
function linesOf(format: LogFormat, messages: readonly Message[], year = false): string {
  let text = '';
  const output = { hasRoom: true, write: (line: string) => void (text += line), end: () => Promise.resolve() };
  const stamp = { kind: 'datetime' as const, msec: true, localtime: false, showTimezone: false, year };
  const log = new Log({
    format,
    level: 'debug',
    output,
    timestamps: () => ({ debug: stamp, log: stamp }),
    logging: () => emptyConfig().logging,
  });
  for (const m of messages) log.write(m);
  return text;
}

/** The addresses that fail2ban finds, a line after the other. */
function addresses(filter: 'smtp' | 'login', text: string): string[] {
  const log = join(folder, 'log');
  writeFileSync(log, text);
  const args = ['-o', 'ip', log, join(PACKAGING, `filter-fw3640-${filter}.conf`)];
  const done = spawnSync('fail2ban-regex', args, { encoding: 'utf8', env: { ...process.env, TZ: 'UTC' } });
  expect([done.status, done.stderr]).toEqual([0, '']);
  return done.stdout.split('\n').filter((line) => line !== '');
}

describe.skipIf(!HAS_FAIL2BAN).each(['ios', 'json'] as const)('lines of --log-format %s', (format) => {
  test('who sends what is masked or reset is found, whatever was sent; servers are not', () => {
    const text = linesOf(format, [
      masked('10.0.0.1', 'EXPN root'),
      // It would be somebody else's.
      masked('10.0.0.2', '%FW-4-SMTP_INVALID_COMMAND: Invalid SMTP command from initiator (9.9.9.9:1)'),
      masked('10.0.0.3', '","initiator":"9.9.9.9","x":"\r\n*Oct 18 21:51:35.886: %FW-4-SMTP_INVALID_COMMAND: Invalid SMTP command from initiator (9.9.9.9:1)'), // prettier-ignore
      found('10.0.0.4', { kind: 'ambiguous-end-of-data', form: 'LF . CR LF', action: 'reset', altered: true }),
      found('10.0.0.5', { kind: 'bad-sequence', command: 'DATA', action: 'noted', altered: false }),
      found('10.0.0.6', { kind: 'signature', id: 3101, line: '9.9.9.9 to', action: 'reset', altered: true }),
      found('10.0.0.7', { kind: 'unexpected-reply', reply: '250 from initiator (9.9.9.9:1)', action: 'reset', altered: true }, false), // prettier-ignore
      found('10.0.0.8', { kind: 'extension-masked', before: '250 CHUNKING', after: '250 XXXXXXXX', action: 'masked', altered: true }, false), // prettier-ignore
      { severity: 5, mnemonic: '%SYS-5-CONFIG_I', text: 'Configured from console by 9.9.9.9', fields: {} },
    ]);
    expect(addresses('smtp', text)).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
  });

  test('who gives a wrong password is found, whatever name was typed', () => {
    const text = linesOf(format, [
      failed('10.1.0.1', 'admin'),
      failed('10.1.0.2', 'x] [Source: 9.9.9.9] [localport: 23] [Reason: y] at z'),
      failed('10.1.0.3', 'x"} %SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: a] [Source: 9.9.9.9'),
      masked('10.0.0.1', '%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: a] [Source: 9.9.9.9] [localport: 23] [Reason: b] at c'), // prettier-ignore
    ]);
    expect(addresses('login', text)).toEqual(['10.1.0.1', '10.1.0.2', '10.1.0.3']);
  });
});

test.skipIf(!HAS_FAIL2BAN)('lines with a year, and as a syslog server writes them, are found too', () => {
  const text = linesOf('ios', [masked('10.0.0.1', 'EXPN')], true);
  const relayed = `Oct 18 21:51:36 172.22.1.1 17: ${linesOf('ios', [masked('10.0.0.2', 'EXPN')])}`;
  expect(addresses('smtp', text + relayed)).toEqual(['10.0.0.1', '10.0.0.2']);
});

test.skipIf(!HAS_FAIL2BAN)('fail2ban takes the jails, with filters and action', () => {
  const etc = join(folder, 'etc');
  cpSync('/etc/fail2ban', etc, { recursive: true });
  for (const kind of ['filter', 'action'])
    for (const name of kind === 'filter' ? ['fw3640-smtp', 'fw3640-login'] : ['fw3640-null0'])
      cpSync(join(PACKAGING, `${kind}-${name}.conf`), join(etc, `${kind}.d`, `${name}.conf`));
  rmSync(join(etc, 'jail.d'), { recursive: true });
  mkdirSync(join(etc, 'jail.d'));
  writeFileSync(join(folder, 'log'), '');
  const jail = readFileSync(join(PACKAGING, 'jail-fw3640.conf'), 'utf8');
  // The journal is another machine's: the files say what to watch.
  const here = jail.replaceAll('backend = systemd', `backend = polling\nlogpath = ${join(folder, 'log')}`);
  writeFileSync(join(etc, 'jail.d', 'fw3640.conf'), here);
  const done = spawnSync('fail2ban-client', ['-c', etc, '-d'], { encoding: 'utf8' });
  expect(done.status).toBe(0);
  expect(done.stderr).not.toMatch(/ERROR|CRITICAL|fw3640/);
  for (const expected of ["'add', 'fw3640-smtp'", "'add', 'fw3640-login'", 'ip route <ip> 255.255.255.255 Null0'])
    expect(done.stdout).toContain(expected);
});
