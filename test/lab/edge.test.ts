/**
 * What the router makes of single packets at its edge, with kernels around it: TTLs that are spent here or behind us, a
 * link that is too small, options, and a server's words from the wrong side.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { dotted, ip, tcpPacket, type TcpFields, withHeader } from '../support/packets.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { RawTcp } from './support/raw-tcp.js';
import { TcpServer, type Connection } from './support/tcp.js';
import { until } from './support/until.js';
import { Wire } from './support/wire.js';

const MAIL = '172.22.1.110';
const MTU = 1000;
const DONT_FRAGMENT = 0x4000;
/** TTL of what `tcpPacket` builds, and one less behind the router. */
const TTL = 64;

let lab: Lab;
let router: Fw3640;
let server: TcpServer;
let client: RawTcp;
let accepted: Connection;
let inside: Wire;

beforeAll(async () => {
  lab = Lab.up();
  lab.run('router', 'ip', ['link', 'set', 'inside', 'mtu', String(MTU)]);
  router = await Fw3640.start(lab);
});
afterAll(() => lab.down());

beforeEach(async () => {
  inside = await Wire.tap(lab, 'inside', 'eth0', 'tcp port 25');
  server = await TcpServer.listen(lab, 'inside', 25, serve);
  client = await RawTcp.open(lab, MAIL, 25);
  client.send({ flags: 'A' });
  accepted = await server.connection(1);
  await client.receive(/^220 /);
});
afterEach(async () => {
  await client.close();
  await server.close();
  await inside.close();
});

/** Answers each line, refuses DATA and what was masked: a server that liked that would be reset. */
function serve(connection: Connection): void {
  let at = 0;
  connection.write('220 mail\r\n');
  connection.onData = () => {
    for (let end = 0; (end = connection.text.indexOf('\r\n', at)) >= 0; at = end + 2)
      connection.write(/^(DATA|xx)/.test(connection.text.slice(at)) ? '503 no\r\n' : '250 ok\r\n');
  };
}

const payloadOf = (p: Uint8Array): string => Buffer.from(p.subarray(20 + (p[32]! >> 4) * 4)).toString('latin1');
const optionsOf = (p: Uint8Array): number[] => Array.from(p.subarray(40, 20 + (p[32]! >> 4) * 4));
const dropped = (reason: string): number =>
  Number(new RegExp(`drop ${reason}: (\\d+)`).exec(router.console('show ip inspect statistics'))?.[1] ?? 0);

/** Sends a command, and waits for the reply. */
async function say(line: string): Promise<void> {
  const replies = client.text.length;
  client.send({ payload: line });
  await until(`the reply to ${line}`, () => client.text.slice(replies).includes('\r\n'));
}

test('a TTL that would be spent behind us is raised: the server gets the line', async () => {
  client.inject(withHeader(client.segment({ payload: 'NOOP\r\n' }), { ttl: 2 }));
  client.sndNxt += 6;
  await client.receive(/250 ok/);
  const seen = await inside.packet('the line', (p) => payloadOf(p) === 'NOOP\r\n');
  expect(seen[8]).toBe(TTL - 1);
});

test('a TTL that is spent here: the sender is told, and the server is asked for nothing', async () => {
  const line = withHeader(client.segment({ payload: 'NOOP\r\n' }), { ttl: 1 });
  client.inject(line);
  const error = await until('time exceeded', () => client.received.find((p) => p[9] === 1));
  expect([error[20], error[21], dotted(new DataView(error.buffer, error.byteOffset).getInt32(12))]).toEqual([11, 0, '172.22.1.16']); // prettier-ignore
  expect(Array.from(error.subarray(28, 56))).toEqual(Array.from(line.subarray(0, 28)));
  await say('HELO a.test\r\n'); // in its place
  expect(accepted.text).toBe('HELO a.test\r\n');
});

test('longer than the link inside, and not to be cut up: the sender is told its MTU', async () => {
  const packet = client.segment({ payload: `HELO ${'x'.repeat(1100)}\r\n` });
  client.inject(withHeader(packet, { fragment: DONT_FRAGMENT }));
  const error = await until('fragmentation needed', () => client.received.find((p) => p[9] === 1));
  expect([error[20], error[21], (error[26]! << 8) | error[27]!]).toEqual([3, 4, MTU]);
  await say('NOOP\r\n');
  expect(accepted.text).toBe('NOOP\r\n');
});

