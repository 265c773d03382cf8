/**
 * Fragments of a raw sender, the router, and a kernel that puts together what comes: whatever their identifications and
 * order, the server's application reads what was inspected. The link to it is narrow, so that what the router sends is
 * cut up again.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { fragmentsAt } from '../fragment/fragments.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { RawTcp } from './support/raw-tcp.js';
import { smtpServer } from './support/smtp-server.js';
import type { Connection, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';
import { Wire } from './support/wire.js';

const MAIL = '172.22.1.110';
const MTU = 200;
/** One for all datagrams. */
const ID = 4711;

/**
 * Two commands, whose halves fit together: behind the TCP header's 20 bytes, 12 bytes fill up to a multiple of eight,
 * and the second halves have the same words. [first of 1 | second of 2] would be a NOOP and an EXPN.
 */
const FIRST = { begin: 'NOOP aaaaa\r\n', end: 'NOOP root EXPN  \r\n' };
const SECOND = { begin: 'NOOP cccccc ', end: 'EXPN root NOOP  \r\n' };

let lab: Lab;
let server: TcpServer;
let client: RawTcp;
let accepted: Connection;
let inside: Wire;

beforeAll(async () => {
  lab = Lab.up();
  await Fw3640.start(lab);
  lab.run('router', 'ip', ['link', 'set', 'inside', 'mtu', String(MTU)]);
  inside = await Wire.tap(lab, 'inside', 'eth0', 'inbound and ip');
});
afterAll(() => lab.down());

beforeEach(async () => {
  server = await smtpServer(lab);
  client = await RawTcp.open(lab, MAIL, 25);
  client.send({ flags: 'A' });
  accepted = await server.connection(1);
  await client.receive(/^220 /);
});
afterEach(async () => {
  await client.close();
  await server.close();
});

async function serverGot(text: string): Promise<void> {
  await until(
    () => `${JSON.stringify(text)} at the server, which got ${JSON.stringify(accepted.text)}`,
    () => accepted.text.length >= text.length,
  );
  expect(accepted.text).toBe(text);
}

const idOf = (packet: Uint8Array): number => (packet[4]! << 8) | packet[5]!;
const flagsOf = (packet: Uint8Array): number => (packet[6]! << 8) | packet[7]!;
/** What came to the inside host of this connection. */
const arrived = (): Uint8Array[] => inside.packets.filter((p) => p.slice(12, 16).join('.') === client.address);

describe('two datagrams of one identification, whose halves fit together, checksum and all', () => {
  test.each([{ order: [0, 1, 3, 2] }, { order: [0, 1, 2, 3] }, { order: [1, 0, 3, 2] }, { order: [1, 0, 2, 3] }])(
    'in a burst, in the order $order',
    async ({ order }) => {
      const ROUNDS = 15;
      let text = '';
      for (let round = 0; round < ROUNDS; round++) {
        const first = FIRST.begin + FIRST.end;
        const second = SECOND.begin + SECOND.end;
        const parts = [
          ...fragmentsAt(client.segment({ payload: first, id: ID }), [4]),
          ...fragmentsAt(client.segment({ payload: second, id: ID, at: first.length }), [4]),
        ];
        for (const i of order) client.inject(parts[i]!);
        client.sndNxt = (client.sndNxt + first.length + second.length) | 0;
        text += first + second;
        await client.settled();
      }
      await serverGot(text);
      for (const p of arrived()) expect(flagsOf(p) & 0x3fff).toBe(0);
    },
  );
});

test('whole segments of one identification that the router has to cut up leave it under different ones', async () => {
  const line = (letter: string): string => `NOOP ${letter.repeat(300)}\r\n`;
  const before = arrived().length;
  let text = '';
  for (const letter of 'abcdefgh') {
    client.inject(client.segment({ payload: line(letter), id: ID, at: text.length }));
    text += line(letter);
  }
  client.sndNxt = (client.sndNxt + text.length) | 0;
  await serverGot(text);
  const cut = arrived()
    .slice(before)
    .filter((p) => (flagsOf(p) & 0x3fff) !== 0);
  const firsts = cut.filter((p) => (flagsOf(p) & 0x1fff) === 0);
  expect(firsts.length).toBe(8);
  expect(new Set(firsts.map(idOf)).size).toBe(8);
  expect(cut.map((p) => p.length <= MTU)).not.toContain(false);
});

test('a second fragment that would die in the router does not leave the first one to the next datagram', async () => {
  const first = FIRST.begin + FIRST.end;
  const second = SECOND.begin + SECOND.end;
  const [begin, end] = fragmentsAt(client.segment({ payload: first, id: ID }), [4]);
  const dying = end!.slice();
  dying[8] = 1;
  writeIpv4Checksum(dying, 0, 20);
  client.inject(begin!);
  client.inject(dying);
  for (const f of fragmentsAt(client.segment({ payload: second, id: ID, at: first.length }), [4])) client.inject(f);
  // An honest sender sends again what nobody acknowledges.
  client.inject(client.segment({ payload: first, id: ID + 1 }));
  client.sndNxt = (client.sndNxt + first.length + second.length) | 0;
  await client.settled();
  await serverGot(first + second);
});

test('a datagram of 47,000 bytes in 32 fragments goes there and comes back', () => {
  lab.run('router', 'ip', ['link', 'set', 'inside', 'mtu', '1500']);
  const said = lab.run('inside', 'ping', ['-c', '3', '-i', '0.2', '-s', '47000', '172.22.1.10']);
  expect(said).toMatch(/ 0% packet loss/);
});
