/**
 * A four-tuple that is used again, with kernel TCP at both ends: a client, a server or the router has forgotten what the
 * others remember. And the attack on it: a server that is reset behind our back, and connected to anew.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seqAdd } from '../../src/core/wire/seq.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { Fw3640 } from './support/fw3640.js';
import { type Host, Lab } from './support/lab.js';
import { Agent } from './support/process.js';
import { RawTcp } from './support/raw-tcp.js';
import { smtpServer } from './support/smtp-server.js';
import { until } from './support/until.js';

const MAIL = '172.22.1.110';
const TTL = 8;

let lab: Lab;
let router: Fw3640;

beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab);
});
afterAll(() => lab.down());

/** The resets of a host get lost from now on, or no longer: what it forgets, it forgets without a word. */
function silent(host: Host, on: boolean): void {
  lab.run(host, 'iptables', [on ? '-I' : '-D', 'OUTPUT', '-p', 'tcp', '--tcp-flags', 'RST', 'RST', '-j', 'DROP']);
}

describe('connections from the ports of connections that one side has forgotten', () => {
  const COUNT = 40;
  let firstPort = 20_000;

  interface Word {
    connected?: number;
    slowest?: number;
    forgotten?: true;
    failed?: string;
  }

  test.each([
    { who: 'the client', serverToo: false, routerToo: false },
    { who: 'the client and the server', serverToo: true, routerToo: false },
    { who: 'the client and the router', serverToo: false, routerToo: true },
  ])('$who: each is there again at once', async ({ serverToo, routerToo }) => {
    const server = await smtpServer(lab);
    const words: Word[] = [];
    const args = ['ports.mjs', MAIL, '25', String((firstPort += 100)), String(COUNT)];
    const client = await Agent.start<Word>(lab, 'outside', args, (w) => words.push(w));
    const answer = (line: string, patienceMs?: number): Promise<Word> => {
      client.send(line);
      return until(`an answer to ${line}`, () => words.pop(), patienceMs);
    };
    expect(await answer('connect', 30_000)).toMatchObject({ connected: COUNT });
    silent('outside', true);
    await answer('forget');
    silent('outside', false);
    if (serverToo) {
      silent('inside', true);
      const old = server.connections.slice();
      for (const connection of old) connection.reset();
      await until('the server to have forgotten', () => old.every((c) => c.closed !== undefined));
      silent('inside', false);
    }
    if (routerToo) {
      await router.stop();
      router = await Fw3640.start(lab);
    }
    const again = await answer('connect', 60_000);
    expect(again).toMatchObject({ connected: COUNT });
    // A SYN that nobody answers comes again after a second. Here each is answered; machines under load are slow.
    expect(again.slowest).toBeLessThan(900);
    expect(router.console('show ip inspect sessions')).toMatch(/SIS_OPEN/);
    await client.close();
    await server.close();
  });
});

test('a server that was reset behind our back, and gives away its next number, hears no forbidden command', async () => {
  // With SYN cookies alone, the server's number moves as the client's does, for a minute.
  lab.run('inside', 'sysctl', ['-qw', 'net.ipv4.tcp_syncookies=2']);
  const server = await smtpServer(lab);
  const client = await RawTcp.open(lab, MAIL, 25);
  const isnClient = seqAdd(client.sndNxt, -1);
  const isnServer = seqAdd(client.rcvNxt, -1);
  client.send({ flags: 'A' });
  const lines = ['HELO a.example', 'NOOP', 'NOOP', 'MAIL FROM:<a@a.example>', 'RCPT TO:<b@b.example>', 'DATA'];
  let replies = 1;
  for (const line of lines) {
    await until('a reply', () => client.text.split('\r\n').length > replies);
    replies++;
    client.send({ payload: `${line}\r\n` });
  }
  await client.receive(/354 /);
  await client.settled();

  // What the server gets, what dies on the way, and a RST with the number that the server expects in between.
  const dead = client.segment({ payload: 'lost on the way\r\n', at: 5 });
  dead[TTL] = 1;
  writeIpv4Checksum(dead, 0, 20);
  client.inject(client.segment({ payload: 'abc\r\n' }));
  client.inject(dead);
  client.inject(client.segment({ flags: 'R', at: 5 }));
  client.sndNxt = seqAdd(client.sndNxt, 5 + 17 - 1);
  const moved = seqAdd(client.sndNxt, -isnClient);
  client.inject(client.segment({ flags: 'S' }));
  client.sndNxt = seqAdd(client.sndNxt, 1);
  client.rcvNxt = seqAdd(isnServer, moved + 1);
  client.inject(client.segment({ flags: 'A' }));
  client.inject(client.segment({ payload: 'EXPN root\r\n' }));

  // Whoever comes now is served after all of that.
  const witness = await RawTcp.open(lab, MAIL, 25, '172.22.1.26');
  witness.send({ flags: 'A' });
  await witness.receive(/220 /);
  witness.send({ payload: 'EXPN all\r\n' });
  await witness.receive(/500 /);
  const heard = server.connections.map((c) => c.text);
  expect(heard.length).toBeGreaterThanOrEqual(2);
  expect(heard.filter((text) => /^EXPN/m.test(text.replace(/^DATA\r\n[^]*/m, '')))).toEqual([]);
  await witness.close();
  await client.close();
  await server.close();
});