test('an MTU that is changed while the router runs counts at once, and no repair is needed', async () => {
  const SMALLER = 900;
  lab.run('router', 'ip', ['link', 'set', 'inside', 'mtu', String(SMALLER)]);
  await router.logged('%HOST-6-MTU', /^%HOST-6-MTU: 'inside' takes packets of 900 bytes now$/);
  const packet = client.segment({ payload: `HELO ${'x'.repeat(900)}\r\n` }); // it fits the old one
  client.inject(withHeader(packet, { fragment: DONT_FRAGMENT }));
  const error = await until('fragmentation needed', () => client.received.find((p) => p[9] === 1));
  expect([error[20], error[21], (error[26]! << 8) | error[27]!]).toEqual([3, 4, SMALLER]);
  await say('NOOP\r\n'); // in its place: the session has not counted the other
  expect(accepted.text).toBe('NOOP\r\n');
  expect(router.log.filter((l) => l.mnemonic === '%HOST-4-REPAIRED')).toEqual([]);
  lab.run('router', 'ip', ['link', 'set', 'inside', 'mtu', String(MTU)]);
  await router.logged('%HOST-6-MTU', /1000 bytes now/);
});

test('Multipath TCP is not offered to the server, and no mapping reaches it', async () => {
  const mss = [2, 4, 5, 180];
  const capable = [30, 12, 1, 129, 1, 2, 3, 4, 5, 6, 7, 8];
  const ends = { src: client.address, srcPort: 9, dst: MAIL, dstPort: 25 };
  client.inject(tcpPacket({ ...ends, flags: 'S', seq: 7, options: [...mss, ...capable] }));
  const syn = await inside.packet('the SYN', (p) => p[20] === 0 && p[21] === 9);
  expect(optionsOf(syn)).toEqual([...mss, ...new Array<number>(12).fill(1)]);
  const mapping = [30, 12, 32, 1, 0, 0, 0, 1, 0, 0, 0, 9];
  const line: TcpFields = { ...ends, srcPort: client.port, flags: 'PA', seq: client.sndNxt, ack: client.rcvNxt };
  client.inject(tcpPacket({ ...line, options: mapping, payload: 'RSET\r\n' }));
  client.sndNxt += 6;
  const seen = await inside.packet('the line', (p) => payloadOf(p) === 'RSET\r\n');
  expect(optionsOf(seen)).toEqual(new Array<number>(12).fill(1));
});

test("a 354 with the server's inside address, sent from outside, opens nothing", async () => {
  for (const line of ['HELO a.test\r\n', 'MAIL FROM:<a@b.test>\r\n', 'RCPT TO:<a@b.test>\r\n']) await say(line);
  const before = dropped('Unexpected Interface');
  const replies = client.text.length;
  const forged = tcpPacket({
    src: '10.10.10.2',
    srcPort: 25,
    dst: client.address,
    dstPort: client.port,
    flags: 'PA',
    seq: client.rcvNxt,
    ack: (client.sndNxt + 6) | 0,
    payload: '354 go\r\n',
  });
  client.inject(client.segment({ payload: 'DATA\r\n' }));
  client.inject(forged);
  client.sndNxt += 6;
  await until('the refusal', () => client.text.slice(replies).includes('503'));
  client.inject(forged); // and again, with numbers that are old now
  await say('EXPN root\r\n');
  expect(accepted.text).not.toContain('EXPN');
  expect(accepted.text).toMatch(/DATA\r\nxxxxxxxxx\r\n$/);
  expect(dropped('Unexpected Interface')).toBe(before + 2);
});

test('the address of an inside host is nobody’s outside', async () => {
  const before = dropped('Spoofed Source address');
  client.inject(tcpPacket({ src: '10.10.10.5', srcPort: 9, dst: MAIL, dstPort: 25, flags: 'S', seq: 7 }));
  await until('the drop', () => dropped('Spoofed Source address') === before + 1);
  expect(inside.packets.some((p) => new DataView(p.buffer, p.byteOffset).getInt32(12) === ip('10.10.10.5'))).toBe(
    false,
  );
});
