/**
 * The queue edge with real packets: a consumer in the router's namespace judges what crosses the lab. Offloads are as
 * the kernel has them, so TCP comes in super-packets and small packets with partial checksums.
 */
import { spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { QueueStats } from '../../src/io/queue/packet-queue.js';
import { Lab, ROOT, type Host } from './support/lab.js';

const CONSUMER = join(ROOT, 'test/support/queue-consumer.mjs');
const TRAFFIC = join(ROOT, 'test/support/traffic.mjs');
const INSIDE = '10.10.10.2';
const MEGABYTE = 1 << 20;

interface ConsumerStats extends QueueStats {
  superPackets: number;
  partialChecksums: number;
  truncated: number;
}

let lab: Lab;
const running = new Set<ChildProcessWithoutNullStreams>();

beforeAll(() => {
  expect(existsSync(join(ROOT, 'dist/io/queue/packet-queue.js')), 'run npm run build first').toBe(true);
  const made = spawnSync('make', ['-C', join(ROOT, 'test/bench')], { encoding: 'utf8' });
  expect(made.status, made.stderr).toBe(0);
  lab = Lab.up();
  lab.run('router', 'ip', ['address', 'add', '172.22.1.16/24', 'dev', 'outside']);
  lab.run('router', 'ip', ['address', 'add', '10.10.10.1/24', 'dev', 'inside']);
  lab.run('router', 'sysctl', ['-qw', 'net.ipv4.ip_forward=1']);
  for (const device of ['outside', 'inside']) {
    lab.run('router', 'iptables', ['-t', 'raw', '-A', 'PREROUTING', '-i', device, '-j', 'CT', '--notrack']);
    lab.run('router', 'iptables', ['-t', 'raw', '-A', 'PREROUTING', '-i', device, '-j', 'NFQUEUE']);
  }
});

afterEach(async () => {
  for (const child of running) {
    child.kill('SIGKILL');
    await ended(child);
  }
  running.clear();
});

afterAll(() => lab.down());

/** A process of the lab; its output is kept. */
class Running {
  stdout = '';
  stderr = '';
  readonly child: ChildProcessWithoutNullStreams;

  constructor(host: Host, script: string, ...args: string[]) {
    this.child = lab.spawn(host, 'node', [script, ...args]);
    running.add(this.child);
    this.child.stdout.on('data', (bytes: Buffer) => (this.stdout += bytes.toString()));
    this.child.stderr.on('data', (bytes: Buffer) => (this.stderr += bytes.toString()));
  }

  /** Waits until the process has said that it is ready. */
  async ready(): Promise<this> {
    while (!this.stdout.startsWith('ready\n')) {
      if (hasEnded(this.child)) throw new Error(`ended before it was ready: ${this.stderr}`);
      await new Promise((resolve) => this.child.stdout.once('data', resolve));
    }
    return this;
  }

  /** Waits for the end. @returns the last line that it printed */
  async result(): Promise<string> {
    await ended(this.child);
    return this.stdout.trimEnd().split('\n').at(-1) ?? '';
  }

  async stats(): Promise<ConsumerStats> {
    this.child.kill('SIGTERM');
    return JSON.parse(await this.result()) as ConsumerStats;
  }
}

const hasEnded = (child: ChildProcessWithoutNullStreams): boolean =>
  child.exitCode !== null || child.signalCode !== null;

async function ended(child: ChildProcessWithoutNullStreams): Promise<void> {
  if (!child.stdout.closed) await new Promise((resolve) => child.once('close', resolve));
}

const consumer = (mode: string): Promise<Running> => new Running('router', CONSUMER, mode).ready();

const pings = (): boolean => lab.exec('outside', 'ping', ['-c', '1', '-W', '1', INSIDE]).code === 0;

describe('packets keep their bytes', () => {
  test.each([
    { mode: 'pass', bytes: 64 * MEGABYTE, does: 'accepted as they are' },
    { mode: 'changed', bytes: 64 * MEGABYTE, does: 'all sent back as changed, super-packets and SYN among them' },
    { mode: 'hold-reverse', bytes: 2 * MEGABYTE, does: 'held and released in reverse order' },
    { mode: 'hold-changed', bytes: 2 * MEGABYTE, does: 'held and released in reverse order, with their bytes' },
  ])('TCP: $does', async ({ mode, bytes }) => {
    const edge = await consumer(mode);
    const receiver = await new Running('inside', TRAFFIC, 'tcp-receive', '5001').ready();
    const sender = new Running('outside', TRAFFIC, 'tcp-send', INSIDE, '5001', String(bytes));
    const sent = await sender.result();
    expect(await receiver.result()).toBe(sent);
    expect(sent).toHaveLength(64);

    const stats = await edge.stats();
    expect(stats.superPackets).toBeGreaterThan(0);
    expect(stats.partialChecksums).toBeGreaterThan(0);
    expect(stats).toMatchObject({ verdictErrors: 0, badVerdicts: 0, malformed: 0, unknownReleases: 0, held: 0 });
    expect(stats.verdicts).toBe(stats.received);
  });

  test.each(['pass', 'changed', 'hold-changed'])('UDP, 64 bytes with partial checksums: %s', async (mode) => {
    const count = 500;
    const edge = await consumer(mode);
    const receiver = await new Running('inside', TRAFFIC, 'udp-receive', '5002', String(count)).ready();
    const sender = new Running('outside', TRAFFIC, 'udp-send', INSIDE, '5002', String(count));
    expect(await sender.result()).toBe(String(count));
    expect(await receiver.result()).toBe(String(count));
    const stats = await edge.stats();
    expect(stats.partialChecksums).toBeGreaterThanOrEqual(count);
    expect(stats).toMatchObject({ verdictErrors: 0, badVerdicts: 0 });
  });
});

test.each(['pass', 'changed', 'hold-changed'])('a UDP super-packet arrives as its datagrams: %s', async (mode) => {
  const count = 40;
  const edge = await consumer(mode);
  const receiver = await new Running('inside', TRAFFIC, 'udp-receive', '5004', String(count)).ready();
  lab.run('outside', join(ROOT, 'native/build/load'), ['udp-super', INSIDE, '5004', String(count)]);
  expect(await receiver.result()).toBe(String(count));
  expect(await edge.stats()).toMatchObject({ superPackets: 1, verdictErrors: 0, badVerdicts: 0 });
});

test('what is released within a batch goes out behind the packet that released it, and before those that came later', async () => {
  const count = 400;
  const edge = await consumer('hold-gap');
  const receiver = await new Running('inside', TRAFFIC, 'udp-order', '5005', String(count)).ready();
  // Stopped meanwhile, so that many are in one batch.
  edge.child.kill('SIGSTOP');
  const sender = new Running('outside', TRAFFIC, 'udp-send', INSIDE, '5005', String(count));
  expect(await sender.result()).toBe(String(count));
  edge.child.kill('SIGCONT');
  const order = Array.from({ length: count }, (_, i) => 8 * Math.floor(i / 8) + [0, 3, 1, 2, 4, 5, 6, 7][i % 8]!);
  expect(await receiver.result()).toBe(order.join(' '));
  const stats = await edge.stats();
  expect(stats.batches).toBeLessThan(count / 4);
  expect(stats).toMatchObject({ verdictErrors: 0, badVerdicts: 0, held: 0 });
});

test('the edge answers for a host with a packet of its own', async () => {
  const edge = await consumer('answer');
  const client = new Running('outside', TRAFFIC, 'udp-ask', INSIDE, '5003');
  expect(await client.result()).toBe('question');
  expect(await edge.stats()).toMatchObject({ injected: 1, injectErrors: 0 });
});

describe('fails closed', () => {
  test('nothing passes before a consumer binds, after it was killed, and after it ended; a new one takes over', async () => {
    expect(pings()).toBe(false);
    const first = await consumer('pass');
    expect(pings()).toBe(true);
    first.child.kill('SIGKILL');
    await ended(first.child);
    expect(pings()).toBe(false);
    const second = await consumer('pass');
    expect(pings()).toBe(true);
    await second.stats();
    expect(pings()).toBe(false);
  });

  test.each(['drop', 'undecided'])('a packet without a pass is dropped: %s', async (mode) => {
    const edge = await consumer(mode);
    expect(pings()).toBe(false);
    const stats = await edge.stats();
    expect(stats.received).toBeGreaterThan(0);
    expect(stats).toMatchObject({ kernelQueued: 0, verdictErrors: 0 });
  });

  test('an error in the handler ends the process, and its packets go nowhere', async () => {
    const edge = await consumer('throw');
    expect(pings()).toBe(false);
    await edge.result();
    expect(edge.child.exitCode).toBe(1);
    expect(edge.stderr).toContain('a bug in the handler');
  });
});

describe('says what is wrong when it cannot bind', () => {
  test('another program has the queue', async () => {
    await consumer('pass');
    const second = new Running('router', CONSUMER, 'pass');
    await second.result();
    expect(second.child.exitCode).toBe(1);
    expect(second.stderr).toContain('QueueError: queue 0: bind: EPERM (is another program bound to queue 0?)');
  });

  test('not root', () => {
    const done = lab.exec('router', 'setpriv', [
      '--bounding-set=-all',
      '--inh-caps=-all',
      'node',
      '--no-warnings',
      CONSUMER,
      'pass',
    ]);
    expect(done.code).toBe(1);
    expect(done.stderr).toContain('EPERM (run as root: CAP_NET_ADMIN and CAP_NET_RAW are needed)');
  });
});

test('an idle queue costs no processor time', async () => {
  const edge = await consumer('pass');
  expect(pings()).toBe(true);
  const before = cpuTicks(edge.child.pid!);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(cpuTicks(edge.child.pid!) - before).toBeLessThanOrEqual(3);
});

/** User and system time of a process, in ticks of 10 ms. `ip netns exec` replaces itself, so the pid is node's. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

test('the C shim holds all expectations of its own program under the sanitizers', () => {
  const done = spawnSync('make', ['-C', join(ROOT, 'native'), 'check'], { encoding: 'utf8', timeout: 110_000 });
  expect(done.stdout + done.stderr).toContain('drive: all expectations hold');
  expect(done.status).toBe(0);
});
