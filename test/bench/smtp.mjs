// scripts/bench smtp: mails a second from smtp-source outside to smtp-sink inside, through plain forwarding, a C consumer
// that returns every payload, and fw3640 with config/3640.cfg, which translates and inspects. One lab, taking turns.
// The thresholds against denial of service are raised: they would take this for one.
import console from 'node:console';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { down, execIn, forwardWith, median, start, SYSTEMS, up, usage } from './systems.mjs';

const SERVER = '10.10.10.2';
/** By static NAT. */
const SERVER_GLOBAL = '172.22.1.110';
const PARALLEL = 20;
const BODY_BYTES = 4096;
const BACKLOG = 500;
/** Mails before those that count: what runs in Node is compiled by then. */
const WARM_UP = 8000;

/** Twenty connections at once, thousands a minute: by default the router takes that for an attack, as a 3640 does. */
const THRESHOLDS = ['max-incomplete', 'one-minute'].map((what) => `ip inspect ${what} high 10000000`);
const folder = mkdtempSync(join(tmpdir(), 'fw3640-bench-'));
const config = join(folder, 'bench.cfg');
const text = readFileSync(SYSTEMS.fw3640.config, 'utf8');
writeFileSync(
  config,
  [
    text.replace(/\nend\s*$/, ''),
    ...THRESHOLDS,
    'ip inspect tcp max-incomplete host 10000000 block-time 0',
    'end',
    '',
  ].join('\n'),
);

async function startSink() {
  const sink = start('inside', ['smtp-sink', '-u', 'nobody', `inet:${SERVER}:25`, String(BACKLOG)]);
  sink.stdout.resume();
  while (!execIn('inside', 'ss', '-Htln', 'sport = :25').includes(':25')) {
    if (sink.exitCode !== null) throw new Error('smtp-sink did not start (postfix is missing?)');
    await delay(50);
  }
  return sink;
}

/** @returns mails a second */
async function send(to, mails) {
  const args = ['-s', PARALLEL, '-m', mails, '-l', BODY_BYTES, '-f', 'a@client.test', '-t', 'b@example.test', to];
  const from = performance.now();
  const source = start('outside', ['smtp-source', ...args.map(String)]);
  source.stdout.resume();
  const [code] = await once(source, 'exit');
  if (code !== 0) throw new Error(`smtp-source ended with ${code}`);
  return (mails * 1000) / (performance.now() - from);
}

function print(results) {
  const row = (title, cells) => console.log(title.padEnd(36) + cells.map((cell) => cell.padStart(12)).join(''));
  const base = (name) => (results[name] === undefined ? undefined : median(results[name].rates));
  const ratio = (value, other) => (other === undefined ? '' : (value / other).toFixed(2));
  row(`mails/s, ${PARALLEL} at a time`, ['median', 'least', 'most', '/ plain', '/ C payload', 'CPU µs/mail']);
  for (const [name, { rates, costs }] of Object.entries(results)) {
    const m = median(rates);
    row(SYSTEMS[name].title, [
      ...[m, Math.min(...rates), Math.max(...rates)].map((rate) => rate.toFixed(0)),
      ratio(m, base('plain')),
      ratio(m, base('c-payload')),
      costs.length === 0 ? '' : median(costs).toFixed(0),
    ]);
  }
}

function options(args) {
  const o = { rounds: 3, mails: 8000, systems: ['plain', 'c-payload', 'fw3640'] };
  for (let i = 0; i < args.length; i += 2) {
    const value = args[i + 1];
    if (args[i] === '--rounds') o.rounds = Number(value);
    else if (args[i] === '--mails') o.mails = Number(value);
    else if (args[i] === '--systems') o.systems = value.split(',');
    else return undefined;
  }
  return o.rounds >= 1 && o.mails >= PARALLEL && o.systems.every((name) => name in SYSTEMS) ? o : undefined;
}

const chosen = options(process.argv.slice(2));
if (chosen === undefined) {
  console.error(`usage: scripts/bench smtp [--rounds N] [--mails N] [--systems ${Object.keys(SYSTEMS).join(',')}]`);
  process.exit(2);
}
up();
try {
  const sink = await startSink();
  const results = Object.fromEntries(chosen.systems.map((name) => [name, { rates: [], costs: [] }]));
  for (let round = 0; round < chosen.rounds; round++) {
    for (const name of chosen.systems) {
      const { pid, end } = await forwardWith(name === 'fw3640' ? { ...SYSTEMS.fw3640, config } : SYSTEMS[name]);
      try {
        const to = name === 'fw3640' ? SERVER_GLOBAL : SERVER;
        await send(to, WARM_UP);
        const before = pid === undefined ? undefined : usage(pid);
        results[name].rates.push(await send(to, chosen.mails));
        if (before !== undefined) results[name].costs.push(((usage(pid).cpu - before.cpu) * 1e6) / chosen.mails);
      } finally {
        await end();
      }
    }
  }
  print(results);
  sink.kill();
} finally {
  down();
  rmSync(folder, { recursive: true });
}
