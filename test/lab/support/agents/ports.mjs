// Connections from the same source ports, again and again, one after the other as a mail relay makes them.
//   ports.mjs HOST PORT FIRST-SOURCE-PORT COUNT
// stdin:  "connect" opens all, each until the other end has spoken; "forget" resets all
// stdout: {"ready":true} {"connected":COUNT,"ms":ALL,"slowest":ONE} {"forgotten":true} {"failed":ERROR}
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { createInterface } from 'node:readline';

const [host, port, first, count] = process.argv.slice(2);
const sockets = [];
const print = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

function open(localPort) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), localPort });
    sockets.push(socket);
    socket.once('data', resolve);
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`closed: ${localPort}`)));
  });
}

async function connectAll() {
  const start = performance.now();
  let slowest = 0;
  for (let n = 0; n < Number(count); n++) {
    const before = performance.now();
    await open(Number(first) + n);
    slowest = Math.max(slowest, performance.now() - before);
  }
  print({ connected: Number(count), ms: performance.now() - start, slowest });
}

createInterface({ input: process.stdin })
  .on('line', (line) => {
    if (line === 'connect') connectAll().catch((error) => print({ failed: error.message }));
    else {
      for (const socket of sockets.splice(0)) socket.resetAndDestroy();
      print({ forgotten: true });
    }
  })
  .on('close', () => process.exit());
print({ ready: true });
