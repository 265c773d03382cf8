/** `ip inspect name OUT-IN esmtp` between real mail software: the extensions that it examines work, the others are gone. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configWith } from './support/config.js';
import { Fw3640, fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { MailClient, type TransportOptions } from './support/mail-client.js';
import { MailServer, type TakenMail } from './support/mail-server.js';
import { asStored, bodyOf, hashOf, messageOf } from './support/message.js';
import { bodyHash, DOMAIN, Postfix } from './support/postfix.js';
import { openTcp, type Connection } from './support/tcp.js';

/** Inside global addresses: Postfix, and the package smtp-server. */
const POSTFIX = '172.22.1.110';
const SMTP_SERVER = '172.22.1.111';
const SMTP_SERVER_LOCAL = '10.10.10.5';
const ENVELOPE = { from: 'a@client.test', to: [`b@${DOMAIN}`] };

let lab: Lab;
let router: Fw3640;
let postfix: Postfix;
let server: MailServer;

beforeAll(async () => {
  lab = Lab.up();
  // Since Postfix 3.9 it ends such sessions itself, by default; here it is for us to do.
  postfix = Postfix.start(lab, 'inside', 'smtpd_forbid_unauth_pipelining = no');
  server = await MailServer.listen(lab, 'inside2', { size: 20_000_000 });
  const permit = `access-list 101 permit tcp any host ${SMTP_SERVER} eq smtp`;
  router = await Fw3640.start(lab, { config: configWith(lab, 'ip inspect name OUT-IN esmtp', permit) });
});
afterAll(() => lab.down());

/** Says EHLO. @returns the lines of its reply */
async function ehlo(client: Connection): Promise<string[]> {
  await client.receive(/^220 .*\r\n/);
  client.write('EHLO client.test\r\n');
  const [reply] = await client.receive(/^250-[^]*^250 .*\r\n/m);
  return reply.trimEnd().split('\r\n');
}

/** Sends one mail through a new nodemailer. @returns it as smtp-server took it */
async function deliver(options: TransportOptions, body: Buffer, envelope: object = {}): Promise<TakenMail> {
  const client = await MailClient.start(lab, 'outside', { host: SMTP_SERVER, ...options });
  const n = server.count + 1;
  await client.send(messageOf(body), { ...ENVELOPE, ...envelope });
  await client.close();
  return server.mail(n);
}

test('the EHLO reply comes as the server gave it, but for the extensions that are not examined', async () => {
  const direct = await openTcp(lab, 'inside2', SMTP_SERVER_LOCAL, 25);
  const given = await ehlo(direct);
  expect(given).toContain('250-STARTTLS');
  const client = await openTcp(lab, 'outside', SMTP_SERVER, 25);
  const masked = given.map((line) => line.replace(/STARTTLS|SMTPUTF8/, 'xxxxxxxx'));
  expect((await ehlo(client)).slice(1)).toEqual(masked.slice(1)); // the first line names the client
  for (const connection of [direct, client]) connection.end();
  await router.logged('%FW-6-SMTP_EXTENSION_MASKED', /STARTTLS/);
});

describe('AUTH', () => {
  test.each(['PLAIN', 'LOGIN'])('%s gets through, and its credentials are in no log', async (authMethod) => {
    const auth = { user: `user-${authMethod}`, pass: 'secret' };
    const { user, secure } = await deliver({ auth, authMethod }, bodyOf(500, 3));
    expect([user, secure]).toEqual([`user-${authMethod}`, false]);
    const log = router.process.stdout;
    for (const secret of ['secret', 'c2VjcmV0', Buffer.from(`\0${auth.user}\0secret`).toString('base64')])
      expect(log).not.toContain(secret);
    expect(log).not.toContain('SMTP_INVALID_COMMAND');
  });

  test('a wrong password is refused by the server, not by the router', async () => {
    const auth = { user: 'somebody', pass: 'wrong' };
    await expect(deliver({ auth }, bodyOf(10, 1))).rejects.toThrow(/535/);
  });
});

test('SIZE, 8BITMIME and DSN: the parameters of MAIL and RCPT arrive', async () => {
  const dsn = { return: 'headers', envid: 'id-1', notify: ['failure', 'delay'], orcpt: `rfc822;b@${DOMAIN}` };
  const body = bodyOf(5000, 9);
  const mail = await deliver({}, body, { dsn, size: 5200, use8BitMime: true });
  expect(mail.from.args).toMatchObject({ SIZE: '5200', BODY: '8BITMIME' });
  expect(mail.dsn).toEqual({ ret: 'HDRS', envid: 'id-1' });
  expect(mail.to[0]?.dsn).toEqual({ notify: ['FAILURE', 'DELAY'], orcpt: `rfc822;b@${DOMAIN}` });
  expect(hashOf(mail.content)).toBe(hashOf(messageOf(body)));
});

