/**
 * The control plane dies, in whatever way, and another one takes over: no packet is late, sessions go on, and what people
 * see is what it was.
 */
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { configVariant, Fw3640, fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { smtpServer } from './support/smtp-server.js';
import { openTcp, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
});
afterEach(() => lab.down());

const passes = (): boolean => lab.exec('inside', 'ping', ['-c1', '-W1', '172.22.1.10']).code === 0;
const exists = (pid: number): boolean => existsSync(`/proc/${pid}/fd/0`);
const runFolder = (): string => `/run/fw3640/net-${statSync(`/run/netns/${lab.netns('router')}`).ino}`;

/** What of the host is ours. */
const host = (): string =>
  lab.run('router', 'sh', [
    '-c',
    'ip -4 -brief address; ip -4 route; ip -4 rule; iptables-save | grep "^-"; ip6tables -S',
  ]);

/** Pings each 10 ms, until it is asked what became of them. */
class Pings {
  readonly #process = new LabProcess(lab, 'inside', 'ping', ['-n', '-i', '0.01', '172.22.1.10']);

  get answered(): number {
    return this.#process.stdout.split('icmp_seq=').length - 1;
  }

  /** @returns the longest round trip, ms; none is missing */
  async stop(): Promise<number> {
    await this.#process.stop('SIGINT');
    const answers = [...this.#process.stdout.matchAll(/icmp_seq=(\d+) .* time=([\d.]+) ms/g)];
    expect(answers.map((m) => Number(m[1]))).toEqual(Array.from(answers, (_, i) => i + 1));
    return Math.max(...answers.map((m) => Number(m[2])));
  }

  /** Waits for so many answers more. */
  more(count: number): Promise<unknown> {
    const before = this.answered;
    return until('answers to pings', () => this.answered >= before + count);
  }
}

/** Sessions as `show ip inspect sessions` has them, those of the pings left out. */
const sessions = (router: Fw3640): string[] =>
  router
    .console('show ip inspect sessions')
    .split('\n')
    .filter((line) => / (tcp|smtp) SIS_OPEN/.test(line))
    .sort();

test('killed under load and started again, twice: no packet is late, sessions go on, the same ones are shown', async () => {
  const transfers = await TcpServer.listen(lab, 'outside', 8025);
  await smtpServer(lab);
  const config = configVariant(lab); // a copy: it is written
  let router = await Fw3640.start(lab, { config });
  const { dataPlane } = router;
  const made = host();
  router.console('configure terminal', 'ip inspect udp idle-time 77', 'end', 'write memory');
  const mail = await openTcp(lab, 'outside', '172.22.1.110', 25);
  await mail.receive(/^220 .*\r\n/);
  const transfer = await openTcp(lab, 'inside', '172.22.1.10', 8025);
  const received = await transfers.connection(1);
  const shown = await until('two sessions', () => (sessions(router).length === 2 ? sessions(router) : undefined));

  // How late they are anyway, on this machine at this time.
  const before = new Pings();
  await before.more(300);
  const usual = await before.stop();

  const pings = new Pings();
  await pings.more(50);
  let sent = 0;
  const send = (): void => {
    transfer.write('x'.repeat(10_000));
    sent += 10_000;
  };
  const type = async (line: string): Promise<void> => {
    const replies = mail.text.length;
    mail.write(`${line}\r\n`);
    await until(() => `a reply to ${line}`, () => /^\d{3} .*\r\n/.test(mail.text.slice(replies))); // prettier-ignore
    send();
  };
  for (const lines of [
    ['HELO outside.test', 'NOOP'],
    ['NOOP', 'RSET'],
  ]) {
    await type(lines[0]!);
    await router.stop('SIGKILL');
    await type(lines[1]!);
    await pings.more(50);
    const began = performance.now();
    router = await Fw3640.start(lab, { config });
    router.console('show clock');
    console.log(`console is back after ${Math.round(performance.now() - began)} ms`);
    expect(router.dataPlane).toBe(dataPlane);
    await router.logged('%FW3640-5-DATA_PLANE', /was at work and is taken over/);
    expect(sessions(router)).toEqual(shown);
    expect(router.console('show ip inspect config')).toContain('udp idle-time is 77 sec');
    await type('NOOP');
  }
  const latest = await pings.stop();
  console.log(`slowest ping: ${usual} ms before, ${latest} ms over two kills and starts`);
  // Milliseconds on a quiet machine; a wait for another control plane would be a second at least.
  expect(latest).toBeLessThan(Math.max(400, 4 * usual));
  await until(() => `${received.bytes.length} of ${sent} bytes`, () => received.bytes.length === sent); // prettier-ignore
  expect(host()).toBe(made);
  await type('QUIT');
  await until('the end of the dialogue', () => mail.ended);
  expect(await router.stop()).toBe(0);
  expect(exists(dataPlane)).toBe(false);
  expect(existsSync(runFolder())).toBe(false);
});

test('what happened meanwhile is said by the next control plane', async () => {
  const router = await Fw3640.start(lab);
  router.console('configure terminal', 'ip inspect audit-trail', 'end');
  await router.stop('SIGKILL');
  const listener = await TcpServer.listen(lab, 'outside', 8026);
  const client = await openTcp(lab, 'inside', '172.22.1.10', 8026);
  await listener.connection(1);
  client.write('meanwhile');
  await (await listener.connection(1)).receive(/meanwhile/);
  const next = await Fw3640.start(lab);
  await next.logged('%FW3640-5-DATA_PLANE', /taken over; \d+ messages of the time before follow/);
  await next.logged('%FW-6-SESS_AUDIT_TRAIL_START', /\(172\.22\.1\.10:8026\)/);
  // The startup-config has no audit trail: it is in force now.
  expect(next.console('show ip inspect config')).toContain('Session audit trail is disabled');
  expect(await next.stop()).toBe(0);
});

test('killed, then the data plane is killed: the next start begins anew, and its end leaves nothing', async () => {
  const before = host();
  const router = await Fw3640.start(lab);
  await router.kill();
  expect(passes()).toBe(false);
  const next = await Fw3640.start(lab);
  expect(passes()).toBe(true);
  expect(await next.stop()).toBe(0);
  expect(host()).toBe(before);
  expect(existsSync(runFolder())).toBe(false);
});

test('a data plane that was taken over and ends is replaced like any other', async () => {
  const first = await Fw3640.start(lab);
  await first.stop('SIGKILL');
  const router = await Fw3640.start(lab);
  const { dataPlane } = router;
  process.kill(dataPlane, 'SIGKILL');
  await router.logged('%FW3640-5-DATA_PLANE', /started again/);
  expect(router.dataPlane).not.toBe(dataPlane);
  expect(passes()).toBe(true);
  expect(await router.stop()).toBe(0);
});

test('SIGTERM while there is no data plane ends in order', async () => {
  const before = host();
  const router = await Fw3640.start(lab);
  process.kill(router.dataPlane, 'SIGKILL');
  expect(await router.stop()).toBe(0);
  expect(host()).toBe(before);
  expect(existsSync(runFolder())).toBe(false);
});

test('one that hangs is ended, and another one started', async () => {
  const router = await Fw3640.start(lab);
  const { dataPlane } = router;
  process.kill(dataPlane, 'SIGSTOP');
  await router.logged('%FW3640-4-DATA_PLANE', /hangs/, 20_000);
  await router.logged('%FW3640-5-DATA_PLANE', /started again/);
  expect(exists(dataPlane)).toBe(false);
  expect(passes()).toBe(true);
  expect(await router.stop()).toBe(0);
});

test('one that hangs when a control plane starts is ended by its number', async () => {
  const first = await Fw3640.start(lab);
  const { dataPlane } = first;
  process.kill(dataPlane, 'SIGSTOP');
  await first.stop('SIGKILL');
  const router = await Fw3640.start(lab);
  await router.logged('%FW3640-4-DATA_PLANE', /does not answer; it is ended/);
  expect(exists(dataPlane)).toBe(false);
  expect(passes()).toBe(true);
  expect(await router.stop()).toBe(0);
});

test.each([
  {
    name: 'another number of sessions',
    args: ['--max-sessions', '1000'],
    says: /another number of sessions; it is replaced/,
  },
  { name: 'another queue', args: ['--queue', '7'], says: /another queue .*; it is replaced/ },
])('a data plane with $name is replaced', async ({ args, says }) => {
  const before = host();
  const first = await Fw3640.start(lab);
  const { dataPlane } = first;
  await first.stop('SIGKILL');
  const router = await Fw3640.start(lab, { args });
  await router.logged('%FW3640-4-DATA_PLANE', says);
  expect(exists(dataPlane)).toBe(false);
  expect(passes()).toBe(true);
  expect(await router.stop()).toBe(0);
  expect(host()).toBe(before);
});

test('a data plane of another build is not spoken with: it is replaced, and that is said', async () => {
  const folder = runFolder();
  const script = join(lab.folder, 'other.mjs');
  const text = `
    const { DataPlaneProcess } = await import('${ROOT}/dist/control/data-plane-process.js');
    const { ShardFiles } = await import('${ROOT}/dist/host/shard-files.js');
    const other = await DataPlaneProcess.start(new ShardFiles('${folder}'), 'elsewhere', { command: [] });
    console.log(other.name.pid);`;
  writeFileSync(script, text);
  const starter = new LabProcess(lab, 'router', process.execPath, [script]);
  const other = Number(await until('it to listen', () => /\d+/.exec(starter.stdout)?.[0]));
  const router = await Fw3640.start(lab);
  await router.logged('%FW3640-4-DATA_PLANE', /is of another build \(elsewhere\); it is replaced/);
  await until('its end', () => !exists(other));
  expect(passes()).toBe(true);
  expect(router.children).toContain(router.dataPlane);
  expect(await router.stop()).toBe(0);
  expect(existsSync(folder)).toBe(false);
});

test('a second control plane is refused, also beside a data plane that was taken over, and disturbs nothing', async () => {
  const first = await Fw3640.start(lab);
  await first.stop('SIGKILL');
  const router = await Fw3640.start(lab);
  const { dataPlane } = router;
  const second = fw3640(lab, 'run', '--config', 'config/3640.cfg', '--interface', 'Ethernet2/0=outside', '--interface', 'Ethernet2/1=inside', '--socket', join(lab.folder, 'second.sock')); // prettier-ignore
  expect([second.code, second.stderr]).toEqual([1, expect.stringContaining('running here already as process')]);
  expect(router.dataPlane).toBe(dataPlane);
  expect(router.console('show ip inspect sessions')).toBe('');
  expect(passes()).toBe(true);
  expect(await router.stop()).toBe(0);
});

test('a start that fails leaves a data plane at work as it is', async () => {
  const first = await Fw3640.start(lab);
  const { dataPlane } = first;
  await first.stop('SIGKILL');
  const failed = fw3640(lab, 'run', '--config', 'config/3640.cfg', '--interface', 'Ethernet2/0=outside', '--interface', 'Ethernet2/1=nosuch'); // prettier-ignore
  expect(failed.code).toBe(1);
  expect(exists(dataPlane)).toBe(true);
  expect(passes()).toBe(true);
  const router = await Fw3640.start(lab);
  expect(router.dataPlane).toBe(dataPlane);
  expect(await router.stop()).toBe(0);
});

test('SIGUSR1 makes room for another one: no ping is lost, and the host stays as it is', async () => {
  const first = await Fw3640.start(lab);
  const { dataPlane } = first;
  const made = host();
  const pings = new Pings();
  await pings.more(20);
  expect(await first.stop('SIGUSR1')).toBe(0);
  await pings.more(20);
  expect(host()).toBe(made);
  const router = await Fw3640.start(lab);
  expect(router.dataPlane).toBe(dataPlane);
  await pings.more(20);
  await pings.stop();
  expect(host()).toBe(made);
  expect(await router.stop()).toBe(0);
});

test('what is in the run directory is for root alone', async () => {
  const router = await Fw3640.start(lab);
  const modes = readdirSync(runFolder()).map((name) => [
    name,
    (statSync(join(runFolder(), name)).mode & 0o777).toString(8),
  ]);
  expect(modes.filter(([name]) => name!.startsWith('shard0')).every(([, mode]) => mode === '600')).toBe(true);
  expect(modes.map(([name]) => name!.replace(/-\d+/, ''))).toEqual(
    expect.arrayContaining(['shard0.err', 'shard0.pid', 'shard0.sock']),
  );
  expect(await router.stop()).toBe(0);
});
