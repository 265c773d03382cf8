// SMTP inspection alone, in one process: bytes of message data a second by kind of text and size of segment, mails a
// second with their dialogue, and what a call costs in memory. Needs `npm run build`, and `node --expose-gc` for the last.
// Another build: SMTP_CORE=/path/to/dist.
import { Buffer } from 'node:buffer';
import console from 'node:console';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { pathToFileURL, URL } from 'node:url';

const DIST = pathToFileURL((process.env.SMTP_CORE ?? join(import.meta.dirname, '../../dist')) + '/');
const { newSmtpSession, SMTP_WORDS, SmtpInspector } = await import(new URL('inspect/smtp/inspector.js', DIST));
const { FlatMemory } = await import(new URL('flat-memory.js', DIST));
const { newSmtpCounters } = await import(new URL('inspect/smtp/finding.js', DIST));
const { smtpDefaults } = await import(new URL('ios/config/defaults.js', DIST));

const MEASURE_MS = 400;
const AREA = 4 << 20;
const options = { ...smtpDefaults(), maxData: 2 ** 40 };
let findings = 0;
const host = { debug: false, trace: () => undefined, report: () => findings++ };
const ENVELOPE = 'HELO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n';
const HEADER = 'Received: from a by b\r\nFrom: <a@example.org>\r\nTo: <b@example.com>\r\nSubject: bench\r\n\r\n';

const bytes = (text) => Uint8Array.from(Buffer.from(text, 'latin1'));
const session = () => new SmtpInspector('smtp', options, host, newSmtpCounters());

function client(inspector, text) {
  const b = bytes(text);
  return inspector.fromInitiator(b, 0, b.length, 0);
}

function server(inspector, text) {
  const b = bytes(text);
  return inspector.fromResponder(b, 0, b.length, 0);
}

/** A session in the body of its mail. */
function inBody() {
  const inspector = session();
  server(inspector, '220 ready\r\n');
  client(inspector, ENVELOPE);
  server(inspector, '250 m\r\n250 Ok\r\n250 Ok\r\n354 go\r\n');
  client(inspector, HEADER);
  return inspector;
}

/** Lines of 76 characters. */
function fill(kind) {
  const area = new Uint8Array(AREA);
  let seed = 7;
  const random = (n) => ((seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8) % n;
  for (let i = 0; i < AREA; i++) {
    const column = i % 78;
    if (kind === 'binary') area[i] = random(256);
    else if (column >= 76) area[i] = column === 76 ? 13 : 10;
    else if (kind === 'base64') area[i] = 65 + random(26);
    else area[i] = random(6) === 0 ? 32 : random(60) === 0 && column > 0 ? 46 : 97 + random(26);
  }
  if (kind === 'binary') for (let i = 1; i < AREA; i++) if (area[i] === 46 && area[i - 1] < 14) area[i] = 47;
  return area;
}

function dataRate(kind, segment) {
  const area = fill(kind);
  const inspector = inBody();
  let taken = 0;
  const started = performance.now();
  do {
    for (let at = 0; at + segment <= AREA; at += segment) inspector.fromInitiator(area, at, at + segment, 0);
    taken += AREA;
  } while (performance.now() - started < MEASURE_MS);
  return taken / (performance.now() - started) / 1e6;
}

/** Mails of 4096 bytes, one session each, of one inspector, as segments that a sender without pipelining makes. */
function mailRate() {
  const body = HEADER + ('x'.repeat(70) + '\r\n').repeat(56) + '.\r\n';
  const steps = [
    [false, '220 ready\r\n'],
    [true, 'HELO c\r\n'],
    [false, '250 m\r\n'],
    [true, 'MAIL FROM:<a@example.org>\r\n'],
    [false, '250 Ok\r\n'],
    [true, 'RCPT TO:<b@example.com>\r\n'],
    [false, '250 Ok\r\n'],
    [true, 'DATA\r\n'],
    [false, '354 go\r\n'],
    [true, body.slice(0, 1448)],
    [true, body.slice(1448, 2896)],
    [true, body.slice(2896)],
    [false, '250 queued\r\n'],
    [true, 'QUIT\r\n'],
    [false, '221 bye\r\n'],
  ].map(([fromClient, text]) => [fromClient, bytes(text)]);
  const inspector = session();
  const record = new FlatMemory(SMTP_WORDS);
  let mails = 0;
  const started = performance.now();
  do {
    for (let n = 0; n < 100; n++) {
      newSmtpSession(record, 0);
      inspector.load(record, 0);
      for (const [fromClient, b] of steps) {
        if (fromClient) inspector.fromInitiator(b, 0, b.length, 0);
        else inspector.fromResponder(b, 0, b.length, 0);
      }
      mails++;
    }
  } while (performance.now() - started < MEASURE_MS);
  return mails / ((performance.now() - started) / 1000);
}

for (const kind of ['text', 'base64', 'binary']) {
  const rates = [1448, 16_384, 61_440].map((segment) => {
    dataRate(kind, segment);
    return `${segment}: ${dataRate(kind, segment).toFixed(2)}`;
  });
  console.log(`message data, ${kind}, GB/s by segment size   ${rates.join('   ')}`);
}
mailRate();
console.log(`mails of 4096 bytes with their dialogue, per second   ${Math.round(mailRate())}`);

if (globalThis.gc !== undefined) {
  const used = () => {
    globalThis.gc();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const inspector = inBody();
  const noop = bytes('NOOP\r\n');
  const ok = bytes('250 Ok\r\n');
  const body = bytes('text\r\n');
  const calls = 100_000;
  const growth = (call) => {
    for (let i = 0; i < 300_000; i++) call();
    const start = used();
    const from = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) call();
    return ((process.memoryUsage().heapUsed - from) / calls).toFixed(2) + (start < 0 ? '!' : '');
  };
  console.log(`heap bytes a call: message data   ${growth(() => inspector.fromInitiator(body, 0, 6, 0))}`);
  client(inspector, '.\r\n');
  server(inspector, '250 Ok\r\n');
  console.log(
    `heap bytes a call: command and reply   ${growth(() => {
      inspector.fromInitiator(noop, 0, 6, 0);
      inspector.fromResponder(ok, 0, 8, 0);
    })}`,
  );
}
if (findings > 0) console.log(`${findings} findings where none were expected: not the happy path`);
