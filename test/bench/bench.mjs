// scripts/bench: packets per second and TCP throughput of fw3640 beside plain forwarding and a C consumer, in one run
// and one lab, so that the ratios mean something. Traffic goes from inside to outside: with config/3640.cfg it is
// translated and inspected, so fw3640 sends every payload back changed.
import { execFileSync, spawn } from 'node:child_process';
import console from 'node:console';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '../..');
const BUILD = join(ROOT, 'native/build');
const CONSUMER = join(ROOT, 'test/support/queue-consumer.mjs');
const OUTSIDE = '172.22.1.10';
const PORT = '5001';
const START_MS = 10_000;
/** The lab's name must be its own: another run, or a demo, may be up. */
const LAB = `bench-${process.pid}`;
const DEVICES = ['outside', 'inside'];

/** What forwards, in the order of the table. `argv` runs in the router until it is ended; `queued` loads our rules. */
const SYSTEMS = {
  plain: { title: 'plain kernel forwarding' },
  c: { title: 'C consumer, accepts', queued: true, argv: [join(BUILD, 'accept')] },
  'c-payload': { title: 'C consumer, returns payloads', queued: true, argv: [join(BUILD, 'accept'), 'payload'] },
  edge: { title: 'queue edge alone, accepts', queued: true, argv: ['node', CONSUMER, 'pass'] },
  'edge-payload': { title: 'queue edge alone, returns payloads', queued: true, argv: ['node', CONSUMER, 'changed'] },
  fw3640: {
    title: 'fw3640, config/3640.cfg',
    // It sets up the host itself, and says in its log when it has.
    argv: ['node', join(ROOT, 'dist/main.js'), 'run', '--config', join(ROOT, 'config/3640.cfg')].concat(
      ['--interface', 'Ethernet2/0=outside', '--interface', 'Ethernet2/1=inside'],
      ['--log-level', 'error', '--socket', `/run/fw3640/${LAB}.sock`],
    ),
    ready: () => isQueued(),
  },
};
const LOADS = { udp: 'UDP, 64-byte payload, packets/s', tcp: 'TCP, one stream, Gbit/s' };

const namespace = (host) => `${LAB}-${host}`;
const sh = (...argv) =>
  execFileSync(argv[0], argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const router = (...argv) => sh('ip', 'netns', 'exec', namespace('router'), ...argv);
const lab = (verb) => sh('env', `FW3640_LAB=${LAB}`, join(ROOT, 'scripts/lab'), verb);
const start = (host, argv, stderr = 'inherit') =>
  spawn('ip', ['netns', 'exec', namespace(host), ...argv], { stdio: ['ignore', 'pipe', stderr] });

async function lineOf(child) {
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`${child.spawnargs.slice(3).join(' ')} ended without a word`);
}

function isQueued() {
  const rows = router('cat', '/proc/net/netfilter/nfnetlink_queue');
  return rows.trim() !== '';
}

/** Makes the router forward with `system`. @returns how to end that */
async function forwardWith(system) {
  for (const [device, address] of [
    ['outside', '172.22.1.16/24'],
    ['inside', '10.10.10.1/24'],
  ]) {
    router('ip', 'address', 'replace', address, 'dev', device);
  }
  router('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  if (system.queued) {
    for (const device of DEVICES) {
      router('iptables', '-t', 'raw', '-A', 'PREROUTING', '-i', device, '-j', 'CT', '--notrack');
      router('iptables', '-t', 'raw', '-A', 'PREROUTING', '-i', device, '-j', 'NFQUEUE');
    }
  }
  const child = system.argv === undefined ? undefined : start('router', system.argv);
  const until = Date.now() + START_MS;
  if (system.ready !== undefined) {
    child.stdout.resume();
    while (!system.ready()) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`${system.title} did not start`);
      await delay(50);
    }
  } else if (child !== undefined) {
    await lineOf(child);
    child.stdout.resume();
  }
  const end = async () => {
    if (child !== undefined && child.exitCode === null) {
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    router('iptables', '-t', 'raw', '-F');
  };
  return { pid: child?.pid, end };
}

/** Processor seconds that a process has used, and packets that it has taken from the queue. */
function usage(pid) {
  // `ip netns exec` replaces itself, so the pid is the consumer's. Times are in ticks of 10 ms.
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const queue = router('cat', '/proc/net/netfilter/nfnetlink_queue').trim().split(/\s+/);
  return { cpu: (Number(stat[11]) + Number(stat[12])) / 100, packets: queue[7] - queue[6] };
}

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

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

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
  sh('make', '-s', '-C', join(ROOT, 'native'));
  sh('make', '-s', '-C', join(ROOT, 'test/bench'));
  lab('up');
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
    lab('down');
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
    `usage: scripts/bench js, or scripts/bench udp|tcp|all [--rounds N] [--seconds S] [--systems ${Object.keys(SYSTEMS).join(',')}]`,
  );
  process.exit(2);
}
await bench(loads, chosen);
