/** `ip inspect transcript` between a client typed by hand, swaks and Postfix: what is shown, what is followed, what is not. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configWith } from './support/config.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { DOMAIN, Postfix } from './support/postfix.js';
import { LabProcess } from './support/process.js';
import { openTcp } from './support/tcp.js';
import { until } from './support/until.js';

const SERVER = '172.22.1.110';
const PASSWORD = Buffer.from('\0bob\0opensesame').toString('base64');
const BODY = 'nobody shall read this';

let lab: Lab;
let router: Fw3640;
let postfix: Postfix;
let followed: LabProcess;

beforeAll(async () => {
  lab = Lab.up();
  postfix = Postfix.start(lab);
  const config = configWith(lab, 'ip inspect name OUT-IN esmtp', 'ip inspect transcript 10');
  router = await Fw3640.start(lab, { config });
  followed = new LabProcess(lab, 'router', process.execPath, [
    join(ROOT, 'dist/main.js'),
    ...['transcript', '--follow', '--socket', join(lab.folder, 'console.sock')],
  ]);
});
afterAll(() => lab.down());

/** Types one line after the other, each once the reply to the one before is there. */
async function type(lines: readonly (readonly [line: string, reply: RegExp])[]): Promise<void> {
  const client = await openTcp(lab, 'outside', SERVER, 25);
  await client.receive(/^220 .*\r\n/);
  for (const [line, reply] of lines) {
    const before = client.text.length;
    client.write(`${line}\r\n`);
    const answer = new RegExp(`${reply.source}[^\\n]*\\r\\n`, 'm');
    await until(
      () => `${String(answer)} in ${client.text}`,
      () => answer.test(client.text.slice(before)),
    );
  }
  client.end();
  await client.gone();
}

test('a typed dialogue is shown and followed: masked commands, no credentials, no message', async () => {
  await until('somebody to follow', async () => {
    const probe = await openTcp(lab, 'outside', SERVER, 25);
    await probe.receive(/^220 /);
    probe.end();
    return followed.stdout.includes('< 220 ');
  });
  await type([
    ['EHLO client.test', /^250 /],
    ['EXPN root', /^50[02] 5/],
    [`AUTH PLAIN ${PASSWORD}`, /^5\d\d 5/],
    ['MAIL FROM:<a@client.test>', /^250 2\.1\.0/],
    [`RCPT TO:<b@${DOMAIN}>`, /^250 2\.1\.5/],
    ['DATA', /^354 /],
    [`Subject: ${BODY}\r\n\r\n${BODY}\r\n.`, /^250 2\.0\.0/],
    ['QUIT', /^221 2\.0\.0/],
  ]);
  const expected = [
    /> EHLO client\.test\n/,
    /> EXPN root {2}became {2}x{9}\n[^\n]*! (?:command not allowed|unknown command), masked\n/,
    /< 50[02] 5\.5\.2 Error: command not recognized\n/,
    /> AUTH PLAIN <credentials>\n/,
    /> MAIL FROM:<a@client\.test>\n/,
    /> DATA\n[^\n]*< 354 [^\n]*\n[^\n]*> <message, \d+ bytes>\n/,
    /< 250 2\.0\.0 Ok: queued/,
    /> QUIT\n/,
  ];
  for (const pattern of expected) {
    await router.shows('show ip inspect transcript', pattern);
    await until(
      () => `${String(pattern)} in\n${followed.stdout}`,
      () => pattern.test(followed.stdout),
    );
  }
});

test('one that swaks has sent, found by the number of its session; and for programs', async () => {
  const before = postfix.mails.length;
  lab.run('outside', 'swaks', [
    ...['--server', SERVER, '--helo', 'swaks.test', '--from', 'a@client.test', '--to', `b@${DOMAIN}`],
    ...['--header', `Subject: ${BODY}`, '--body', BODY],
  ]);
  await postfix.mail(before + 1);
  const [, session] = await router.shows(
    'show ip inspect transcript',
    /Session (\w{8}) [^\n]*\n(?:(?! Session \w{8} ).*\n)*?.*> EHLO swaks\.test\n/,
  );
  const shown = router.console(`show ip inspect sessions ${session!} transcript`);
  expect(shown).toContain('> EHLO swaks.test');
  const [json] = router.console(`show ip inspect sessions ${session!} transcript json`).split('\n');
  expect(JSON.parse(json!)).toMatchObject({ session, service: 'esmtp', whole: true });
});

test('it goes on where the data plane dies in the midst of it', async () => {
  const client = await openTcp(lab, 'outside', SERVER, 25);
  await client.receive(/^220 .*\r\n/);
  client.write('EHLO before.test\r\n');
  await client.receive(/^250 [^\n]*\r\n/m);
  process.kill(router.dataPlane, 'SIGKILL');
  await router.logged('%FW3640-5-DATA_PLANE', /started again/);
  client.write('NOOP after\r\n');
  await client.receive(/^250 2\.0\.0/m);
  await router.shows('show ip inspect transcript', /> EHLO before\.test\n(?:(?! Session \w{8} ).*\n)*.*> NOOP after\n/);
  client.end();
  await client.gone();
});

test('nothing in it is secret', () => {
  const all = router.console('show ip inspect transcript') + router.console('show ip inspect transcript json') + followed.stdout; // prettier-ignore
  for (const secret of [PASSWORD, 'opensesame', BODY]) expect(all).not.toContain(secret);
});

test('whoever is not privileged does not read it', () => {
  expect(() => router.console('disable', 'show ip inspect transcript follow')).toThrow(/% Invalid input/);
});

test('it is forgotten once it is off', () => {
  router.console('configure terminal', 'no ip inspect transcript', 'end');
  expect(router.console('configure terminal', 'ip inspect transcript 10', 'end', 'show ip inspect transcript')).not.toContain('EHLO'); // prettier-ignore
});
