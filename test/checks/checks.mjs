// What has to hold with config/3640.cfg, seen from a machine outside and from the machines inside: one list, run in the
// namespace lab and in virtual machines. Each check is a sentence and a function that throws if it is not true.
import { Buffer } from 'node:buffer';
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { bytesOf, receiveAll, sendAll, sha256 } from './bulk.mjs';
import { SmtpClient } from './smtp.mjs';
import { until } from './wait.mjs';

const OUTSIDE = '172.22.1.10';
const MAIL_SERVER = { insideLocal: '10.10.10.2', insideGlobal: '172.22.1.110' };
const SECOND_HOST = { insideLocal: '10.10.10.5', insideGlobal: '172.22.1.111' };
const RECIPIENT = 'root@example.test';
const SENDER = 'engineer@outside.test';
const BULK_LENGTH = 8 * 1024 * 1024;
const BULK_PORT = 7001;
const UDP_PORT = 7002;
const GIVE_UP_MS = 8000; // a connection or datagram that is dropped

let mails = 0;
/** Finds a mail again; unique over runs. */
const newToken = () => `check-${process.pid}-${Date.now()}-${++mails}`;

const run = (program, args) =>
  new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }));
  });

/** @returns 'connected', or why not */
function tryToConnect(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: GIVE_UP_MS });
    const end = (result) => {
      socket.destroy();
      resolve(result);
    };
    socket.on('connect', () => end('connected'));
    socket.on('timeout', () => end('no answer'));
    socket.on('error', (error) => end(error.code));
  });
}

/** Accepts one connection on a port. @returns { socket: Promise, close } */
async function listenOnce(port) {
  const server = createServer();
  const socket = new Promise((resolve) => server.once('connection', resolve));
  await new Promise((resolve, reject) => server.on('error', reject).listen(port, resolve));
  return { socket, close: () => server.close() };
}

/** Runs an SMTP dialogue while a wiretap listens at the mail server. @returns what arrived there, as text */
async function onTheWire(inside, dialogue) {
  await inside.ask('tap', { filter: `tcp dst port 25 and src host ${OUTSIDE}` });
  const client = await SmtpClient.open(MAIL_SERVER.insideGlobal);
  await dialogue(client);
  await client.quit();
  const arrived = async () => (await inside.ask('tapped')).map((p) => p.payload).join('');
  await until('QUIT at the mail server', async () => (await arrived()).includes('QUIT\r\n'));
  await inside.ask('untap');
  return arrived();
}

