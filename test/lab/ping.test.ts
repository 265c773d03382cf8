/** The router's own `ping` and `traceroute` on real packets: what the access lists let in is an answer, and no more. */
import { connect, type Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab, ROOT } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { startDns } from './support/servers.js';
import { until } from './support/until.js';
import { Wire } from './support/wire.js';

const INSIDE = '10.10.10.2';
const OUTSIDE = '172.22.1.10';
/** A network behind the outside host, which forwards there and nobody answers. */
const BEYOND = '198.51.100.7';

let lab: Lab;
let router: Fw3640;

beforeAll(async () => {
  lab = Lab.up();
  const config = configVariant(
    lab,
    ['ip classless', `ip classless\nip route 198.51.100.0 255.255.255.0 ${OUTSIDE}`],
    ['ip subnet-zero', `ip subnet-zero\nip name-server ${INSIDE}`],
  );
  router = await Fw3640.start(lab, { config });
});
afterAll(() => lab.down());

const configure = (...lines: string[]): string => router.console('configure terminal', ...lines, 'end');

test('an inside host answers', () => {
  expect(router.console(`ping ${INSIDE}`)).toMatch(
    /^\nType escape sequence to abort\.\nSending 5, 100-byte ICMP Echos to 10\.10\.10\.2, timeout is 2 seconds:\n!!!!!\nSuccess rate is 100 percent \(5\/5\), round-trip min\/avg\/max = \d+\/\d+\/\d+ ms\n$/,
  );
});

test('echos are what IOS sends: a hundred bytes, TTL 255, from the interface they leave by', async () => {
  const wire = await Wire.tap(lab, 'inside', 'eth0', 'icmp[icmptype] = icmp-echo');
  router.console(`ping ${INSIDE} repeat 1`, `ping ${INSIDE} repeat 1 source 172.22.1.16 df-bit size 60`);
  await until('two echos', () => wire.packets.length === 2);
  const seen = wire.packets.map((p) => ({ length: p.length, ttl: p[8], from: p.subarray(12, 16).join('.'), df: p[6] }));
  expect(seen).toEqual([
    { length: 100, ttl: 255, from: '10.10.10.1', df: 0 },
    { length: 60, ttl: 255, from: '172.22.1.16', df: 0x40 },
  ]);
  await wire.close();
});

test('show ip traffic counts the echos and their replies', () => {
  const counts = (): number[] => {
    const text = router.console('show ip traffic');
    const figures = [
      /Sent: \d+ redirects, \d+ unreachable, (\d+) echo, /,
      /\d+ echo, (\d+) echo reply, \d+ mask requests/,
    ];
    return figures.map((f) => Number(f.exec(text)?.[1]));
  };
  const [sent = NaN, received = NaN] = counts();
  router.console(`ping ${INSIDE}`);
  expect(counts()).toEqual([sent + 5, received + 5]);
});

test('an echo longer than the MTU goes and comes in fragments, through virtual reassembly', () => {
  expect(router.console(`ping ${INSIDE} size 6000 repeat 3`)).toContain('\n!!!\n');
  expect(router.console(`ping ${INSIDE} size 6000 repeat 2 df-bit timeout 1`)).toContain('\n..\n');
  expect(router.console('show ip virtual-reassembly Ethernet2/1')).toMatch(/Total reassembly count:[3-9]/);
});

test('an address of its own answers, and one where nobody is does not', () => {
  expect(router.console('ping 172.22.1.16 repeat 3')).toContain('\n!!!\n');
  expect(router.console('ping 10.10.10.99 repeat 2 timeout 1')).toContain('\n..\nSuccess rate is 0 percent (0/2)\n');
});

