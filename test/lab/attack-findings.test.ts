/**
 * Ways round the inspection that were found once, each with the packets that went it and the server that took it: real
 * Exim and Postfix, and a server on the kernel's own MPTCP. Their own logs say what they executed.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fitted } from '../attack/fitted.js';
import { fragmentsAt } from '../fragment/fragments.js';
import { latin1, tcpPacket } from '../support/packets.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { Attacker, type Client, dropLowTtl } from './support/attacker.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import {
  ADDRESSES,
  attackedConfig,
  globalOf,
  haveMailers,
  MailServers,
  SERVER_NAMES,
  type ServerName,
} from './support/mail-servers.js';
import { randomOf } from './support/random.js';

describe.skipIf(!haveMailers)('a way round the inspection', () => {
  let lab: Lab;
  let servers: MailServers;
  let attacker: Attacker;
  let tokens = 0;

  beforeAll(async () => {
    lab = Lab.up();
    servers = await MailServers.start(lab);
    dropLowTtl(lab);
    await Fw3640.start(lab, { config: attackedConfig(lab, 'esmtp allow BDAT') });
    attacker = await Attacker.start(lab);
  });
  afterAll(async () => {
    await attacker.close();
    await lab.down();
  });

  const clientOf = (server: ServerName): Client => attacker.client(globalOf(server), randomOf(Date.now() + tokens));
  /** A line that must not be executed, of even length. */
  const newEvil = (): string => `EXPN f${1000 + tokens++}  \r\n`;

  async function opened(server: ServerName): Promise<Client> {
    const c = clientOf(server);
    expect(await c.open()).toBe(true);
    expect(await c.until(() => c.text.includes('220 '), 20_000)).toBe(true);
    return c;
  }

  /** Says lines; each is answered before the next, unless the router has reset the connection. */
  async function say(c: Client, ...lines: string[]): Promise<void> {
    for (const line of lines) {
      const before = c.text.length;
      c.send({ payload: `${line}\r\n` });
      expect(
        await c.until(() => c.closed || /^\d{3} .*\r\n/m.test(c.text.slice(before)), 20_000),
        c.trail.join('\n'),
      ).toBe(true);
    }
  }

  /** Ends the connection, and looks whether the server has executed `evil`. */
  async function expectNotExecuted(c: Client, server: ServerName, evil: string): Promise<void> {
    await c.settle(100, 1000);
    const token = /f\d+/.exec(evil)![0];
    expect(servers.executed(server, new RegExp(`^ *EXPN ${token}`)), c.trail.join('\n')).toEqual([]);
    c.send({ flags: 'RA', seq: c.acked });
  }

  describe.each(SERVER_NAMES.map((server) => ({ server })))('to $server', ({ server }) => {
    test('fragments of two datagrams, made to fit, the second of one and the first of the other lost', async () => {
      const c = await opened(server);
      const evil = newEvil();
      const one = c.segment({ payload: `NOOP 12345\r\n${fitted('NOOP ', evil)}`, id: 77 });
      c.nxt += 12 + evil.length;
      const two = c.segment({ payload: `NOOP        ${evil}`, id: 77 });
      const [first, second] = fragmentsAt(one, [4]);
      const [third, fourth] = fragmentsAt(two, [4]);
      for (const lost of [second!, third!]) {
        lost[8] = 1;
        writeIpv4Checksum(lost, 0, 20);
      }
      for (const piece of [first!, second!, third!, fourth!]) c.inject(piece, 'fragment');
      await expectNotExecuted(c, server, evil);
    });

    test('a 354 and a 334 that come in by the outside interface with the address of the server', async () => {
      for (const [command, reply] of [
        ['DATA', '354 Go'],
        ['AUTH LOGIN', '334 VXNlcm5hbWU6'],
      ] as const) {
        const c = await opened(server);
        await say(c, 'EHLO c.test');
        const evil = newEvil();
        const { rcvNxt } = c;
        c.prompt = false;
        c.send({ payload: `${command}\r\n`, window: 0 });
        expect(await c.until(() => c.acked === c.nxt, 5000)).toBe(true);
        const src = ADDRESSES[server];
        const ports = { srcPort: 25, dst: c.address, dstPort: c.port };
        const payload = latin1(`${reply}\r\n`);
        c.inject(tcpPacket({ src, ...ports, flags: 'PA', seq: rcvNxt, ack: c.nxt, payload }), reply);
        await c.settle(20, 200);
        c.send({ payload: evil, ack: rcvNxt, window: 0 });
        await expectNotExecuted(c, server, evil);
      }
    });
  });

  describe.each([{ server: 'exim' }, { server: 'oracle' }] as const)('to $server', ({ server }) => {
    test('a line that it answers twice, and replies let out one by one', async () => {
      const c = await opened(server);
      await say(c, 'EHLO c.test');
      const evil = newEvil();
      c.prompt = false;
      const lineOut = async (): Promise<void> => {
        // The window lets out a reply, byte by byte so as not to let out the next.
        for (let i = 0; i < 120 && !/\n$/.test(c.text.slice(at)); i++) {
          c.send({ flags: 'A', window: 1 });
          const before = c.rcvNxt;
          if (!(await c.until(() => c.rcvNxt !== before, 1500))) break;
        }
        at = c.text.length;
        c.send({ flags: 'A', window: 0 });
      };
      let at = c.text.length;
      const long = `AUTH LOGIN ${'x'.repeat(16_500)}\r\n`;
      for (let i = 0; i < long.length; i += 1400) c.send({ payload: long.slice(i, i + 1400), window: 0 });
      await c.settle(50, 500);
      await lineOut();
      c.send({ payload: 'AUTH LOGIN\r\n', window: 0 });
      await lineOut();
      c.send({ payload: 'AUTH LOGIN\r\n', window: 0 });
      await lineOut();
      c.send({ payload: evil, window: 0 });
      await expectNotExecuted(c, server, evil);
    });

    const envelope = ['MAIL FROM:<a@c.test>', 'RCPT TO:<b@example.test>'];
    test.each([
      { name: 'before MAIL', lines: [], segment: [] },
      { name: 'behind MAIL alone', lines: envelope.slice(0, 1), segment: [] },
      { name: 'behind a HELO in the same segment', lines: [], segment: ['HELO c.test'] },
      // Exim then takes octets for commands, and refuses all but RSET.
      { name: 'behind a chunk and HELO', lines: [...envelope, 'BDAT 3\r\na'], segment: ['HELO c.test'] },
      { name: 'behind two chunks of nothing', lines: envelope, segment: ['BDAT 0', 'BDAT 0'] },
    ])('BDAT $name: its octets', async ({ lines, segment }) => {
      const c = await opened(server);
      await say(c, 'EHLO c.test', ...lines);
      const evil = newEvil();
      c.send({ payload: [...segment, `BDAT ${evil.length}`, evil].join('\r\n') });
      await expectNotExecuted(c, server, evil);
    });
  });

  test('MPTCP, which reads segments in another order than they were inspected in', async () => {
    const c = clientOf('oracle');
    const key = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
    // Where the router has taken the option out, the mappings are sent all the same.
    const keys = (): number[] => [30, 20, 0x01, 0x01, ...key, ...(c.serverKey ?? key)];
    expect(await c.open([30, 4, 0x01, 0x01], keys)).toBe(true);
    expect(await c.until(() => c.text.includes('220 '), 20_000)).toBe(true);
    const evil = newEvil();
    const serverKey = c.serverKey ?? key;
    const first = idsn(key) + 1n;
    const ack = Number((idsn(serverKey) + 1n) & 0xffffffffn);
    const start = (c.nxt - c.iss - 1) | 0;
    const send = (text: string, at: number): void => {
      const dsn = eightBytes(first + BigInt(at));
      const ssn = (c.nxt - c.iss) | 0;
      const mapping = [30, 22, 0x20, 0x0d, ...fourBytes(ack), ...dsn, ...fourBytes(ssn), 0, text.length, 1, 1];
      c.send({ payload: text, options: mapping });
    };
    send('NOOP ', start);
    send(evil, start + 7);
    send('\r\n', start + 5);
    await expectNotExecuted(c, 'oracle', evil);
  });
});

const fourBytes = (n: number): number[] => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const eightBytes = (n: bigint): number[] =>
  Array.from({ length: 8 }, (_, i) => Number((n >> BigInt(56 - 8 * i)) & 255n));

/** Initial data sequence number of a key (RFC 8684 §3.1). */
const idsn = (key: Uint8Array): bigint => createHash('sha256').update(key).digest().readBigUInt64BE(24);
