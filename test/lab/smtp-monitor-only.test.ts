/** `ip inspect name OUT-IN smtp monitor-only`: the log says what would have been done, and nothing is done. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { configWith } from './support/config.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { RawTcp } from './support/raw-tcp.js';
import { openTcp, TcpServer, type Connection } from './support/tcp.js';
import { until } from './support/until.js';
import { Wire } from './support/wire.js';

const SERVER = '172.22.1.110';
/** Offset in a packet without IP options, and the bit. */
const TCP_FLAGS = 33;
const URG = 0x20;

const payloadOf = (packet: Uint8Array): string =>
  Buffer.from(packet.subarray(20 + (packet[32]! >> 4) * 4)).toString('latin1');

let lab: Lab;
let router: Fw3640;
let server: TcpServer;

beforeAll(async () => {
  lab = Lab.up();
  const config = configWith(lab, 'ip inspect name OUT-IN esmtp max-data 1000 monitor-only');
  router = await Fw3640.start(lab, { config });
  server = await TcpServer.listen(lab, 'inside', 25, (connection) => connection.write('220 hi\r\n'));
});
afterAll(() => lab.down());

/** What a client writes, and the messages it leads to. */
const DIALOGUE: readonly (readonly [fromClient: boolean, text: string, logged?: readonly [string, RegExp]])[] = [
  [true, 'EXPN root\r\n', ['%FW-4-SMTP_INVALID_COMMAND', /"EXPN root" left as it was/]],
  [false, '250 root\r\n'],
  [true, 'EHLO client.test\r\n'],
  [false, '250-hi\r\n250-STARTTLS\r\n250 SIZE\r\n', ['%FW-6-SMTP_EXTENSION_MASKED', /STARTTLS/]],
  [true, 'MAIL FROM:<a@b.test> BODY=7BIT\r\n', ['%FW-4-SMTP_INVALID_COMMAND', /BODY=7BIT" left as it was/]],
  [false, '250 ok\r\n'],
  [true, 'RCPT TO:<c@d.test>\r\nDATA\r\n'],
  [false, '250 ok\r\n354 go\r\n'],
  [true, 'body\n.\nQUIT\r\n', ['%FW-4-SMTP_AMBIGUOUS_END_OF_DATA', /LF \./]],
  [true, `${'x'.repeat(1200)}\r\n`, ['%FW-4-SMTP_MAX_DATA', /1000 bytes, session not reset/]],
  [true, '.\r\nDEBUG\r\n'],
  [false, '250 taken\r\n'],
];

test('what would be masked, neutralised or reset is logged, and arrives as it was sent', async () => {
  const n = server.connections.length + 1;
  const client = await openTcp(lab, 'outside', SERVER, 25);
  const accepted = await server.connection(n);
  await client.receive(/220 hi\r\n/);
  const sent = (fromClient: boolean): string =>
    DIALOGUE.filter(([from]) => from === fromClient)
      .map(([, text]) => text)
      .join('');
  for (const [fromClient, text, logged] of DIALOGUE) {
    const [from, to]: Connection[] = fromClient ? [client, accepted] : [accepted, client];
    from!.write(text);
    await until(JSON.stringify(text), () => to!.text.endsWith(text));
    if (logged !== undefined) await router.logged(...logged);
  }
  expect(accepted.text).toBe(sent(true));
  expect(client.text).toBe(`220 hi\r\n${sent(false)}`);
  expect([client.closed, accepted.closed]).toEqual([undefined, undefined]);
});

test('an attack of the days of sendmail is reported, and nobody is reset', async () => {
  const n = server.connections.length + 1;
  const client = await openTcp(lab, 'outside', SERVER, 25);
  const accepted = await server.connection(n);
  client.write('WIZ\r\n');
  await router.logged('%FW-4-TCP_SENDMAIL_OLD_SIG', /Sig:3104/);
  await until('it to arrive', () => accepted.text === 'WIZ\r\n');
  accepted.write('500 no\r\n');
  await client.receive(/500 no\r\n/);
});

test('segments out of order, repeated otherwise and urgent go on at once and as they came', async () => {
  const n = server.connections.length + 1;
  const client = await RawTcp.open(lab, SERVER, 25);
  await client.receive(/220 hi\r\n/);
  const accepted = await server.connection(n);
  const wire = await Wire.tap(lab, 'inside', 'eth0', 'tcp dst port 25');
  const passed = (text: string, urgent = false) =>
    wire.packet(text, (p) => payloadOf(p) === text && (p[TCP_FLAGS]! & URG) === (urgent ? URG : 0));
  client.send({ payload: 'root\r\n', at: 5 });
  await passed('root\r\n');
  expect(accepted.text).toBe('');
  client.send({ payload: 'EXPN ', at: -11 });
  await until('the gap to close', () => accepted.text === 'EXPN root\r\n');
  await router.logged('%FW-4-SMTP_INVALID_COMMAND', /"EXPN root" left as it was/);
  client.send({ payload: 'TURN ', at: -11 });
  await passed('TURN ');
  client.send({ payload: 'NOOP\r\n', flags: 'PAU' });
  await passed('NOOP\r\n', true);
  await wire.close();
  await client.close();
});
