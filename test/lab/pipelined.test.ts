/** Who asks several things at once: every reply is matched with its question, in front of real servers. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { FtpServer, startDns } from './support/servers.js';
import { Wire } from './support/wire.js';

const PEER = '172.22.1.10';
const HOST_GLOBAL = '172.22.1.111'; // of 10.10.10.5
const AGENTS = join(import.meta.dirname, 'support/agents');

let lab: Lab;
let router: Fw3640;

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab, {
    config: configVariant(
      lab,
      ['ip inspect name OUT-IN smtp', 'ip inspect name OUT-IN smtp\nip inspect name OUT-IN ftp'],
      [
        'access-list 101 permit tcp any host 172.22.1.110 eq smtp',
        `access-list 101 permit tcp any host ${HOST_GLOBAL} eq ftp`,
      ],
    ),
  });
});
afterAll(() => lab.down());

describe('an FTP client that does not wait, and vsftpd behind static NAT', () => {
  let wire: Wire;
  beforeAll(async () => {
    await FtpServer.start(lab, 'inside2');
    wire = await Wire.tap(lab, 'outside', 'eth0', 'tcp');
  });
  afterAll(() => wire.close());

  interface Dialogue {
    replies: string[];
    /** The last one that the server named. */
    endpoint: [string, number];
    listing: number | null;
  }

  function ask(...commands: string[]): Dialogue {
    const done = lab.exec('outside', 'python3', [join(AGENTS, 'ftp-pipelined.py'), HOST_GLOBAL, ...commands]);
    expect(done.stderr).toBe('');
    return JSON.parse(done.stdout) as Dialogue;
  }

  test.each([
    { commands: ['SIZE f', 'PASV'], codes: [550, 227] },
    { commands: ['PASV', 'EPSV'], codes: [227, 229] },
    { commands: ['EPSV', 'PASV'], codes: [229, 227] },
    { commands: ['PASV', 'PASV'], codes: [227, 227] },
    { commands: ['SYST', 'PASV', 'NOOP'], codes: [215, 227, 200] },
    { commands: ['FEAT', 'PASV'], codes: [211, 227] },
    { commands: ['HELP', 'STAT', 'PASV'], codes: [214, 211, 227] },
    { commands: ['SIZE f', 'PASV', 'LIST'], codes: [550, 227, 150, 226] },
    { commands: ['PASV', 'EPSV', 'LIST'], codes: [227, 229, 150, 226] },
    { commands: ['PASV', 'PASV', 'LIST'], codes: [227, 227, 150, 226] },
  ])('$commands', ({ commands, codes }) => {
    const { replies, endpoint, listing } = ask(...commands);
    expect(replies.map((r) => Number(r.slice(0, 3)))).toEqual(codes);
    expect(endpoint[0]).toBe(HOST_GLOBAL);
    for (const r of replies.filter((text) => text.startsWith('227')))
      expect(r).toContain(`(${HOST_GLOBAL.replaceAll('.', ',')},`);
    if (commands.at(-1) === 'LIST') expect(listing).toBeGreaterThan(0); // the connection that was named was let in
  });

  test('no inside address went out, in a header or in what is carried', async () => {
    const last = `got-${Date.now()}`;
    ask(last, 'PASV');
    await wire.packet('the last dialogue', (p) => Buffer.from(p).toString('latin1').includes(last));
    await wire.packet('all of it', (p) => Buffer.from(p).toString('latin1').includes('227 ') && p[12] === 172);
    expect(wire.packets.length).toBeGreaterThan(100);
    const inside = (p: Uint8Array): boolean => {
      const text = Buffer.from(p).toString('latin1');
      return /10,10,10,\d|10\.10\.10\.\d/.test(text) || [12, 16].some((at) => p[at] === 10 && p[at + 1] === 10);
    };
    expect(wire.packets.filter(inside).map((p) => Buffer.from(p).toString('latin1'))).toEqual([]);
  });
});

test('fifty DNS questions of one socket are all answered', async () => {
  await startDns(lab, 'outside', 'example.test', '192.0.2.25');
  const asked = lab.run('inside2', 'python3', [join(AGENTS, 'dns-many.py'), PEER, '50']);
  expect(asked).toBe('50\n');
  expect(router.console('show ip inspect statistics')).toContain('udp packets:');
});
