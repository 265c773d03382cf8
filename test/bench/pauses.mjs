// scripts/bench pauses: how long packets wait while the control plane is kept busy: `show tech-support` in a loop, a log
// pipe that nobody reads, SIGHUP with 10,000 other lines. Pings cross the router every two milliseconds; what counts is
// the round trip that one of a thousand exceeds. Beside it, at the same time and in a lab of its own, the same pings go
// through a C consumer that has nothing else to do: what it suffers is the machine's, not ours.
import console from 'node:console';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { clearInterval, setInterval } from 'node:timers';
import { setTimeout as delay } from 'node:timers/promises';
import { configuration } from './config-text.mjs';
import { childrenOf, consoleLoop, down, forwardWith, start, SYSTEMS, up } from './systems.mjs';

const LINES = 10_000;
const SESSIONS = 5_000;
const SIGHUP_MS = 1500;
const BESIDE = '--beside';
const TARGET = '172.22.1.10';
const ROUTER = '172.22.1.16';
/** Ports that the access list denies, with `log`. */
const DENIED = 40_000;
const folder = mkdtempSync(join(tmpdir(), 'fw3640-bench-'));
const file = join(folder, 'bench.cfg');

/** Pings for a while. @returns round trips in ms, sorted, and how many got no answer */
async function roundTrips(seconds) {
  const output = join(folder, 'pings');
  // To a file: a pipe that we are slow to read would stop ping.
  const ping = start('inside', ['ping', '-i', '0.002', '-w', String(seconds), TARGET], {
    stdout: openSync(output, 'w'),
  });
  await once(ping, 'close');
  const text = readFileSync(output, 'utf8');
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(text) ?? [];
  const times = Array.from(text.matchAll(/time=([\d.]+) ms/g), ([, ms]) => Number(ms));
  // The last one may still be on its way.
  return { lost: Math.max(0, sent - received - 1), times: times.toSorted((a, b) => a - b) };
}

/** A process that sends UDP datagrams from one host. */
const sender = (host, code) =>
  start(host, ['node', '-e', `const s = require('node:dgram').createSocket('udp4'); s.bind(() => { ${code} });`]);

/** Opens sessions from inside, which stay. */
async function openSessions() {
  const code = `let n = 0; const go = () => { for (let i = 0; i < 50 && n < ${SESSIONS}; i++)
    s.send('x', 10000 + n++, '${TARGET}'); if (n < ${SESSIONS}) setTimeout(go, 10); else setTimeout(() => process.exit(), 100); }; go();`;
  await once(sender('inside', code), 'exit');
}

/** A thousand flows a second that the access list denies and logs. */
const deniedFlows = () =>
  sender('outside', `setInterval(() => s.send('x', ${DENIED} + Math.floor(Math.random() * 20000), '${ROUTER}'), 1);`);

/** The configuration of round `n`; with `others`, most entries of its lists are others than in the round before. */
function text(n, others) {
  const base = configuration(LINES)
    .replace('hostname bench', `hostname bench${n}\nip inspect audit-trail\nip inspect udp idle-time 3600`)
    .replace('access-list 101', `access-list 101 deny udp any any range ${DENIED} 60000 log\naccess-list 101`);
  return others
    ? base.replaceAll(' 198.', ` ${198 + 1 + (n % 20)}.`).replaceAll('eq 443', `eq ${443 + (n % 20)}`)
    : base;
}

/** Reloads every now and then until `stop` is called. */
function reloading(pid, others) {
  let n = 0;
  const timer = setInterval(() => {
    writeFileSync(file, text(++n, others));
    process.kill(pid, 'SIGHUP');
  }, SIGHUP_MS);
  return () => clearInterval(timer);
}

function ending(child) {
  child.stdout?.resume();
  return () => child.kill();
}

const show = () => ending(consoleLoop('show tech-support'));
/** What goes on while packets are measured. Each starts something and returns what ends it. */
const DISTURBANCES = {
  nothing: () => [],
  'show tech-support in a loop': () => [show()],
  'log pipe blocked, 1000 denied flows/s': () => [ending(deniedFlows())],
  'SIGHUP, 10,000 lines, one is another': (pid) => [reloading(pid, false)],
  'SIGHUP, 10,000 lines, most are others': (pid) => [reloading(pid, true)],
  'all at once': (pid) => [show(), ending(deniedFlows()), reloading(pid, true)],
};

/** How long a process was ready and waited for a processor, by its threads, ms. */
const waited = (pid) => Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;

const row = (title, cells) => console.log(title.padEnd(40) + cells.map((cell) => String(cell).padStart(9)).join(''));
const share = (times, part) => (times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? NaN).toFixed(2);
const figures = ({ times, lost }) => [0.5, 0.99, 0.999, 1].map((part) => share(times, part)).concat(times.length, lost);

/** The C consumer, in a process and a lab of its own: pings when it is told to. */
async function beside() {
  up();
  try {
    const { end } = await forwardWith(SYSTEMS['c-payload']);
    process.send('ready');
    for (;;) {
      const [seconds] = await once(process, 'message');
      if (seconds === 0) break;
      process.send(await roundTrips(seconds));
    }
    await end();
  } finally {
    down();
    process.disconnect();
  }
}

async function measured(seconds, names, other) {
  writeFileSync(file, text(0, false));
  const options = { config: file, args: ['--log-level', 'info'], unread: true };
  const { pid, child, end } = await forwardWith({ ...SYSTEMS.fw3640, ...options });
  try {
    await openSessions();
    const [dataPlane] = childrenOf(pid);
    row('round trip, ms', ['median', '99 %', '99.9 %', 'longest', 'pings', 'lost', 'no CPU']);
    for (const name of names) {
      const ends = DISTURBANCES[name](pid);
      await delay(500);
      const before = waited(dataPlane);
      const answer = once(other, 'message');
      other.send(seconds);
      const ours = await roundTrips(seconds);
      const noProcessor = waited(dataPlane) - before;
      const [theirs] = await answer;
      for (const finish of ends) finish();
      row(name, [...figures(ours), noProcessor.toFixed(0)]);
      row('  C consumer beside it', figures(theirs));
      await delay(500);
    }
    if (child.stdout.readableLength < child.stdout.readableHighWaterMark) console.log('the log pipe was never full');
  } finally {
    child.stdout.resume();
    await end();
  }
}

async function bench(seconds, names) {
  const other = fork(import.meta.filename, [BESIDE]);
  const gone = once(other, 'exit');
  await once(other, 'message');
  try {
    up();
    await measured(seconds, names, other);
  } finally {
    down();
    other.send(0);
    await gone;
  }
}

if (process.argv[2] === BESIDE) await beside();
else {
  const seconds = Number(process.argv[2] ?? 20);
  const names = Object.keys(DISTURBANCES).filter(
    (_, i) => process.argv[3] === undefined || process.argv[3].includes(String(i)),
  );
  if (!(seconds >= 1)) {
    console.error('usage: scripts/bench pauses [SECONDS]');
    process.exit(2);
  }
  await bench(seconds, names);
}
rmSync(folder, { recursive: true });
