/** SMTP inspection between kernels, at a server that shows what it was sent: what the client got, what bytes the server received, what the log said. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { smtpServer } from './support/smtp-server.js';
import { openTcp, type Connection, type TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

const MAIL = '172.22.1.110';

let lab: Lab;
let router: Fw3640;
beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab);
});
afterAll(() => lab.down());

let server: TcpServer;
let client: Connection;
let accepted: Connection;

beforeEach(async () => {
  server = await smtpServer(lab);
  client = await openTcp(lab, 'outside', MAIL, 25);
  accepted = await server.connection(1);
  await client.receive(/^220 .*\r\n/);
});
afterEach(() => server.close());

/** Says a line and waits for its reply. @returns the code of the reply */
async function say(line: string): Promise<string> {
  const before = client.text.length;
  client.write(`${line}\r\n`);
  await until(
    () => `a reply to ${line}; so far ${client.text.slice(before)}`,
    () => /^\d{3} .*\r\n/.test(client.text.slice(before)),
  );
  return client.text.slice(before, before + 3);
}

test('the twelve legal commands pass as they are, in either case', async () => {
  const dialogue = [
    'HELO client.test',
    'noop',
    'HELP',
    'VRFY root',
    'RSET',
    'SEND FROM:<a@b.test>',
    'RSET',
    'SOML FROM:<a@b.test>',
    'RSET',
    'SAML FROM:<a@b.test>',
    'RSET',
    'Mail From:<a@b.test>',
    'RCPT TO:<c@d.test>',
    'DATA',
  ];
  for (const line of dialogue) expect(await say(line), line).toMatch(/^[23]/);
  expect(await say('A line of data\r\n.')).toBe('250');
  expect(await say('QUIT')).toBe('221');
  expect(accepted.text).toBe([...dialogue, 'A line of data', '.', 'QUIT', ''].join('\r\n'));
});

test.each(['EXPN root', 'EHLO client.test', 'TURN', 'XYZZY', 'x', 'AUTH PLAIN AGEAYg=='])(
  '%s is overwritten up to its CR LF, refused, and the session goes on',
  async (line) => {
    expect(await say(line)).toBe('500');
    expect(await say('NOOP')).toBe('250');
    expect(accepted.text).toBe(`${'x'.repeat(line.length)}\r\nNOOP\r\n`);
  },
);

test('an attack of the days of sendmail is reported by its signature, and both ends are reset', async () => {
  client.write('DEBUG\r\n');
  await router.logged('%FW-4-TCP_SENDMAIL_OLD_SIG', /Sig:3104:Archaic Sendmail Attacks - from 172\.22\.1\.10/);
  expect(await client.gone()).toBe('ECONNRESET');
  expect(await accepted.gone()).toBe('ECONNRESET');
  expect(accepted.text).not.toContain('DEBUG');
});

test('the log has mnemonic, text and structured fields of what was overwritten', async () => {
  await say('EXPN postmaster');
  const line = await router.logged('%FW-4-SMTP_INVALID_COMMAND', /EXPN postmaster/);
  expect(line).toMatchObject({
    level: 'warn',
    initiator: '172.22.1.10',
    responder: MAIL,
    responderPort: 25,
    before: 'EXPN postmaster',
    after: 'x'.repeat(15),
  });
  expect(line['sessionId']).toMatch(/^[0-9A-F]{8}$/);
  expect(line.msg).toMatch(/^%FW-4-SMTP_INVALID_COMMAND: Invalid SMTP command from initiator \(172\.22\.1\.10:\d+\)/);
});

test('it works when the client types byte by byte', async () => {
  for (const byte of 'EXPN root\r\nNOOP\r\n') {
    client.write(byte);
    await delay(3); // as a typist: some bytes travel alone, and the firewall must not care which
  }
  await client.receive(/500 .*\r\n250 .*\r\n/);
  expect(accepted.text).toBe('xxxxxxxxx\r\nNOOP\r\n');
});

test('several commands in one segment are judged one by one', async () => {
  client.write('NOOP\r\nEXPN a\r\nNOOP\r\nTURN\r\nHELO b\r\n');
  await client.receive(/250 .*\r\n500 .*\r\n250 .*\r\n500 .*\r\n250 .*\r\n/);
  expect(accepted.text).toBe('NOOP\r\nxxxxxx\r\nNOOP\r\nxxxx\r\nHELO b\r\n');
});

test('message data is never touched, whatever it looks like; the command behind it is', async () => {
  for (const line of ['HELO a', 'MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA']) await say(line);
  const data = 'EXPN root\r\nTURN\r\n..\r\n.x\r\nMAIL FROM:<|sh>\r\n\x00\x80\xff\r\n';
  expect(await say(`${data}.`)).toBe('250');
  expect(await say('EXPN root')).toBe('500');
  expect(accepted.text.endsWith(`DATA\r\n${data}.\r\nxxxxxxxxx\r\n`)).toBe(true);
});
