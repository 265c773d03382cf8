/**
 * The end of message data, between a client that writes what it likes and a Postfix that believes in bare line feeds
 * (smtpd_forbid_bare_newline = no): what would fool that server arrives as one mail, and what is the end gets through
 * however it is cut (CVE-2023-51764; the split end of data of MailGuard).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Fw3640 } from './support/fw3640.js';
import { Lab, type Host } from './support/lab.js';
import { DOMAIN, Postfix } from './support/postfix.js';
import { openTcp, type Connection } from './support/tcp.js';

const SERVER = '172.22.1.110';
const SERVER_LOCAL = '10.10.10.2';

let lab: Lab;
let router: Fw3640;
let postfix: Postfix;

beforeAll(async () => {
  lab = Lab.up();
  postfix = Postfix.start(lab, 'inside', 'smtpd_forbid_bare_newline = no', 'smtpd_forbid_unauth_pipelining = no');
  router = await Fw3640.start(lab);
});
afterAll(() => lab.down());

/** Opens a connection and goes as far as the 354. */
async function untilData(host: Host, server: string): Promise<Connection> {
  const client = await openTcp(lab, host, server, 25);
  await client.receive(/^220 .*\r\n/);
  for (const line of ['HELO client.test', 'MAIL FROM:<a@client.test>', `RCPT TO:<b@${DOMAIN}>`]) {
    const before = client.text.length;
    client.write(`${line}\r\n`);
    await client.receive(new RegExp(`^[^]{${before}}250 .*\r\n`));
  }
  client.write('DATA\r\n');
  await client.receive(/^354 .*\r\n/m);
  return client;
}

/** A mail that goes on behind `form` with what may be a second one, both ended for good. */
const smuggling = (form: string): string =>
  `Subject: first\r\n\r\nbody${form}` +
  `MAIL FROM:<admin@${DOMAIN}>\r\nRCPT TO:<b@${DOMAIN}>\r\nDATA\r\nSubject: smuggled\r\n\r\nEXPN\r\n.\r\n`;

/** Sends it and says QUIT. @returns how many mails the server took for its own, in words of its own log */
async function mailsOf(form: string, host: Host, server: string): Promise<number> {
  const mails = postfix.mails.length;
  const client = await untilData(host, server);
  client.write(smuggling(form));
  await client.receive(/^250 2\.0\.0 Ok: queued as/m);
  client.write('QUIT\r\n');
  await client.receive(/^221 /m);
  const queued = client.text.match(/^250 2\.0\.0 Ok: queued as/gm)?.length ?? 0;
  await postfix.mail(mails + queued);
  return postfix.mails.length - mails;
}

/** Forms that this Postfix takes for the end. */
const FOOLING = [
  { name: 'LF . LF', form: '\n.\n' },
  { name: 'LF . CR LF', form: '\n.\r\n' },
  { name: 'CR LF . LF', form: '\r\n.\n' },
];

describe('a form that is not the end of data', () => {
  test.each(FOOLING)('$name smuggles a second mail into the server where no router is in between', async ({ form }) => {
    expect(await mailsOf(form, 'inside', SERVER_LOCAL)).toBe(2);
  });

  test.each([
    ...FOOLING,
    { name: 'LF . CR LF behind text and CR', form: '\r\r\n\n.\r\n' },
    { name: 'CR . CR', form: '\r.\r' },
    { name: 'CR . CR LF', form: '\r.\r\n' },
    { name: 'CR LF . CR', form: '\r\n.\r' },
    { name: 'CR LF . NUL LF', form: '\r\n.\0\n' },
    { name: 'LF NUL . LF', form: '\n\0.\n' },
  ])('$name brings one mail through the router, with the commands as its text', async ({ name, form }) => {
    const before = router.log.length;
    expect(await mailsOf(form, 'outside', SERVER)).toBe(1);
    expect(postfix.mails.at(-1)?.toString('latin1')).toMatch(/Subject: first\n[^]*Subject: smuggled\n/);
    const logged = router.log.slice(before).filter((line) => line.mnemonic === '%FW-4-SMTP_AMBIGUOUS_END_OF_DATA');
    expect(logged.length, name).toBeGreaterThan(0);
  });

  test('it is counted by kind', async () => {
    await router.shows('show ip inspect statistics', /ambiguous-end-of-data: [1-9]/i);
  });
});

describe('the end of data', () => {
  const end = '\r\n.\r\n';

  test.each([1, 2, 3, 4])('cut behind its byte %i, it ends the mail at once', async (cut) => {
    const mails = postfix.mails.length;
    const client = await untilData('outside', SERVER);
    client.write(`Subject: cut ${cut}\r\n\r\nbody${end.slice(0, cut)}`);
    await router.shows('show ip inspect session detail', /./); // a round trip on the router: the first part is through
    client.write(end.slice(cut));
    await client.receive(/^250 2\.0\.0 Ok: queued as/m);
    client.write('QUIT\r\n');
    await client.receive(/^221 /m);
    expect((await postfix.mail(mails + 1)).toString('latin1')).toMatch(new RegExp(`Subject: cut ${cut}\n\nbody\n$`));
  });

  test('byte by byte, a mail of dots arrives as it was written', async () => {
    const mails = postfix.mails.length;
    const client = await untilData('outside', SERVER);
    for (const byte of `\r\n..\r\n...\r\n.. .\r\n.x\r\n${end.slice(2)}`) client.write(byte);
    await client.receive(/^250 2\.0\.0 Ok: queued as/m);
    expect((await postfix.mail(mails + 1)).toString('latin1')).toMatch(/\n\n\.\n\.\.\n\. \.\nx\n$/);
  });
});

test('a bare LF in a command hides no second command from the server', async () => {
  const client = await openTcp(lab, 'outside', SERVER, 25);
  await client.receive(/^220 .*\r\n/);
  client.write('NOOP\nVRFY root\r\nNOOP\r\n');
  await client.receive(/\r\n[^]*\r\n[^]*250 2\.0\.0 Ok\r\n$/);
  expect(client.text.match(/\r\n/g)).toHaveLength(3);
  await router.logged('%FW-4-SMTP_INVALID_COMMAND', /bare LF/);
});
