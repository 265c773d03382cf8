// An SMTP server that takes every mail and forgets it, for measurements.
//   mail-sink.mjs PORT       says ready; ends with its standard input
import { Buffer } from 'node:buffer';
import { createServer } from 'node:net';
import process from 'node:process';

const END = Buffer.from('\r\n.\r\n');

createServer((socket) => {
  let inData = false;
  let line = '';
  let tail = Buffer.alloc(0);
  socket.on('error', () => undefined);
  socket.write('220 near.test ESMTP\r\n');
  socket.on('data', (bytes) => {
    if (inData) {
      tail = Buffer.concat([tail, bytes]).subarray(-END.length);
      if (!tail.equals(END)) return;
      inData = false;
      socket.write('250 taken\r\n');
      return;
    }
    line += bytes.toString('latin1');
    for (let at = line.indexOf('\n'); at >= 0; at = line.indexOf('\n')) {
      const verb = line.slice(0, 4).toUpperCase();
      line = line.slice(at + 1);
      inData = verb === 'DATA';
      const known = ['HELO', 'EHLO', 'MAIL', 'RCPT', 'RSET', 'NOOP', 'QUIT'].includes(verb);
      socket.write(inData ? '354 go on\r\n' : known ? '250 ok\r\n' : '502 unknown\r\n');
      if (verb === 'QUIT') socket.end();
    }
  });
}).listen(Number(process.argv[2]), () => process.stdout.write('ready\n'));
process.stdin.on('end', () => process.exit()).resume();
