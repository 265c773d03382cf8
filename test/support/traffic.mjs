// Sends or receives bytes between hosts of the lab. Each mode prints one line when it is done:
//   tcp-receive PORT            sha256 of what the first connection sent        (first prints "ready")
//   tcp-send HOST PORT BYTES    sha256 of what it sent
//   udp-receive PORT COUNT      how many datagrams came with the right content  (first prints "ready")
//   udp-order PORT COUNT        the numbers of the datagrams as they came        (first prints "ready")
//   udp-send HOST PORT COUNT    number sent
//   udp-ask HOST PORT           the answer to one datagram "question"
import { Buffer } from 'node:buffer';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';

const CHUNK = 1 << 20;
const GIVE_UP_MS = 20_000;
/** 64-byte payload whose bytes depend on the number, so that a mixed-up one is noticed. */
const datagram = (n) => Buffer.alloc(64, `#${n} `);
const print = (text) => process.stdout.write(`${text}\n`);

const MODES = {
  'tcp-receive': (port) => {
    const server = createServer((socket) => {
      const hash = createHash('sha256');
      server.close();
      socket.on('data', (bytes) => hash.update(bytes));
      socket.on('end', () => {
        socket.end();
        print(hash.digest('hex'));
      });
    });
    server.listen(Number(port), () => print('ready'));
  },
  'tcp-send': async (host, port, bytes) => {
    const hash = createHash('sha256');
    const socket = connect(Number(port), host);
    for (let left = Number(bytes); left > 0; left -= CHUNK) {
      const chunk = randomBytes(Math.min(left, CHUNK));
      hash.update(chunk);
      if (!socket.write(chunk)) await new Promise((resolve) => socket.once('drain', resolve));
    }
    socket.end();
    await new Promise((resolve) => socket.resume().once('end', resolve));
    print(hash.digest('hex'));
  },
  'udp-receive': (port, count) => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: CHUNK });
    const got = new Set();
    const finish = () => {
      print(got.size);
      process.exit();
    };
    socket.on('message', (bytes) => {
      const n = Number(/^#(\d+) /.exec(bytes.toString('latin1'))?.[1]);
      if (bytes.equals(datagram(n))) got.add(n);
      if (got.size === Number(count)) finish();
    });
    socket.bind(Number(port), () => print('ready'));
    void setTimeout(GIVE_UP_MS / 4).then(finish);
  },
  'udp-order': (port, count) => {
    const socket = createSocket({ type: 'udp4', recvBufferSize: CHUNK });
    const order = [];
    socket.on('message', (bytes) => {
      order.push(/^#(\d+) /.exec(bytes.toString('latin1'))?.[1]);
      if (order.length < Number(count)) return;
      print(order.join(' '));
      process.exit();
    });
    socket.bind(Number(port), () => print('ready'));
  },
  'udp-send': async (host, port, count) => {
    const socket = createSocket('udp4');
    for (let n = 0; n < Number(count); n++) {
      await new Promise((resolve) => socket.send(datagram(n), Number(port), host, resolve));
    }
    socket.close();
    print(count);
  },
  'udp-ask': (host, port) => {
    const socket = createSocket('udp4');
    socket.on('message', (bytes) => {
      print(bytes.toString());
      process.exit();
    });
    socket.send('question', Number(port), host);
  },
};

void setTimeout(GIVE_UP_MS, undefined, { ref: false }).then(() => process.exit(1));
await MODES[process.argv[2]](...process.argv.slice(3));
