// What runs on a machine behind the firewall while checks run: it dials out, and does what run-checks asks for.
//   inside.mjs NAME [--from ADDRESS] [--outside ADDRESS] [--mailbox FOLDER]
// NAME: inside or inside2; --mailbox: the maildir of its Postfix. Runs until it is ended.
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CONTROL_PORT, HEARTBEAT_MS } from './agents.mjs';
import { bytesOf, receiveAll, sendAll, sha256 } from './bulk.mjs';
import { Tap } from './tap.mjs';
import { until } from './wait.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string' },
    outside: { type: 'string', default: '172.22.1.10' },
    mailbox: { type: 'string' },
  },
});
const name = positionals[0] ?? 'inside';
const DIAL_AGAIN_MS = 500;
/** The session is gone, with a restart of the router: dial anew. */
const SILENCE_MS = 15 * HEARTBEAT_MS;
const SMALL = 4000; // bytes of a mail that are answered as text

const run = (program, args) =>
  new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, output: stdout + stderr }));
  });
const dial = (port) => connect({ host: options.outside, port, localAddress: options.from });

let tap;
const operations = {
  /** The mail with this text in its header, when it has been delivered. */
  async mail({ token, patienceMs }) {
    const seen = new Set();
    const box = join(options.mailbox, 'new');
    const find = async () => {
      for (const file of await readdir(box).catch(() => [])) {
        if (seen.has(file)) continue;
        const mail = await readFile(join(box, file));
        const end = mail.indexOf('\n\n');
        if (mail.toString('latin1', 0, end).includes(token)) return mail.subarray(end + 2);
        seen.add(file);
      }
      return undefined;
    };
    const body = await until(`a mail with ${token} in ${box}`, find, patienceMs);
    const text = body.length <= SMALL ? body.toString('latin1') : undefined;
    return { sha256: sha256(body), length: body.length, text };
  },

  /** Listens on the NIC towards the router. */
  async tap({ filter }) {
    const { output } = await run('ip', ['-j', 'route', 'get', options.outside]);
    tap?.stop();
    tap = await Tap.start(JSON.parse(output)[0].dev, filter);
  },
  /** What the wiretap has seen so far. */
  tapped: () => tap.packets,
  untap: () => tap.stop(),

  ping: ({ to, size = 56 }) => {
    const from = options.from === undefined ? [] : ['-I', options.from];
    return run('ping', ['-n', '-c', '2', '-W', '5', '-s', String(size), ...from, to]);
  },
  /** Uploads. @returns the hash of what was sent */
  send: ({ port, seed, length }) => sendAll(dial(port), bytesOf(seed, length)),
  /** Downloads. @returns hash and length */
  receive: ({ port }) => receiveAll(dial(port)),
  /** @returns the answer to a datagram, undefined if there is none */
  async datagram({ port, text, patienceMs }) {
    const socket = createSocket('udp4');
    try {
      let answer;
      socket.on('message', (bytes) => (answer = bytes.toString()));
      await new Promise((resolve) => socket.bind({ address: options.from }, resolve));
      socket.send(text, port, options.outside);
      return await until('an answer', () => answer, patienceMs).catch(() => null);
    } finally {
      socket.close();
    }
  },
};

async function perform(socket, { id, operation, ...parameters }) {
  let reply;
  try {
    reply = { id, answer: (await operations[operation](parameters)) ?? null };
  } catch (error) {
    reply = { id, error: `${name}: ${error.message}` };
  }
  socket.write(`${JSON.stringify(reply)}\n`);
}

/** One control connection, until it ends or falls silent. */
const serve = () =>
  new Promise((resolve) => {
    const socket = dial(CONTROL_PORT);
    socket.setTimeout(5 * HEARTBEAT_MS, () => socket.destroy()); // a SYN that nobody answers
    socket.on('connect', () => {
      socket.setTimeout(SILENCE_MS);
      socket.write(`${JSON.stringify({ name })}\n`);
    });
    const lines = createInterface({ input: socket });
    lines.on('error', () => undefined); // of the socket: it closes, and we dial again
    lines.on('line', (line) => {
      const message = JSON.parse(line);
      if (message.operation !== undefined) void perform(socket, message);
    });
    socket.on('close', resolve);
  });

process.on('SIGTERM', () => {
  tap?.stop();
  process.exit();
});
for (;;) {
  await serve();
  await delay(DIAL_AGAIN_MS);
}
