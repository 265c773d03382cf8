// Knocks at the firewall without end, several times a second, with what must never get through. A wiretap on the other
// side tells whether it did.
//   knock.mjs outside|inside
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import process from 'node:process';
import { setInterval } from 'node:timers';

const EVERY_MS = 200;
const OUTSIDE = '172.22.1.10';
const INSIDE_LOCAL = '10.10.10.2';
const INSIDE_GLOBAL = '172.22.1.110';

const targets = process.argv[2] === 'inside' ? [OUTSIDE] : [INSIDE_LOCAL, INSIDE_GLOBAL];
const udp = createSocket('udp4');
for (const host of targets) {
  // From inside a ping is allowed, but nothing may come out with an inside local address.
  spawn('ping', ['-n', '-q', '-i', String(EVERY_MS / 1000), host], { stdio: 'ignore' });
  setInterval(() => {
    udp.send('knock', 9, host, () => undefined); // an unreachable host is no news
    const socket = connect({ host, port: 80, timeout: EVERY_MS * 2 });
    socket.on('error', () => undefined);
    socket.on('connect', () => socket.destroy());
    socket.on('timeout', () => socket.destroy());
  }, EVERY_MS);
}
