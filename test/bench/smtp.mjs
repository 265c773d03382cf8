// scripts/bench smtp: mails a second from smtp-source outside to smtp-sink inside, through plain forwarding, a C consumer
// that returns every payload, and fw3640 with config/3640.cfg, which translates and inspects. One lab, taking turns.
// The thresholds against denial of service are raised: they would take this for one.
import console from 'node:console';
import process from 'node:process';
import { config, PARALLEL, send, SERVER, SERVER_GLOBAL, startSink, WARM_UP } from './mails.mjs';
import { down, forwardWith, median, SYSTEMS, up, usage } from './systems.mjs';

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
}
