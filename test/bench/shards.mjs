// scripts/bench shards: processor time of a packet and of a mail with 1, 2 and 4 data planes, beside as many C consumers
// that return every payload. A shard is chosen by the outside address, so the outside host has sixteen. One lab, one run,
// taking turns. The figures are for one packet: that more of them go through at once needs more cores than this may have.
import console from 'node:console';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { config, PARALLEL, send, SERVER, SERVER_GLOBAL, startSink, WARM_UP } from './mails.mjs';
import { BUILD, down, execIn, forwardWith, median, shardSystems, start, up, usage } from './systems.mjs';

const SHARDS = [1, 2, 4];
const FIRST = 32;
const ADDRESSES = 16;
const PORT = '5001';
const addresses = Array.from({ length: ADDRESSES }, (_, i) => `172.22.1.${FIRST + i}`);

/** Connections from outside come from all its addresses by turns. */
function spread() {
  addresses.forEach((address, i) => {
    execIn('outside', 'ip', 'address', 'add', `${address}/24`, 'dev', 'eth0');
    const turn = ['-m', 'statistic', '--mode', 'nth', '--every', String(ADDRESSES - i), '--packet', '0'];
    execIn(
      'outside',
      'iptables',
      '-t',
      'nat',
      '-A',
      'POSTROUTING',
      '-p',
      'tcp',
      ...turn,
      '-j',
      'SNAT',
      '--to',
      address,
    );
  });
}

/** @returns how many packets a second arrive outside */
async function flood(seconds) {
  const counter = start('outside', [join(BUILD, 'load'), 'udp-count', PORT, String(seconds)]);
  const lines = createInterface({ input: counter.stdout })[Symbol.asyncIterator]();
  await lines.next();
  const args = ['udp-send', addresses[0], PORT, String(seconds + 0.5), String(ADDRESSES)];
  const sender = start('inside', [join(BUILD, 'load'), ...args]);
  sender.stdout.resume();
  const { value } = await lines.next();
  if (sender.exitCode === null) await once(sender, 'exit');
  return Number(value);
}

async function measure({ pids, end }, isRouter, { seconds, mails }) {
  try {
    await flood(1);
    const first = usage(...pids);
    const packetRate = await flood(seconds);
    const second = usage(...pids);
    const to = isRouter ? SERVER_GLOBAL : SERVER;
    await send(to, WARM_UP);
    const third = usage(...pids);
    const mailRate = await send(to, mails);
    const last = usage(...pids);
    return {
      packet: ((second.cpu - first.cpu) * 1e6) / (second.packets - first.packets),
      mail: ((last.cpu - third.cpu) * 1e6) / mails,
      packetRate,
      mailRate,
    };
  } finally {
    await end();
  }
}

function print(systems, results) {
  const row = (title, cells) => console.log(title.padEnd(36) + cells.map((cell) => cell.padStart(12)).join(''));
  row(`UDP, 64 B; mails, ${PARALLEL} at a time`, ['µs/packet', '/ one', 'packets/s', 'µs/mail', '/ one', 'mails/s']);
  for (const name of Object.keys(results)) {
    const of = (key, system = name) => median(results[system].map((r) => r[key]));
    const one = name.replace(/\d+$/, '1');
    row(systems[name].title, [
      of('packet').toFixed(2),
      (of('packet') / of('packet', one)).toFixed(2),
      of('packetRate').toFixed(0),
      of('mail').toFixed(0),
      (of('mail') / of('mail', one)).toFixed(2),
      of('mailRate').toFixed(0),
    ]);
  }
}

function options(args) {
  const o = { rounds: 3, seconds: 3, mails: 8000 };
  for (let i = 0; i < args.length; i += 2) {
    const key = args[i].slice(2);
    if (!args[i].startsWith('--') || !(key in o) || !(Number(args[i + 1]) > 0)) return undefined;
    o[key] = Number(args[i + 1]);
  }
  return o;
}

const chosen = options(process.argv.slice(2));
if (chosen === undefined) {
  console.error('usage: scripts/bench shards [--rounds N] [--seconds S] [--mails N]');
  process.exit(2);
}
up();
try {
  spread();
  const sink = await startSink();
  const systems = Object.assign({}, ...SHARDS.map((n) => shardSystems(n, config)));
  const results = Object.fromEntries(Object.keys(systems).map((name) => [name, []]));
  for (let round = 0; round < chosen.rounds; round++)
    for (const [name, system] of Object.entries(systems))
      results[name].push(await measure(await forwardWith(system), name.startsWith('fw3640'), chosen));
  print(systems, results);
  sink.kill();
} finally {
  down();
}
