/** The host stays as the configuration says while the router runs, and nothing passes that the queue has not passed. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type LogLine, Fw3640, fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
});
afterEach(() => lab.down());

/** A repair runs a dozen programs: on a busy machine that takes its time. Nothing passes meanwhile. */
const BUSY_MS = 40_000;

const ping = (): boolean => lab.exec('inside', 'ping', ['-c1', '-W1', '172.22.1.10']).code === 0;
const inRouter = (command: string): string => lab.run('router', 'sh', ['-c', command]);

/** Pings to an inside host that list 101 denies, and all of whose answers would pass. @returns how many were answered */
class Forbidden {
  readonly #process = new LabProcess(lab, 'outside', 'ping', ['-q', '-i', '0.005', '10.10.10.2']);
  async answered(): Promise<number> {
    await this.#process.stop('SIGINT');
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(this.#process.stdout) ?? [];
    expect(Number(sent)).toBeGreaterThan(20);
    return Number(received);
  }
}

describe('two locks', () => {
  test.each([
    { name: 'raw', flush: 'iptables -t raw -F' },
    { name: 'the chain in raw', flush: 'iptables -t raw -F FW3640' },
    { name: 'filter', flush: 'iptables -F' },
    { name: 'all of iptables', flush: 'for t in raw mangle filter; do iptables -t $t -F; iptables -t $t -X; done' },
    { name: 'the routing rules', flush: 'ip rule del priority 3641; ip rule del priority 3641' },
  ])('$name flushed: nothing forbidden passes, it is put right and said', async ({ flush }) => {
    const router = await Fw3640.start(lab);
    const rules = (): string => inRouter('ip rule; iptables-save | sed -n "/^-/p"');
    const made = rules();
    expect(ping()).toBe(true);
    const forbidden = new Forbidden();
    for (let i = 0; i < 3; i++) {
      inRouter(flush);
      await until(
        () => `the rules to be put right:\n${made}\n--- but they are\n${rules()}`,
        () => rules() === made,
        BUSY_MS,
      );
    }
    expect(await forbidden.answered()).toBe(0);
    await router.logged('%HOST-4-REPAIRED', /^%HOST-4-REPAIRED: set right what was changed on this host: /);
    await until('what is permitted to pass', ping);
    expect(await router.stop()).toBe(0);
  });

  test('with the queue rule gone and nobody to put it right, nothing passes and nothing is delivered', async () => {
    const router = await Fw3640.start(lab);
    await router.kill();
    inRouter('iptables -t raw -F');
    expect(ping()).toBe(false);
    expect(lab.exec('outside', 'ping', ['-c1', '-W1', '172.22.1.16']).code).not.toBe(0);
    inRouter('iptables -F; iptables -t mangle -F');
    expect(ping()).toBe(false);
    fw3640(lab, 'cleanup');
    expect(inRouter('ip rule')).not.toMatch(/^36[45]\d:/m);
  });

  test('the units’ lock is replaced in one step: nothing passes while it is put up again and again', () => {
    // As the box would be without it: Linux forwards.
    inRouter(`ip address add 172.22.1.16/24 dev outside; ip address add 10.10.10.1/24 dev inside
              ip link set outside up; ip link set inside up; sysctl -qw net.ipv4.ip_forward=1`);
    expect(ping()).toBe(true);
    const closed = (verb: string): void => {
      lab.run('router', 'env', [
        'FW3640_INTERFACES=--interface Ethernet2/0=outside --interface Ethernet2/1=inside',
        join(ROOT, 'packaging/closed'),
        verb,
      ]);
    };
    closed('up');
    expect(ping()).toBe(false);
    const received = lab.exec('router', 'sh', [
      '-c',
      `ip netns exec ${lab.netns('outside')} ping -q -c 200 -i 0.005 -W 1 10.10.10.2 > /tmp/${lab.name}.ping & pid=$!
       while kill -0 $pid 2>/dev/null; do ${join(ROOT, 'packaging/closed')} up >/dev/null; done
       cat /tmp/${lab.name}.ping; rm /tmp/${lab.name}.ping`,
    ]);
    expect(received.stdout).toContain('200 packets transmitted, 0 received');
    inRouter('iptables -t raw -F; iptables -F'); // the other lock holds
    expect(ping()).toBe(false);
    closed('down');
    expect(ping()).toBe(true);
  });
});

describe('links', () => {
  test('a link that goes down and up again is said, keeps its routes, and is announced by ARP', async () => {
    const router = await Fw3640.start(lab);
    const tap = new LabProcess(lab, 'outside', 'tcpdump', ['-lnni', 'eth0', 'arp']);
    await until('tcpdump to listen', () => tap.stderr.includes('listening'));
    const route = (): string => inRouter('ip route show default; ip -4 route show dev outside');
    const before = route();
    lab.run('outside', 'ip', ['link', 'set', 'eth0', 'down']); // the cable is pulled at the other end
    await router.logged('%LINK-3-UPDOWN', /: Interface Ethernet2\/0, changed state to down$/);
    await router.logged('%LINEPROTO-5-UPDOWN', /: Line protocol on Interface Ethernet2\/0, changed state to down$/);
    lab.run('outside', 'ip', ['link', 'set', 'eth0', 'up']);
    await router.logged('%LINK-3-UPDOWN', /: Interface Ethernet2\/0, changed state to up$/);
    await router.logged('%LINEPROTO-5-UPDOWN', /: Line protocol on Interface Ethernet2\/0, changed state to up$/);
    for (const address of ['172.22.1.16', '172.22.1.110', '172.22.1.111']) {
      await until(
        () => `${address} to be announced:\n${tap.stdout}`,
        () =>
          tap.stdout.includes(`Request who-has ${address} tell ${address}`) ||
          tap.stdout.includes(`Announcement ${address}`),
      );
    }
    inRouter('ip link set outside down; ip link set outside up'); // Linux forgets the static routes
    await until(
      () => `the routes to be back:\n${before}\n--- but they are\n${route()}`,
      () => route() === before,
    );
    expect(ping()).toBe(true);
    await tap.stop();
    expect(await router.stop()).toBe(0);
  });

  test('a device that is deleted and made anew is the router’s again', async () => {
    const router = await Fw3640.start(lab);
    expect(ping()).toBe(true);
    inRouter('ip link del outside');
    await router.logged('%LINK-3-UPDOWN', /Ethernet2\/0, changed state to down/);
    await router.logged('%HOST-4-GONE', /there is no interface 'outside' any more: Ethernet2\/0 waits for it/);
    inRouter(`ip link add outside type veth peer name eth0 netns ${lab.netns('outside')}`);
    lab.run('outside', 'sh', [
      '-c',
      'ip address add 172.22.1.10/24 dev eth0; ip link set eth0 up; ip route add 10.10.10.0/24 via 172.22.1.16',
    ]);
    await router.logged('%LINEPROTO-5-UPDOWN', /Ethernet2\/0, changed state to up/);
    await until('packets to cross again', ping);
    expect(lab.exec('outside', 'ping', ['-c1', '-W1', '10.10.10.2']).code).not.toBe(0); // list 101
    expect(await router.stop()).toBe(0);
  });

  test('an interface that is shut down on the console is said to be', async () => {
    const router = await Fw3640.start(lab);
    router.console('configure terminal', 'interface Ethernet2/0', 'shutdown', 'end');
    await router.logged('%LINK-5-CHANGED', /: Interface Ethernet2\/0, changed state to administratively down$/);
    router.console('configure terminal', 'interface Ethernet2/0', 'no shutdown', 'end');
    await router.logged('%LINK-3-UPDOWN', /: Interface Ethernet2\/0, changed state to up$/);
    expect(await router.stop()).toBe(0);
  });

  test('somebody who sets the same thing again and again does not keep the router busy', async () => {
    const router = await Fw3640.start(lab);
    const stubborn = new LabProcess(lab, 'router', 'sh', [
      '-c',
      'while :; do ip address del 172.22.1.111/32 dev outside 2>/dev/null; sleep 0.02; done',
    ]);
    // A repair may take a second on a busy machine.
    const contested = (): LogLine | undefined => router.log.find((l) => l.mnemonic === '%HOST-4-CONTESTED');
    expect((await until('the tenth repair', contested, 40_000)).msg).toMatch(/10 repairs in a minute/);
    await stubborn.stop('SIGKILL');
    expect(router.log.filter((l) => l.mnemonic === '%HOST-4-CONTESTED')).toHaveLength(1);
    expect(router.log.filter((l) => l.mnemonic === '%HOST-4-REPAIRED')).toHaveLength(10);
    expect(await router.stop()).toBe(0);
  });
});

test('of two that are started at once one is the router, with its rules', async () => {
  const start = (name: string): LabProcess =>
    new LabProcess(lab, 'router', process.execPath, [
      join(ROOT, 'dist/main.js'),
      ...['run', '--config', join(ROOT, 'config/3640.cfg'), '--socket', join(lab.folder, name)],
      ...['--interface', 'Ethernet2/0=outside', '--interface', 'Ethernet2/1=inside'],
    ]);
  const both = [start('a.sock'), start('b.sock')];
  const ended = await until('one of them to end', () => both.find((p) => p.exitCode !== undefined));
  const runs = both.find((p) => p !== ended)!;
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain('fw3640 is running here already as process');
  await until('the other one to run', () => runs.stdout.includes('%SYS-5-RESTART'));
  expect(ping()).toBe(true);
  expect(inRouter('iptables -t raw -S')).toContain('NFQUEUE');
  expect(await runs.stop()).toBe(0);
});

test('SIGUSR1 opens no debugger', async () => {
  const ports = (): string[] => [...inRouter('ss -ltnH').matchAll(/:(\d+) /g)].map((m) => m[1]!);
  const router = await Fw3640.start(lab);
  // The page of `ip http server`, on two addresses, is all that listens.
  await until('the web page', () => ports().length === 2);
  for (const pid of router.children) {
    process.kill(pid, 'SIGUSR1');
    process.kill(pid, 'SIGUSR1');
  }
  router.console('show clock');
  expect(ports()).toEqual(['80', '80']);
  // The control plane makes room for another one.
  expect(await router.stop('SIGUSR1')).toBe(0);
  expect(ports()).toEqual([]);
  expect(router.process.stderr).not.toContain('Debugger');
  const next = await Fw3640.start(lab);
  expect(await next.stop()).toBe(0);
});

test('a zombie is no running router', async () => {
  const parent = spawn('sh', ['-c', 'sleep 0 & exec sleep 60'], { stdio: 'ignore' });
  try {
    const { readFileSync, mkdirSync, writeFileSync } = await import('node:fs');
    const children = (): string => readFileSync(`/proc/${parent.pid!}/task/${parent.pid!}/children`, 'utf8').trim();
    const stat = (pid: string): string[] => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
    const zombie = await until('a zombie', () => {
      const pid = children();
      return pid !== '' && stat(pid)[0] === 'Z' ? pid : undefined;
    });
    const { Journal } = await import('../../src/host/host-journal.js');
    const path = join(lab.folder, 'net-1/state.json');
    mkdirSync(join(lab.folder, 'net-1'));
    writeFileSync(path, JSON.stringify({ pid: Number(zombie), started: stat(zombie)[19], hardware: {}, entries: [] }));
    expect(new Journal(path, () => undefined).runningOwner()).toBeUndefined();
  } finally {
    parent.kill('SIGKILL');
  }
});