export const CHECKS = {
  'the inside hosts dial out, and are seen at their inside global addresses': async ({ agents }) => {
    assert.equal((await agents.named('inside')).peer, MAIL_SERVER.insideGlobal);
    assert.equal((await agents.named('inside2')).peer, SECOND_HOST.insideGlobal);
  },

  'a mail of swaks to the inside global address is delivered as it was sent': async ({ inside }) => {
    const token = newToken();
    const body = 'EXPN in a message is only text.';
    const server = ['--server', MAIL_SERVER.insideGlobal, '--protocol', 'SMTP', '--helo', 'client.outside.test'];
    const mail = ['--from', SENDER, '--to', RECIPIENT, '--header', `Subject: ${token}`, '--body', body];
    const { code, output } = await run('swaks', [...server, ...mail]);
    assert.equal(code, 0, output);
    const { text } = await inside.ask('mail', { token });
    assert.equal(text.trim(), body);
  },

  'illegal commands reach the server as x, are refused, and the session goes on': async ({ inside }) => {
    const illegal = ['EXPN root', 'EHLO client.outside.test', 'TURN', 'XYZZY'];
    const arrived = await onTheWire(inside, async (client) => {
      for (const command of illegal) assert.match(await client.say(command), /^5/, command);
      assert.match(await client.say('NOOP'), /^250/);
      assert.match(await client.say('HELO client.outside.test'), /^250/);
    });
    for (const command of illegal) {
      assert.ok(arrived.includes(`${'x'.repeat(command.length)}\r\n`), `${command} in ${JSON.stringify(arrived)}`);
      assert.ok(!arrived.includes(command), `${command} arrived`);
    }
    assert.ok(arrived.includes('NOOP\r\nHELO client.outside.test\r\n'));
  },

  'a legal command passes typed letter by letter, an illegal one is masked however it is cut': async ({ inside }) => {
    const arrived = await onTheWire(inside, async (client) => {
      for (const letter of 'HELO client.outside.test\r\n') {
        client.write(letter);
        await delay(5);
      }
      assert.match(await client.reply(), /^250/);
      client.write('EX');
      await delay(50);
      client.write('PN root\r');
      await delay(50);
      client.write('\n');
      assert.match(await client.reply(), /^5/);
    });
    assert.ok(arrived.startsWith('HELO client.outside.test\r\n'), arrived);
    assert.ok(!/EXPN|PN root/.test(arrived), arrived);
  },

  'several commands in one segment are judged one by one': async ({ inside }) => {
    const arrived = await onTheWire(inside, async (client) => {
      client.write('HELO client.outside.test\r\nEXPN root\r\nNOOP\r\n');
      const replies = [await client.reply(), await client.reply(), await client.reply()];
      assert.deepEqual(
        replies.map((reply) => reply[0]),
        ['2', '5', '2'],
      );
    });
    assert.ok(arrived.includes('HELO client.outside.test\r\nxxxxxxxxx\r\nNOOP\r\n'), arrived);
  },

  'a large mail arrives whole, and what some servers take for its end is overwritten': async ({ inside }) => {
    const token = newToken();
    const line = 'This line is one of many thousands, and each of them has to arrive.\r\n';
    const evil = 'before a bare line feed\n.behind it a dot\r\n';
    const body = Array.from({ length: 30_000 }, (_, i) => (i % 100 === 50 ? evil : line)).join('');
    const client = await SmtpClient.open(MAIL_SERVER.insideGlobal);
    await client.say('HELO client.outside.test');
    assert.match(await client.mail(SENDER, RECIPIENT, `Subject: ${token}\r\n\r\n${body}The end`), /^250/);
    await client.quit();
    const want = Buffer.from(`${body}The end\r\n`.replaceAll('\n.behind', '\nxbehind').replaceAll('\r\n', '\n'));
    const got = await inside.ask('mail', { token });
    assert.deepEqual({ length: got.length, sha256: got.sha256 }, { length: want.length, sha256: sha256(want) });
  },

  'twenty mails at a time arrive, each with its own content': async ({ inside }) => {
    const send = async (seed) => {
      const token = newToken();
      const body = bytesOf(seed, 15_000).toString('base64').replace(/.{76}/g, '$&\r\n');
      const client = await SmtpClient.open(MAIL_SERVER.insideGlobal);
      await client.say('HELO client.outside.test');
      assert.match(await client.mail(SENDER, RECIPIENT, `Subject: ${token}\r\n\r\n${body}`), /^250/);
      await client.quit();
      return { token, want: sha256(Buffer.from(`${body}\r\n`.replaceAll('\r\n', '\n'))) };
    };
    const sent = await Promise.all(Array.from({ length: 20 }, (_, i) => send(i + 1)));
    for (const { token, want } of sent) assert.equal((await inside.ask('mail', { token })).sha256, want);
  },

  'nothing else comes in: other ports, the second host, inside local addresses, ping, UDP': async ({ inside }) => {
    await inside.ask('tap', { filter: `src host ${OUTSIDE} and not tcp port 7000` });
    const closed = [
      [MAIL_SERVER.insideGlobal, 80],
      [MAIL_SERVER.insideGlobal, 587],
      [SECOND_HOST.insideGlobal, 25],
      [MAIL_SERVER.insideLocal, 25],
    ];
    const results = await Promise.all(closed.map(([host, port]) => tryToConnect(host, port)));
    results.forEach((result, i) => assert.notEqual(result, 'connected', closed[i].join(' port ')));
    for (const host of [MAIL_SERVER.insideGlobal, MAIL_SERVER.insideLocal]) {
      assert.notEqual((await run('ping', ['-n', '-c', '2', '-W', '2', host])).code, 0, `ping ${host}`);
    }
    const udp = createSocket('udp4');
    for (const port of [25, 53, UDP_PORT]) udp.send('unasked for', port, MAIL_SERVER.insideGlobal);
    // What is permitted comes last: when that has arrived, all that was sent before it has had its time.
    const client = await SmtpClient.open(MAIL_SERVER.insideGlobal);
    await client.quit();
    udp.close();
    const arrived = () => inside.ask('tapped');
    await until('the permitted connection', async () => (await arrived()).some((p) => p.payload.includes('QUIT')));
    await inside.ask('untap');
    const others = (await arrived()).filter((p) => p.protocol !== 'tcp' || p.toPort !== 25);
    assert.deepEqual(others, []);
  },

  'a ping from inside is answered, in fragments too; its replies need no entry in the access list': async (
    machines,
  ) => {
    for (const host of [machines.inside, machines.inside2]) {
      for (const size of [56, 4000]) {
        const { code, output } = await host.ask('ping', { to: OUTSIDE, size });
        assert.equal(code, 0, output);
      }
    }
  },

  'a datagram from inside is answered through the hole that it opened': async ({ inside2 }) => {
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.bind(UDP_PORT, resolve));
    const peers = new Set();
    socket.on('message', (bytes, peer) => {
      peers.add(peer.address);
      socket.send(`answer to ${bytes.toString()}`, peer.port, peer.address);
    });
    try {
      const answer = await inside2.ask('datagram', { port: UDP_PORT, text: 'question', patienceMs: GIVE_UP_MS });
      assert.equal(answer, 'answer to question');
      assert.deepEqual([...peers], [SECOND_HOST.insideGlobal]);
    } finally {
      socket.close();
    }
  },

  'an upload from inside arrives intact': async ({ inside }) => {
    const listener = await listenOnce(BULK_PORT);
    const sent = inside.ask('send', { port: BULK_PORT, seed: 1, length: BULK_LENGTH });
    const got = await receiveAll(await listener.socket);
    listener.close();
    assert.deepEqual(got, { sha256: await sent, length: BULK_LENGTH });
  },

  'a download to inside arrives intact': async ({ inside2 }) => {
    const listener = await listenOnce(BULK_PORT);
    const received = inside2.ask('receive', { port: BULK_PORT });
    const sent = await sendAll(await listener.socket, bytesOf(2, BULK_LENGTH));
    listener.close();
    assert.deepEqual(await received, { sha256: sent, length: BULK_LENGTH });
  },
};
