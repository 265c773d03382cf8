/** The harness itself, over plain forwarding: if these fail, the other lab tests mean nothing. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { icmpPacket } from '../../support/packets.js';
import { Lab } from './lab.js';
import { bodyHash, DOMAIN, Postfix } from './postfix.js';
import { openTcp, TcpServer } from './tcp.js';
import { until } from './until.js';
import { frameOf, macOf, Wire } from './wire.js';

let lab: Lab;

beforeAll(() => {
  lab = Lab.up();
  lab.run('router', 'ip', ['address', 'add', '172.22.1.16/24', 'dev', 'outside']);
  lab.run('router', 'ip', ['address', 'add', '10.10.10.1/24', 'dev', 'inside']);
  lab.run('router', 'sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
});
afterAll(() => lab.down());

test('each write of a client is a segment of its own, and every byte is kept on both sides', async () => {
  const wire = await Wire.tap(lab, 'outside', 'eth0', 'tcp dst port 2525');
  const server = await TcpServer.listen(lab, 'inside', 2525);
  const client = await openTcp(lab, 'outside', '10.10.10.2', 2525);
  const accepted = await server.connection(1);
  expect(accepted.peer).toMatch(/172\.22\.1\.10:/);
  for (const byte of 'HELO') {
    client.write(byte);
    await until(byte, () => accepted.text.endsWith(byte));
  }
  accepted.write('\x00\xff\r\n');
  await client.receive(/\xff\r\n$/);
  client.end();
  await until('the FIN', () => accepted.ended);
  accepted.reset();
  expect(await client.gone()).toBe('ECONNRESET');
  const payloads = wire.packets.map((p) => p.length - 20 - ((p[32]! >> 4) << 2)).filter((n) => n > 0);
  expect(payloads).toEqual([1, 1, 1, 1]);
  await wire.close();
});

test('an injected frame crosses the lab, and is sniffed where it arrives', async () => {
  const wire = await Wire.tap(lab, 'outside', 'eth0');
  const inside = await Wire.tap(lab, 'inside', 'eth0', 'icmp');
  const ping = icmpPacket('172.22.1.99', '10.10.10.5', 8, 0, [0, 7, 0, 1]);
  wire.inject(frameOf(ping, macOf(lab, 'router', 'outside'), '02:00:00:00:00:63'));
  const seen = await inside.packet('the echo request', (p) => p[20] === 8 && p[25] === 7);
  expect(seen[8]).toBe(63); // TTL: it was routed, and has 10.10.10.5 as destination
  expect([...seen.subarray(12, 20)]).toEqual([172, 22, 1, 99, 10, 10, 10, 5]);
});

test('Postfix delivers what it accepts, to the byte, and rejects a command it does not know', async () => {
  const postfix = Postfix.start(lab);
  const client = await openTcp(lab, 'outside', '10.10.10.2', 25);
  const body = `${randomBytes(3000).toString('base64')}\r\n`.repeat(3).replace(/(.{70})/g, '$1\r\n');
  const say = async (line: string, reply: RegExp) => {
    client.write(`${line}\r\n`);
    await client.receive(reply);
  };
  await client.receive(/^220 mail\.example\.test ESMTP/);
  await say('HELO client.test', /^250 mail/m);
  await say('xxxx root', /^500 5\.5\.2/m);
  await say('MAIL FROM:<a@client.test>', /^250 2\.1\.0/m);
  await say(`RCPT TO:<b@${DOMAIN}>`, /^250 2\.1\.5/m);
  await say('DATA', /^354/m);
  await say(`Subject: hash\r\n\r\n${body}.`, /^250 2\.0\.0/m);
  const mail = await postfix.mail(1);
  expect(bodyHash(mail)).toBe(bodyHash(Buffer.from(`\n\n${body.replaceAll('\r\n', '\n')}`)));
});

test('going down ends what runs and removes namespaces and files', async () => {
  const other = Lab.up();
  Postfix.start(other);
  await TcpServer.listen(other, 'inside2', 7);
  await other.down();
  expect(existsSync(`/run/netns/${other.netns('inside')}`)).toBe(false);
  expect(existsSync(other.folder)).toBe(false);
});
