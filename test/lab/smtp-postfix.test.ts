/** `ip inspect name OUT-IN smtp` (3640.cfg) between real mail software: what is good arrives to the byte, and soon. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { MailClient } from './support/mail-client.js';
import { asStored, bodyOf, hashOf, messageOf } from './support/message.js';
import { bodyHash, DOMAIN, Postfix } from './support/postfix.js';
import { openTcp } from './support/tcp.js';
import { until } from './support/until.js';

/** The mail server's inside global address. */
const SERVER = '172.22.1.110';
const ENVELOPE = { from: 'a@client.test', to: [`b@${DOMAIN}`] };
const MB = 1_000_000;
const LONG_MS = 60_000;

let lab: Lab;
let router: Fw3640;
let postfix: Postfix;

beforeAll(async () => {
  lab = Lab.up();
  postfix = Postfix.start(lab);
  router = await Fw3640.start(lab);
});
afterAll(() => lab.down());

/** The hash of a body as Postfix stores it. */
const storedHash = (body: Buffer): string => hashOf(asStored(body));

test('the greeting comes as the server sent it', async () => {
  const client = await openTcp(lab, 'outside', SERVER, 25);
  await client.receive(/^220 mail\.example\.test ESMTP Postfix[^\r\n]*\r\n$/);
  client.write('QUIT\r\n');
  await client.receive(/^221 2\.0\.0 Bye\r\n$/m);
  client.end();
  expect(await client.gone()).toBe('');
});

test('swaks sends EHLO, which is masked; falls back to HELO; and the mail arrives', async () => {
  const before = postfix.mails.length;
  const said = lab.run('outside', 'swaks', [
    ...['--server', SERVER, '--helo', 'client.test', '--from', ENVELOPE.from, '--to', ENVELOPE.to[0]!],
    ...['--header', 'Subject: swaks', '--body', 'EXPN and STARTTLS\n.\n..\nare only text here'],
  ]);
  expect(said).toMatch(/EHLO client\.test[^]*<\*\* 50[02][^]*HELO client\.test[^]*<- {2}250/);
  const mail = await postfix.mail(before + 1);
  expect(mail.toString('latin1')).toMatch(/\n\nEXPN and STARTTLS\n\.\n\.\.\nare only text here\n/);
  await router.logged(
    '%FW-4-SMTP_INVALID_COMMAND',
    /unknown command: "EHLO client\.test" became "x{16}"|not allowed: "EHLO/,
  );
});

test.each([
  { name: '1 byte', size: 1 },
  { name: '100 KB with dots at the start of lines', size: 100_000 },
  { name: '15 MB', size: 15 * MB },
])('a mail of $name goes through nodemailer and Postfix unchanged', async ({ size }) => {
  const client = await MailClient.start(lab, 'outside', { host: SERVER });
  const before = postfix.mails.length;
  const body = bodyOf(size, size);
  await client.send(messageOf(body), ENVELOPE, LONG_MS);
  const mail = await postfix.mail(before + 1, LONG_MS);
  const expected = size === 1 ? Buffer.concat([body, Buffer.from('\r\n')]) : body;
  expect(bodyHash(mail)).toBe(storedHash(expected));
  await client.close();
});

test('a mail of 25 MB is over max-data: both ends are reset, and the log says why', async () => {
  const client = await MailClient.start(lab, 'outside', { host: SERVER });
  const before = postfix.mails.length;
  await expect(client.send(messageOf(bodyOf(25 * MB, 25)), ENVELOPE, LONG_MS)).rejects.toThrow(
    /ECONNRESET|EPIPE|closed unexpectedly/,
  );
  const line = await router.logged('%FW-4-SMTP_MAX_DATA', /more than 20000000 bytes, session reset/);
  expect(line).toMatchObject({ initiator: expect.stringContaining('172.22.1.10') as unknown });
  await until(
    () => `Postfix to lose the connection: ${postfix.log.slice(-500)}`,
    () => /lost connection after DATA \(2\d{7} bytes\)|lost connection after DATA/.test(postfix.log),
  );
  expect(postfix.mails.length).toBe(before);
  await client.close();
});

test('200 mails over 40 connections at a time arrive, each to the byte', async () => {
  const client = await MailClient.start(lab, 'outside', {
    host: SERVER,
    pool: true,
    maxConnections: 40,
    maxMessages: 10_000,
  });
  const before = postfix.mails.length;
  const bodies = Array.from({ length: 200 }, (_, i) => bodyOf(1000 + i * 97, i + 1));
  await Promise.all(bodies.map((body) => client.send(messageOf(body), ENVELOPE, LONG_MS)));
  await postfix.mail(before + bodies.length, LONG_MS);
  const arrived = postfix.mails.slice(before).map(bodyHash);
  expect(arrived.sort()).toEqual(bodies.map(storedHash).sort());
  await client.close();
});

test("Postfix's own SMTP client delivers to the Postfix behind the router", async () => {
  const sender = Postfix.start(
    lab,
    'outside',
    'myhostname = client.test',
    `relayhost = [${SERVER}]`,
    'virtual_mailbox_domains =',
    'smtpd_relay_restrictions = permit_mynetworks, reject',
  );
  const before = postfix.mails.length;
  const client = await MailClient.start(lab, 'outside', { host: '127.0.0.1' });
  const body = bodyOf(50_000, 7);
  await client.send(messageOf(body), ENVELOPE);
  const mail = await postfix.mail(before + 1).catch((error: unknown) => {
    throw new Error(sender.log, { cause: error });
  });
  expect(bodyHash(mail)).toBe(storedHash(body));
  expect(mail.toString('latin1')).toMatch(/by mail\.example\.test \(Postfix\) with SMTP id/);
  await client.close();
});

test('100 mails of smtp-source, ten at a time, arrive', async () => {
  const before = postfix.mails.length;
  const to = ENVELOPE.to[0]!;
  lab.run('outside', 'smtp-source', ['-s', '10', '-m', '100', '-l', '4096', '-f', ENVELOPE.from, '-t', to, SERVER]);
  await postfix.mail(before + 100, LONG_MS);
  expect(postfix.mails.length).toBe(before + 100);
});
