/**
 * What no kernel would send: segments cut, doubled, overlapping, out of order and in fragments. Whatever arrives at the
 * server, no illegal verb is in it, and the session goes on.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fragmentsAt } from '../fragment/fragments.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { RawTcp } from './support/raw-tcp.js';
import { smtpServer } from './support/smtp-server.js';
import type { Connection, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

const MAIL = '172.22.1.110';

let lab: Lab;
let router: Fw3640;
let server: TcpServer;
let client: RawTcp;
let accepted: Connection;

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab);
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

/** Waits until the server has got so many bytes, and a legal command after them works. */
async function serverGot(text: string): Promise<void> {
  await until(
    () => `${JSON.stringify(text)} at the server, which got ${JSON.stringify(accepted.text)}`,
    () => accepted.text.length >= text.length,
  );
  expect(accepted.text).toBe(text);
  const replies = client.text.length;
  client.send({ payload: 'NOOP\r\n' });
  await until('the reply to NOOP', () => client.text.slice(replies).includes('250 '));
  expect(accepted.text).toBe(`${text}NOOP\r\n`);
}

describe('segments', () => {
  test('a command split anywhere is recognised', async () => {
    for (const payload of ['E', 'XPN ro', 'ot', '\r', '\n']) {
      client.send({ payload });
      await client.settled();
    }
    await serverGot('xxxxxxxxx\r\n');
  });

  test('a retransmitted segment is overwritten again', async () => {
    const line = 'EXPN root\r\n';
    client.send({ payload: line });
    await client.receive(/500 /);
    client.send({ payload: line, at: -line.length });
    client.send({ payload: 'EXPN ', at: -line.length });
    await serverGot('xxxxxxxxx\r\n');
  });

  test('out of order: the end of an illegal command before its beginning', async () => {
    client.send({ payload: 'N root\r\n', at: 3 });
    client.sndNxt -= 11; // what was skipped comes now
    client.send({ payload: 'EXP' });
    client.sndNxt += 8;
    await serverGot('xxxxxxxxx\r\n');
  });

  test('overlap: the second copy of a byte differs, and the server gets what was inspected', async () => {
    client.send({ payload: 'NOOP' });
    await until('the first bytes', () => accepted.text.length >= 4);
    client.send({ payload: 'EXPN root\r\n', at: -4 });
    await until('the rest', () => accepted.text.endsWith('\r\n'));
    expect(accepted.text).toMatch(/^NOOP[x ]/);
    expect(accepted.text).not.toContain('EXPN');
  });

  test('a verb hidden behind a gap that is filled twice, in two ways', async () => {
    client.send({ payload: 'PN root\r\n', at: 2 });
    client.sndNxt -= 11;
    client.inject(client.segment({ payload: 'NO' }));
    client.inject(client.segment({ payload: 'EX' }));
    client.sndNxt += 11;
    await until('the whole line', () => accepted.text.endsWith('\r\n'));
    expect(accepted.text).not.toContain('EXPN');
  });

  test('a segment outside the window changes nothing', async () => {
    client.inject(client.segment({ payload: 'EXPN root\r\n', at: 2_000_000 }));
    client.inject(client.segment({ payload: 'EXPN root\r\n', at: -2_000_000 }));
    await serverGot('');
  });
});

describe('fragments', () => {
  const LINE = 'EXPN root@example.test\r\n';
  const MASKED = `${'x'.repeat(LINE.length - 2)}\r\n`;
  /** The TCP header and the first bytes of the command, then eight bytes each. */
  const pieces = (payload: string, id?: number): Uint8Array[] =>
    fragmentsAt(client.segment({ payload, ...(id === undefined ? {} : { id }) }), [3, 4, 5]);
  const failures = (): number =>
    Number(/Ethernet2\/0:.*?reassembly failures:(\d+)/s.exec(router.console('show ip virtual-reassembly'))?.[1]);

  test.each([
    { name: 'in order', order: (f: Uint8Array[]) => f },
    { name: 'last first', order: (f: Uint8Array[]) => [...f].reverse() },
  ])('a segment in fragments, $name, is inspected as a whole', async ({ order }) => {
    for (const fragment of order(pieces(LINE))) client.inject(fragment);
    client.sndNxt += LINE.length;
    await serverGot(MASKED);
  });

  test('a fragment that overlaps another is dropped with its datagram', async () => {
    const [first, second, third, last] = pieces('NOOP there is nothing\r\n', 1);
    const evil = pieces(LINE, 1)[1]!;
    for (const fragment of [first!, second!, evil, third!, last!]) client.inject(fragment);
    await router.logged('%IP_VFR-3-OVERLAP_FRAGMENTS', /from the host 172\.22\.1\.25 destined to 172\.22\.1\.110/);
    await serverGot('');
  });

  test('a first fragment without the whole TCP header is dropped: what hides there cannot be judged', async () => {
    for (const fragment of fragmentsAt(client.segment({ payload: LINE }), [1])) client.inject(fragment);
    await router.logged('%IP_VFR-4-TINY_FRAGMENTS');
    await serverGot('');
  });

  test('an incomplete datagram is dropped after its timeout and not passed in parts', async () => {
    const before = failures();
    for (const fragment of pieces(LINE).slice(0, 3)) client.inject(fragment);
    await until('the reassembly to time out', () => failures() > before);
    await serverGot('');
  });
});
