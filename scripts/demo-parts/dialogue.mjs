// A TCP client that says one line after the other and prints the dialogue. It waits for the reply to each line.
//   dialogue.mjs [--stay] HOST PORT LINE...
// Exit code 0 if every line got a reply and the connection ended in order. --stay keeps it open until it is ended.
import { connect } from 'node:net';
import process from 'node:process';
import { setTimeout } from 'node:timers';

const REPLY_MS = 8000;
const stay = process.argv[2] === '--stay';
const [host, port, ...lines] = process.argv.slice(stay ? 3 : 2);
const socket = connect({ host, port: Number(port) });
const print = (text) => process.stdout.write(`${text}\n`);
let rest = '';

const fail = (why) => {
  print(`*** ${why}`);
  process.exit(1);
};
socket.setTimeout(REPLY_MS, () => fail(`no answer within ${REPLY_MS / 1000} seconds`));
socket.on('error', (error) => fail(error.message));
socket.on('connect', () => print(`*** connected to ${host} port ${port}`));
socket.on('data', (bytes) => {
  const received = (rest + bytes.toString('latin1')).split('\r\n');
  rest = received.pop();
  for (const line of received) {
    print(`<-- ${line}`);
    if (/^\d{3} /.test(line)) say(lines.shift()); // the last line of a reply
  }
});
socket.on('end', () => {
  if (lines.length > 0) fail('the server ended the connection');
});

function say(line) {
  if (line === undefined) {
    if (stay) socket.setTimeout(0);
    else socket.end();
    return;
  }
  print(`--> ${line}`);
  socket.write(`${line}\r\n`, 'latin1');
}
if (!stay) setTimeout(() => fail('took too long'), 6 * REPLY_MS).unref();
