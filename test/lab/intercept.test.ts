/** `ip tcp intercept` with real packets: a SYN flood shuts nobody out, and what is spliced carries mail to the byte. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { MailClient } from './support/mail-client.js';
import { asStored, bodyOf, hashOf, messageOf } from './support/message.js';
import { bodyHash, DOMAIN, Postfix } from './support/postfix.js';
import { LabProcess } from './support/process.js';
import { RawTcp } from './support/raw-tcp.js';
import { openTcp } from './support/tcp.js';

const MAIL = '172.22.1.110';
const CLIENTS = 4;
/** From the router to a client and back. */
const HANDSHAKE_MS = 100;

let lab: Lab;
let router: Fw3640;

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab, {
    // The limit of 50 half-open sessions to a host stays as IOS has it.
    config: configVariant(lab, [
      'ip inspect name OUT-IN smtp',
      'ip inspect name OUT-IN smtp\nip tcp intercept list 150\naccess-list 150 permit tcp any host 10.10.10.2 eq smtp',
    ]),
  });
});
afterAll(() => lab.down());

test('while no server listens, a client is connected, and reset at once', async () => {
  const client = await openTcp(lab, 'outside', MAIL, 25);
  expect(await client.gone()).toBe('ECONNRESET');
});

test('under 500 spoofed SYNs a second, all clients with a handshake of 100 ms get through, and a mail arrives', async () => {
  const postfix = Postfix.start(lab);
  const flood = new LabProcess(lab, 'outside', 'hping3', [
    ...['-q', '-S', '-p', '25', '-i', 'u2000', '--rand-source', '-c', '30000', MAIL],
  ]);
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, i) => RawTcp.open(lab, MAIL, 25, `172.22.1.${40 + i}`, HANDSHAKE_MS)),
  );
  await Promise.all(clients.map((c) => c.receive(/^220 [^\r\n]*\r\n/)));
  for (const c of clients) c.send({ payload: 'QUIT\r\n' });
  await Promise.all(clients.map((c) => c.receive(/^221 /m)));
  expect(clients.map((c) => c.wasReset)).toEqual(clients.map(() => false));
  await Promise.all(clients.map((c) => c.close()));

  const client = await MailClient.start(lab, 'outside', { host: MAIL });
  const body = bodyOf(1_000_000, 1);
  await client.send(messageOf(body), { from: 'a@client.test', to: [`b@${DOMAIN}`] });
  expect(bodyHash(await postfix.mail(1))).toBe(hashOf(asStored(body)));
  await client.close();

  expect(flood.exitCode).toBeUndefined();
  await flood.stop('SIGINT');
  expect(router.log.filter((line) => line.mnemonic.includes('HOST_TCP_ALERT_ON'))).toEqual([]);
});