/** Empty: it has ended. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

describe('an outside host', () => {
  test('answers in vain while access list 101 permits mail alone', () => {
    const drops = (): number =>
      Number(/drop Access list: (\d+)/.exec(router.console('show ip inspect statistics'))?.[1] ?? 0);
    const before = drops();
    expect(router.console(`ping ${OUTSIDE} timeout 1`)).toContain('\n.....\nSuccess rate is 0 percent (0/5)\n');
    expect(drops()).toBe(before + 5);
  });

  test('answers once echo replies are permitted', async () => {
    configure('access-list 101 permit icmp any any echo-reply');
    expect(router.console(`ping ${OUTSIDE}`)).toContain('\n!!!!!\nSuccess rate is 100 percent (5/5)');
    await router.shows('show access-lists 101', /permit icmp any any echo-reply \(5 matches\)/);
  });
});

describe('traceroute', () => {
  beforeAll(() => {
    lab.run('outside', 'ip', ['link', 'add', 'beyond', 'arp', 'off', 'type', 'veth', 'peer', 'name', 'nowhere']);
    lab.run('outside', 'ip', ['address', 'add', '198.51.100.1/24', 'dev', 'beyond']);
    for (const device of ['beyond', 'nowhere']) lab.run('outside', 'ip', ['link', 'set', device, 'up']);
    lab.run('outside', 'sysctl', ['-qw', 'net.ipv4.conf.all.forwarding=1']);
  });

  test('to an inside host', () => {
    expect(router.console(`traceroute 10.10.10.5 numeric`)).toMatch(
      /^\nType escape sequence to abort\.\nTracing the route to 10\.10\.10\.5\n\n {2}1 10\.10\.10\.5 \d+ msec \d+ msec \d+ msec\n$/,
    );
  });

  test('beyond an outside router sees nothing behind access list 101', () => {
    expect(router.console(`traceroute ${BEYOND} numeric timeout 1 ttl 1 1`)).toMatch(/\n {2}1 {2}\* {2}\* {2}\* \n$/);
  });

  test('sees it once time-exceeded is permitted', () => {
    configure('access-list 101 permit icmp any any time-exceeded');
    expect(router.console(`traceroute ${BEYOND} numeric timeout 1 ttl 1 2`)).toMatch(
      /\n {2}1 172\.22\.1\.10 \d+ msec \d+ msec \d+ msec\n {2}2 {2}\* {2}\* {2}\* \n$/,
    );
  });
});

test('names come from the name server of the configuration', async () => {
  await startDns(lab, 'inside', 'mail.example.test', INSIDE);
  expect(router.console('ping mail.example.test repeat 1')).toMatch(
    /^Translating "mail\.example\.test"\.\.\.domain server \(10\.10\.10\.2\) \[OK\]\n\nType escape sequence to abort\.\nSending 1, 100-byte ICMP Echos to 10\.10\.10\.2, .*\n!\n/,
  );
  const unknown = join(lab.folder, 'console.sock');
  const main = join(ROOT, 'dist/main.js');
  const { code, stdout } = lab.exec('router', process.execPath, [
    main,
    'console',
    '--socket',
    unknown,
    '-e',
    'ping x.y',
  ]);
  expect([code, stdout]).toEqual([
    1,
    '3640-123#ping x.y\nTranslating "x.y"...domain server (10.10.10.2)\n' +
      '% Unrecognized host or address, or protocol not running.\n\n',
  ]);
});

describe('a ping that would go on for hours', () => {
  let terminal: Socket;
  let screen: string;
  const seen = (what: string): Promise<true> =>
    until(
      () => `${what} on the screen:\n${screen}`,
      () => screen.includes(what) || undefined,
    );

  async function start(): Promise<void> {
    screen = '';
    terminal = connect(join(lab.folder, 'console.sock'));
    terminal.on('data', (d) => (screen += d.toString()));
    terminal.write(`${JSON.stringify({ mode: 'terminal', rows: 0, columns: 80 })}\n`);
    await seen('>');
    terminal.write('enable\r');
    await seen('Password: ');
    terminal.write('cisco123\r');
    await seen('#');
    terminal.write(`ping ${INSIDE} repeat 2147483647\r`);
    await seen('!!!!!!!!!!');
  }

  /** Waits until no echo has left for a while. */
  async function silence(): Promise<void> {
    const wire = await Wire.tap(lab, 'inside', 'eth0', 'icmp[icmptype] = icmp-echo');
    let last = -1;
    let since = performance.now();
    await until('the echos to end', () => {
      if (wire.packets.length !== last) since = performance.now();
      last = wire.packets.length;
      return performance.now() - since > 500;
    });
    await wire.close();
  }

  test('is ended by Ctrl-C, with the summary', async () => {
    await start();
    terminal.write('\x03');
    await seen('Success rate is 100 percent');
    await silence();
    screen = '';
    terminal.write('show privilege\r');
    await seen('Current privilege level is 15');
    terminal.destroy();
  });

  test('ends with its console', async () => {
    await start();
    terminal.destroy();
    await silence();
  });

  test('ends with the client of console -e, and no process is left', async () => {
    const socket = join(lab.folder, 'console.sock');
    const command = ['console', '--socket', socket, '-e', `ping ${INSIDE} repeat 2147483647`];
    const wire = await Wire.tap(lab, 'inside', 'eth0', 'icmp[icmptype] = icmp-echo');
    const client = new LabProcess(lab, 'router', process.execPath, [join(ROOT, 'dist/main.js'), ...command]);
    await until('echos', () => wire.packets.length > 10);
    await client.stop('SIGKILL');
    await wire.close();
    await silence();
    expect(router.children.filter((pid) => !commandLine(pid).includes('/worker.js'))).toEqual([]);
  });
});
