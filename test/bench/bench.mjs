// scripts/bench: packets per second and TCP throughput of fw3640 beside plain forwarding and a C consumer, in one run
// and one lab, so that the ratios mean something. Traffic goes from inside to outside: with config/3640.cfg it is
// translated and inspected, so fw3640 sends every payload back changed.
import console from 'node:console';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { BUILD, down, forwardWith, median, start, SYSTEMS, up, usage } from './systems.mjs';

const OUTSIDE = '172.22.1.10';
const PORT = '5001';
const LOADS = { udp: 'UDP, 64-byte payload, packets/s', tcp: 'TCP, one stream, Gbit/s' };

/** @returns packets or bits per second that arrived */
async function measure(load, seconds) {
  const counter = start('outside', [join(BUILD, 'load'), `${load}-count`, PORT, String(seconds)]);
  const lines = createInterface({ input: counter.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const sender = start('inside', [join(BUILD, 'load'), `${load}-send`, OUTSIDE, PORT, String(seconds + 0.5)]);
  sender.stdout.resume();
  const { value } = await lines.next();
  if (sender.exitCode === null) await once(sender, 'exit');
  return Number(value);
}

function print(load, results) {
  const scale = load === 'tcp' ? 1e9 : 1;
  const digits = load === 'tcp' ? 2 : 0;
  const columns = ['median', 'least', 'most', '/ plain', '/ C', '/ C payl.', 'µs/packet'];
  const row = (title, cells) => console.log(title.padEnd(36) + cells.map((cell) => cell.padStart(10)).join(''));
  const ratio = (value, base) => (base === undefined ? '' : (value / median(base.rates)).toFixed(2));
  console.log();
  row(LOADS[load], columns);
  for (const [name, { rates, costs }] of Object.entries(results)) {
    const m = median(rates);
    row(SYSTEMS[name].title, [
      ...[m, Math.min(...rates), Math.max(...rates)].map((v) => (v / scale).toFixed(digits)),
      ...['plain', 'c', 'c-payload'].map((base) => ratio(m, results[base])),
      costs.length === 0 ? '' : median(costs).toFixed(2),
    ]);
  }
}

async function bench(loads, { rounds, seconds, systems }) {
  up();
  try {
    for (const load of loads) {
      const results = Object.fromEntries(systems.map((name) => [name, { rates: [], costs: [] }]));
      // Systems take turns, so that a slow minute of the machine falls on all of them.
      for (let round = 0; round < rounds; round++) {
        for (const name of systems) {
          const { pid, end } = await forwardWith(SYSTEMS[name]);
          try {
            const before = pid === undefined ? undefined : usage(pid);
            results[name].rates.push(await measure(load, seconds));
            if (before === undefined) continue;
            const after = usage(pid);
            results[name].costs.push(((after.cpu - before.cpu) * 1e6) / (after.packets - before.packets));
          } finally {
            await end();
          }
        }
      }
      print(load, results);
    }
  } finally {
    down();
  }
}

function options(args) {
  const o = { rounds: 3, seconds: 2, systems: Object.keys(SYSTEMS) };
  for (let i = 0; i < args.length; i += 2) {
    const value = args[i + 1];
    if (args[i] === '--rounds') o.rounds = Number(value);
    else if (args[i] === '--seconds') o.seconds = Number(value);
    else if (args[i] === '--systems') o.systems = value.split(',');
    else return undefined;
  }
  const valid = o.rounds >= 1 && o.seconds > 0 && o.systems.every((name) => name in SYSTEMS);
  return valid ? o : undefined;
}

const [what, ...rest] = process.argv.slice(2);
const loads = what === 'all' ? Object.keys(LOADS) : what in LOADS ? [what] : undefined;
const chosen = options(rest);
if (loads === undefined || chosen === undefined) {
  console.error(
    `usage: scripts/bench js|smtp, or scripts/bench udp|tcp|all [--rounds N] [--seconds S] [--systems ${Object.keys(SYSTEMS).join(',')}]`,
  );
  process.exit(2);
}
await bench(loads, chosen);
