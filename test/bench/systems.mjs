// What scripts/bench compares: ways to forward packets in the router of one lab. Each is set up, measured and removed.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

const ROOT = join(import.meta.dirname, '../..');
export const BUILD = join(ROOT, 'native/build');
const CONSUMER = join(ROOT, 'test/support/queue-consumer.mjs');
const START_MS = 60_000;
/** The lab's name must be its own: another run, or a demo, may be up. */
const LAB = `bench-${process.pid}`;
/** Flags of Node for the daemon, e.g. to profile it. */
const NODE_FLAGS = (process.env.FW3640_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
const DEVICES = ['outside', 'inside'];

/** What forwards, in the order of the table. `argv` runs in the router until it is ended, or fw3640
 * with `config`; `queued` loads our rules, for as many queues: then a process runs for each, with its number behind. */
export const SYSTEMS = {
  plain: { title: 'plain kernel forwarding' },
  c: { title: 'C consumer, accepts', queued: true, argv: [join(BUILD, 'accept')] },
  'c-payload': { title: 'C consumer, returns payloads', queued: true, argv: [join(BUILD, 'accept'), 'payload'] },
  edge: { title: 'queue edge alone, accepts', queued: true, argv: ['node', CONSUMER, 'pass'] },
  'edge-payload': { title: 'queue edge alone, returns payloads', queued: true, argv: ['node', CONSUMER, 'changed'] },
  fw3640: {
    title: 'fw3640',
    config: join(ROOT, 'config/3640.cfg'),
    // It sets up the host itself.
    ready: (pid) => isAtWork(pid, 1),
  },
};
/** As SYSTEMS: as many data planes, and as many C consumers. */
export const shardSystems = (shards, config) => ({
  [`c-${shards}`]: {
    title: `${shards} C consumers, return payloads`,
    queued: shards,
    argv: [join(BUILD, 'accept'), 'payload'],
  },
  [`fw3640-${shards}`]: {
    ...SYSTEMS.fw3640,
    title: `fw3640 --shards ${shards}`,
    config,
    args: ['--shards', String(shards)],
    ready: (pid) => isAtWork(pid, shards),
  },
});
const MAIN = join(ROOT, 'dist/main.js');
const SOCKET = `/run/fw3640/${LAB}.sock`;
/** What runs fw3640 with a configuration. */
const daemon = ({ config, args = [] }) =>
  ['node', ...NODE_FLAGS, MAIN, 'run', '--config', config].concat(
    ['--interface', 'Ethernet2/0=outside', '--interface', 'Ethernet2/1=inside'],
    ['--log-level', 'error', '--socket', SOCKET, ...args],
  );

const namespace = (host) => `${LAB}-${host}`;
const sh = (...argv) =>
  execFileSync(argv[0], argv.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
/** Runs a command in a host of the lab to its end. @returns what it printed */
export const execIn = (host, ...argv) => sh('ip', 'netns', 'exec', namespace(host), ...argv);
const router = (...argv) => execIn('router', ...argv);
const lab = (verb) => sh('env', `FW3640_LAB=${LAB}`, join(ROOT, 'scripts/lab'), verb);
export const start = (host, argv, { stdout = 'pipe', stderr = 'inherit' } = {}) =>
  spawn('ip', ['netns', 'exec', namespace(host), ...argv], { stdio: ['ignore', stdout, stderr] });

const consoleArgv = (commands) => ['node', MAIN, 'console', '--socket', SOCKET, ...commands.flatMap((c) => ['-e', c])];
/** Has the running fw3640 carry out commands. @returns what it printed */
export const atConsole = (...commands) => router(...consoleArgv(commands));
/** Has it carry out a command again and again, until the process is ended. */
export const consoleLoop = (command) => start('router', consoleArgv(Array(10_000).fill(command)));

async function lineOf(child) {
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error(`${child.spawnargs.slice(3).join(' ')} ended without a word`);
}

/** All its queues are open, and beside each data plane its spare one waits: its birth would count as work. */
function isAtWork(pid, shards) {
  const rows = router('cat', '/proc/net/netfilter/nfnetlink_queue');
  return rows.trim().split('\n').filter(Boolean).length === shards && childrenOf(pid).length === 2 * shards;
}

/**
 * Makes the router forward with `system`. `args`: more of fw3640; `unread`: nobody reads its log.
 * @returns how to end that
 */
export async function forwardWith(system) {
  for (const [device, address] of [
    ['outside', '172.22.1.16/24'],
    ['inside', '10.10.10.1/24'],
  ]) {
    router('ip', 'address', 'replace', address, 'dev', device);
  }
  router('sysctl', '-qw', 'net.ipv4.ip_forward=1');
  const queues = Number(system.queued ?? 0);
  if (queues > 0) {
    const to = queues === 1 ? [] : ['--queue-balance', `0:${queues - 1}`];
    for (const device of DEVICES) {
      router('iptables', '-t', 'raw', '-A', 'PREROUTING', '-i', device, '-j', 'CT', '--notrack');
      router('iptables', '-t', 'raw', '-A', 'PREROUTING', '-i', device, '-j', 'NFQUEUE', ...to);
    }
  }
  const argv = system.config === undefined ? system.argv : daemon(system);
  const children =
    queues > 1 ? Array.from({ length: queues }, (_, queue) => start('router', [...argv, String(queue)])) : [];
  if (queues <= 1 && argv !== undefined) children.push(start('router', argv));
  const until = Date.now() + START_MS;
  for (const child of children) {
    if (system.ready === undefined) {
      await lineOf(child);
      child.stdout.resume();
      continue;
    }
    if (system.unread !== true) child.stdout.resume();
    while (!system.ready(child.pid)) {
      if (child.exitCode !== null || Date.now() > until) throw new Error(`${system.title} did not start`);
      await delay(50);
    }
  }
  const end = async () => {
    for (const child of children) {
      if (child.exitCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    router('iptables', '-t', 'raw', '-F');
  };
  const [child] = children;
  return { pid: child?.pid, pids: children.map((one) => one.pid), child, end };
}

/** Process ids of the children of a process. `ip netns exec` replaces itself, so those of a system are its own. */
export const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

/** Processor seconds that processes and their children have used, and packets that came to the queues. */
export function usage(...pids) {
  // Times are in ticks of 10 ms.
  let ticks = 0;
  for (const one of pids.flatMap((pid) => [pid, ...childrenOf(pid)])) {
    const stat = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1].split(' ');
    ticks += Number(stat[11]) + Number(stat[12]);
  }
  const queues = router('cat', '/proc/net/netfilter/nfnetlink_queue').trim().split('\n');
  const packets = queues.map((queue) => queue.trim().split(/\s+/)).reduce((sum, row) => sum + (row[7] - row[6]), 0);
  return { cpu: ticks / 100, packets };
}

/** Builds what is compared, and the lab. */
export function up() {
  sh('make', '-s', '-C', join(ROOT, 'native'));
  sh('make', '-s', '-C', join(ROOT, 'test/bench'));
  lab('up');
}

export const down = () => lab('down');

export const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