test('40 mails at a time arrive at smtp-server to the byte', async () => {
  const client = await MailClient.start(lab, 'outside', { host: SMTP_SERVER, pool: true, maxConnections: 20 });
  const first = server.count;
  const messages = Array.from({ length: 40 }, (_, i) => messageOf(bodyOf(2000 + 313 * i, i + 50)));
  await Promise.all(messages.map((message) => client.send(message, ENVELOPE)));
  const arrived = await Promise.all(messages.map((_, i) => server.mail(first + i + 1)));
  expect(arrived.map((m) => hashOf(m.content)).sort()).toEqual(messages.map(hashOf).sort());
  await client.close();
});

test("Postfix's SMTP client pipelines to the Postfix behind the router; a group is answered in order", async () => {
  const sender = Postfix.start(
    lab,
    'outside',
    'myhostname = client.test',
    `relayhost = [${POSTFIX}]`,
    'virtual_mailbox_domains =',
    'smtpd_relay_restrictions = permit_mynetworks, reject',
    'smtp_recipient_limit = 50',
  );
  const before = postfix.mails.length;
  const to = Array.from({ length: 20 }, (_, i) => `user${i}@${DOMAIN}`);
  const client = await MailClient.start(lab, 'outside', { host: '127.0.0.1' });
  const body = bodyOf(40_000, 11);
  await client.send(messageOf(body), { ...ENVELOPE, to });
  await postfix.mail(before + to.length).catch((error: unknown) => {
    throw new Error(sender.log, { cause: error });
  });
  const mails = postfix.mails.slice(before);
  expect(new Set(mails.map(bodyHash))).toEqual(new Set([hashOf(asStored(body))]));
  expect(mails[0]?.toString('latin1')).toMatch(/by mail\.example\.test \(Postfix\) with ESMTP id/);
  await client.close();
});

test('swaks speaks ESMTP to Postfix, which no longer offers CHUNKING', () => {
  const said = lab.run('outside', 'swaks', [
    ...['--server', POSTFIX, '--helo', 'client.test', '--from', ENVELOPE.from, '--to', ENVELOPE.to[0]!],
    ...['--body', 'EXPN and STARTTLS are only text here'],
  ]);
  expect(said).toMatch(/250-PIPELINING[^]*250-SIZE[^]*250-ENHANCEDSTATUSCODES[^]*250-8BITMIME[^]*250-DSN/);
  expect(said).toMatch(/250 x{8}\n/);
  expect(said).toMatch(/<- {2}250 2\.0\.0 Ok: queued as/);
});

describe('DATA that is not the last of a pipelined group', () => {
  test('is answered by the server; what was sent behind it is overwritten, and the session ends', async () => {
    const client = await openTcp(lab, 'outside', POSTFIX, 25);
    await ehlo(client);
    const before = postfix.mails.length;
    client.write(
      `MAIL FROM:<a@b.test>\r\nRCPT TO:<c@${DOMAIN}>\r\nDATA\r\nSubject: early\r\n\r\nbody\r\n.\r\nQUIT\r\n`,
    );
    expect(await client.gone()).toBe('ECONNRESET');
    await router.logged('%FW-4-SMTP_INVALID_COMMAND', /behind DATA, before its reply/);
    expect(postfix.mails.length).toBe(before);
  });
});

describe('STARTTLS', () => {
  test('where it is not allowed, the mail goes in clear', async () => {
    const { secure } = await deliver({ tls: { rejectUnauthorized: false } }, bodyOf(100, 4));
    expect(secure).toBe(false);
  });

  test('`allow STARTTLS`: TLS begins, and the mail arrives through it', async () => {
    router.console('configure terminal', 'ip inspect name OUT-IN esmtp allow STARTTLS', 'end');
    const body = bodyOf(300_000, 5);
    const { secure, content } = await deliver({ tls: { rejectUnauthorized: false } }, body);
    expect(secure).toBe(true);
    expect(hashOf(content)).toBe(hashOf(messageOf(body)));
  });

  test('commands injected behind STARTTLS are overwritten, and the session does not outlive it (CVE-2011-0411)', async () => {
    const client = await openTcp(lab, 'outside', SMTP_SERVER, 25);
    const before = server.count;
    await ehlo(client);
    client.write('STARTTLS\r\nMAIL FROM:<evil@client.test>\r\nRCPT TO:<b@example.test>\r\nDATA\r\n');
    expect(await client.gone()).toBe('ECONNRESET');
    const line = await router.logged('%FW-4-SMTP_INVALID_COMMAND', /behind STARTTLS, before its reply: "MAIL FROM/);
    expect(line['after']).toMatch(/^x+$/);
    expect(server.count).toBe(before);
  });
});

describe('smtp and esmtp in one rule', () => {
  const error = /%SMTP cannot coexist with ESMTP, please unconfigure ESMTP and try again/;

  test('the console refuses the second one, and nothing changes', () => {
    const before = router.console('show running-config');
    expect(() => router.console('configure terminal', 'ip inspect name OUT-IN smtp', 'end')).toThrow(error);
    expect(router.console('show running-config')).toBe(before);
  });

  test('a file with both is refused', () => {
    const config = configWith(lab, 'ip inspect name OUT-IN esmtp\nip inspect name OUT-IN smtp');
    const { code, stdout, stderr } = fw3640(lab, 'check', '--config', config);
    expect(code).not.toBe(0);
    expect(stdout + stderr).toMatch(error);
  });
});
