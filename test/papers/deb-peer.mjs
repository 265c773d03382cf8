// The two ends of scripts/deb-test, run by the Node of the package.
//   deb-peer.mjs serve             a mail server on port 25, and one on port 7 that sends all back
//   deb-peer.mjs smtp HOST PORT    a mail whose dialogue lasts until /root/upgraded is there; then a forbidden command
//   deb-peer.mjs count HOST PORT   numbers, sent until /root/upgraded is there; all have to come back in order
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';

const UPGRADED = '/root/upgraded';
const PAUSE_MS = 300;
const [what, host, port] = process.argv.slice(2);
const say = (text) => process.stdout.write(`${text}\n`);

/** Lines as they come, each a promise's value. */
function linesOf(socket) {
  const lines = [];
  const waiting = [];
  let rest = '';
  socket.on('data', (bytes) => {
    const parts = (rest + bytes.toString('latin1')).split('\r\n');
    rest = parts.pop();
    for (const line of parts) {
      const next = waiting.shift();
      if (next === undefined) lines.push(line);
      else next(line);
    }
  });
  return () => (lines.length > 0 ? Promise.resolve(lines.shift()) : new Promise((done) => waiting.push(done)));
}

async function serveMail(socket) {
  const next = linesOf(socket);
  const reply = (text) => socket.write(`${text}\r\n`);
  reply('220 ready');
  for (;;) {
    const line = await next();
    say(`C: ${line}`);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === 'DATA') {
      reply('354 go on');
      while ((await next()) !== '.');
      reply('250 taken');
    } else if (verb === 'QUIT') {
      reply('221 bye');
      socket.end();
      return;
    } else reply(['HELO', 'NOOP', 'MAIL', 'RCPT'].includes(verb) ? '250 ok' : '500 what?');
  }
}

async function mail() {
  const socket = connect({ host, port: Number(port) });
  const next = linesOf(socket);
  const ask = async (line) => {
    socket.write(`${line}\r\n`);
    const reply = await next();
    say(`${line} -> ${reply}`);
    return reply;
  };
  await next();
  await ask('HELO deb-test');
  for (let i = 1; !existsSync(UPGRADED); i++) {
    await ask(`NOOP ${i}`);
    await setTimeout(PAUSE_MS);
  }
  const refused = await ask('EXPN root');
  await ask('MAIL FROM:<a@example.test>');
  await ask('RCPT TO:<b@example.test>');
  await ask('DATA');
  const taken = await ask('Subject: behind the upgrade\r\n\r\ntext\r\n.');
  if (refused.startsWith('500') && taken === '250 taken') say('mail accepted');
  await ask('QUIT');
  socket.end();
}

async function count() {
  const socket = connect({ host, port: Number(port) });
  const next = linesOf(socket);
  let n = 0;
  for (; !existsSync(UPGRADED) || n < 3; n++) {
    socket.write(`${n}\r\n`);
    const back = await next();
    if (back !== String(n)) throw new Error(`${back} came back for ${n}`);
    await setTimeout(50);
  }
  say(`${n} numbers: all came back`);
  socket.end();
}

if (what === 'serve') {
  createServer((socket) => void serveMail(socket.on('error', () => undefined))).listen(25, () => say('listening'));
  createServer((socket) => void socket.on('error', () => undefined).pipe(socket)).listen(7);
} else await (what === 'smtp' ? mail() : count());
