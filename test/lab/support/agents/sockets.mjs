// A kernel TCP endpoint in the namespace it is started in, driven line by line from the test.
//   sockets.mjs listen PORT | sockets.mjs connect HOST PORT [LOCAL-ADDRESS]
// stdin:  {"id":N,"write":BASE64} {"id":N,"end":true} {"id":N,"reset":true}
// stdout: {"ready":true} {"id":N,"open":"ADDRESS:PORT"} {"id":N,"data":BASE64} {"id":N,"end":true} {"id":N,"closed":ERROR}
// TCP_NODELAY is set: what is written at once leaves as a segment of its own. Ends with its standard input.
import { Buffer } from 'node:buffer';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { createInterface } from 'node:readline';

const [mode, ...args] = process.argv.slice(2);
const sockets = new Map();
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function attend(socket) {
  const id = sockets.size + 1;
  let reason = '';
  sockets.set(id, socket);
  socket.setNoDelay(true);
  socket.on('data', (bytes) => print({ id, data: bytes.toString('base64') }));
  socket.on('end', () => print({ id, end: true }));
  socket.on('error', (error) => (reason = error.code ?? error.message));
  socket.on('close', () => print({ id, closed: reason }));
  return () => print({ id, open: `${socket.remoteAddress}:${socket.remotePort}` });
}

if (mode === 'listen') {
  createServer({ allowHalfOpen: true }, (socket) => attend(socket)()).listen(Number(args[0]), () =>
    print({ ready: true }),
  );
} else {
  const [host, port, localAddress] = args;
  const socket = connect({ host, port: Number(port), localAddress, allowHalfOpen: true });
  socket.on('connect', attend(socket));
  print({ ready: true });
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, write, end, reset } = JSON.parse(line);
    const socket = sockets.get(id);
    if (socket === undefined || socket.destroyed) return;
    if (write !== undefined) socket.write(Buffer.from(write, 'base64'));
    if (end) socket.end();
    if (reset) socket.resetAndDestroy();
  })
  .on('close', () => process.exit());
