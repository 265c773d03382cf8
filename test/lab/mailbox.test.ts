/** `ip inspect name OUT-IN pop3` and `imap` between Dovecot and Python's clients, with 3640.cfg and two rules more. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configWith } from './support/config.js';
import { Dovecot, PASSWORD, USER } from './support/dovecot.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { openTcp } from './support/tcp.js';

/** inside2 as it is known outside. */
const SERVER = '172.22.1.111';
const CLIENT = join(import.meta.dirname, 'support/agents/mailbox.py');

const HEADER = 'From: a@client.test\nTo: fred@example.test\nSubject: x\n\n';
/** What a careless inspector would take for something else, and a mail of many segments. */
const MAILS = [
  `${HEADER}.\n..\n.QUIT\na OK STARTTLS\n* OK [CAPABILITY LITERAL+]\n+OK\n-ERR\n+ \nbytes \xe4\xff {7}\n{300+}\n`,
  HEADER + Array.from({ length: 6_000 }, (_, i) => `${i}.${'\xe9x\x7f '.repeat(i % 17)}\n`).join(''),
].map((text) => Buffer.from(text, 'latin1'));
/** As it is on the wire. */
const sent = (mail: Buffer): Buffer => Buffer.from(mail.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');

let lab: Lab;
let router: Fw3640;

beforeAll(async () => {
  lab = Lab.up();
  const dovecot = await Dovecot.start(lab, 'inside2');
  MAILS.forEach((mail) => dovecot.put(mail));
  router = await Fw3640.start(lab, {
    config: configWith(
      lab,
      'ip inspect name OUT-IN pop3 secure-login reset\nip inspect name OUT-IN imap',
      `access-list 101 permit tcp any host ${SERVER} eq 110`,
      `access-list 101 permit tcp any host ${SERVER} eq 143`,
    ),
  });
});
afterAll(() => lab.down());

/** All mails of the mailbox, sorted by their bytes. */
function read(protocol: 'pop3' | 'imap', login: string, appended: readonly Buffer[] = []): Buffer[] {
  const input = appended.map((mail) => `${mail.toString('base64')}\n`).join('');
  const lines = lab.run('outside', 'python3', [CLIENT, protocol, SERVER, login, USER, PASSWORD], input);
  return sorted(
    lines
      .trim()
      .split('\n')
      .map((line) => Buffer.from(line, 'base64')),
  );
}
const sorted = (mails: readonly Buffer[]): Buffer[] => [...mails].sort((a, b) => Buffer.compare(a, b));

/** The router has said nothing of a violation up to now. */
function quiet(): void {
  expect(router.log.filter((l) => /_(INVALID|NON_SECURE)/.test(l.mnemonic))).toEqual([]);
}

describe('a client that keeps to the protocol reads its mails byte by byte', () => {
  test.each([
    ['pop3', 'apop'],
    ['pop3', 'tls'],
    ['imap', 'plain'],
    ['imap', 'cram'],
    ['imap', 'tls'],
  ] as const)('%s, login %s', (protocol, login) => {
    expect(read(protocol, login)).toEqual(sorted(MAILS.map(sent)));
    quiet();
  });

  test('imap: what it appends arrives as it was', () => {
    const mail = Buffer.from(`Subject: y\r\n\r\nb EVIL\r\n{3+}\r\n${'z'.repeat(100_000)}\r\n`);
    expect(read('imap', 'plain', [mail])).toEqual(sorted([...MAILS.map(sent), mail]));
    quiet();
  });
});

test('pop3 secure-login reset: a password in the clear does not arrive, both ends are reset, and the log has none of it', async () => {
  const client = await openTcp(lab, 'outside', SERVER, 110);
  await client.receive(/^\+OK .*\r\n/);
  client.write(`USER ${USER}\r\n`);
  expect(await client.gone()).toBe('ECONNRESET');
  const line = await router.logged('%FW-5-POP3_NON_SECURE_LOGIN');
  expect(line.msg).toMatch(/: LOGON POP3 command from initiator \(.*\): USER$/);
  expect(line).toMatchObject({ why: 'USER', kind: 'insecure-login', reset: true });
  expect(router.process.stdout).not.toContain(USER);
});

test('pop3 reset: an illegal command ends the session', async () => {
  const client = await openTcp(lab, 'outside', SERVER, 110);
  await client.receive(/^\+OK .*\r\n/);
  client.write('EVIL x\r\n');
  expect(await client.gone()).toBe('ECONNRESET');
  await router.logged('%FW-5-POP3_INVALID_COMMAND', /Invalid POP3 command from initiator \(.*\): Invalid verb$/);
});

test.each([
  ['an illegal command', 'a EVIL\r\n', 'Invalid verb'],
  ['a command behind STARTTLS in one segment', 'a STARTTLS\r\nb NOOP\r\n', 'Data ahead of the reply'],
  ['a bare LF', 'a NOOP\nb NOOP\r\n', 'Bare CR, LF or NUL'],
])('imap: %s never arrives, and ends the session', async (_, text, why) => {
  const client = await openTcp(lab, 'outside', SERVER, 143);
  const [greeting] = await client.receive(/^\* OK .*\r\n/);
  client.write(text);
  await router.logged('%FW-5-IMAP_INVALID_COMMAND', new RegExp(`initiator .*: ${why}$`));
  await router.shows('show ip inspect sessions', /^(?![^]*imap)/);
  expect(client.text).toBe(greeting);
  client.reset();
});

test('imap: Dovecot offers LITERAL+, and a client may use it', async () => {
  const client = await openTcp(lab, 'outside', SERVER, 143);
  const [greeting] = await client.receive(/^\* OK .*\r\n/);
  expect(greeting).toContain('LITERAL+');
  client.write(`a LOGIN {${USER.length}+}\r\n${USER} {${PASSWORD.length}+}\r\n`);
  client.write(`${PASSWORD}\r\nb LOGOUT\r\n`);
  await client.receive(/^a OK .*\r\n[^]*b OK /m);
});
