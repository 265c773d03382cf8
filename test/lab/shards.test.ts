/** `--shards 2`: two data planes, a queue each, and one router. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { shardOf } from '../../src/core/shard/steering.js';
import { ip } from '../support/packets.js';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { FtpServer } from './support/servers.js';
import { smtpServer } from './support/smtp-server.js';
import { type Connection, openTcp, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';

/** Hosts outside, each shard's. */
const OF_SHARD = [
  ['172.22.1.22', '172.22.1.24', '172.22.1.25'],
  ['172.22.1.21', '172.22.1.26', '172.22.1.27'],
] as const;
const ALL = OF_SHARD.flat();
const ROUTER_ON_THE_WAY = '172.22.1.99';
const MAIL = '172.22.1.110';

let lab: Lab;
beforeEach(() => {
  lab = Lab.up();
  for (const address of [...ALL, ROUTER_ON_THE_WAY])
    lab.run('outside', 'ip', ['address', 'add', `${address}/24`, 'dev', 'eth0']);
});
afterEach(() => lab.down());

test('the addresses of these tests are those of both shards', () => {
  OF_SHARD.forEach((addresses, shard) => {
    for (const address of addresses) expect(shardOf(ip(address), 2)).toBe(shard);
  });
});

/** 3640.cfg with PAT on the outside interface in place of the second static entry. */
const start = (...more: string[]): Promise<Fw3640> =>
  Fw3640.start(lab, {
    args: ['--shards', '2'],
    config: configVariant(lab, [
      'ip nat inside source static 10.10.10.5 172.22.1.111',
      ['access-list 1 permit 10.10.10.0 0.0.0.255', 'ip nat inside source list 1 interface Ethernet2/0 overload', ...more].join('\n'), // prettier-ignore
    ]),
  });

const sessionsOf = (router: Fw3640): string[] =>
  router
    .console('show ip inspect sessions')
    .split('\n')
    .filter((line) => line.startsWith(' Session'));

/** Says a line and hears the answer. */
async function say(c: Connection, line: string, answer: RegExp): Promise<void> {
  const before = c.bytes.length;
  c.write(`${line}\r\n`);
  await until(`${String(answer)} for ${line}`, () => answer.test(c.text.slice(before)));
}

test('mail, TCP, UDP, pings and errors cross both shards, and show tells of one router', async () => {
  const mail = await smtpServer(lab);
  const web = await TcpServer.listen(lab, 'outside', 8025, (c) => c.write('hello\n'));
  const router = await start();
  await router.logged('%FW3640-6-DATA_PLANE', /2 shards, queues 0 to 1/);
  const dialogues: Connection[] = [];
  for (const address of ALL) {
    const c = await openTcp(lab, 'outside', MAIL, 25, address);
    await c.receive(/^220 .*\r\n/);
    await say(c, 'EXPN root', /5\d\d .*\r\n/);
    dialogues.push(c);
  }
  expect(mail.connections.map((c) => c.text)).toEqual(ALL.map(() => 'xxxxxxxxx\r\n'));
  for (const address of ALL) {
    expect(lab.exec('inside2', 'ping', ['-c1', '-W2', address]).stdout).toContain('1 received');
    const c = await openTcp(lab, 'inside2', address, 8025);
    await c.receive(/hello\n/);
  }
  // PAT: the outside hosts see the router's address.
  expect(web.connections.map((c) => c.peer.replace(/^::ffff:|:\d+$/g, ''))).toEqual(ALL.map(() => '172.22.1.16'));
  // One list of sessions, each with a number of its own.
  const sessions = sessionsOf(router);
  for (const address of ALL)
    expect(sessions.filter((line) => line.includes(`${address}:`)).length).toBeGreaterThanOrEqual(2);
  const ids = sessions.map((line) => /Session (\w+)/.exec(line)![1]);
  expect(new Set(ids).size).toBe(ids.length);
  const statistics = router.console('show ip inspect statistics');
  expect(statistics).toContain(`Session creations since subsystem startup or last reset ${3 * ALL.length}`);
  expect(router.console('show access-lists 101')).toContain(`(${ALL.length} matches)`);
  expect(router.console('show ip nat translations').match(/172\.22\.1\.16:\d+ +10\.10\.10\.5:\d+ +/g)!.length).toBe(
    2 * ALL.length,
  );
  // The router's own probes, whose answers come in by the shard of the one who answers; to the router no list lets them.
  expect(router.console('ping 10.10.10.2')).toContain('Success rate is 100 percent (5/5)');
  // An error of a router on the way is told by the flow it is about.
  for (const address of ALL) expect(await unreachable(address)).toContain('ECONNREFUSED');
  // `clear` ends them wherever they are.
  router.console('enable', 'clear ip inspect session *');
  expect(sessionsOf(router)).toEqual([]);
  for (const c of dialogues) expect(await c.gone()).toBe('ECONNRESET');
  expect(await router.stop()).toBe(0);
});

test('FTP announces its data connections in the shard of its own', async () => {
  await FtpServer.start(lab, 'outside');
  const router = await start();
  for (const [address] of OF_SHARD) {
    const list = lab.run('inside2', 'curl', ['-sS', '--max-time', '20', '--ftp-port', '-', `ftp://${address}/`]);
    expect(list).toContain('incoming');
  }
  expect(await router.stop()).toBe(0);
});

test('a shard that is killed takes its flows alone into silence, and they go on when it is back', async () => {
  await smtpServer(lab);
  const router = await start();
  const [own, others] = await Promise.all(
    [OF_SHARD[1][0], OF_SHARD[0][0]].map(async (address) => {
      const c = await openTcp(lab, 'outside', MAIL, 25, address);
      await c.receive(/^220 .*\r\n/);
      await say(c, 'HELO client.test', /250 .*\r\n/);
      return c;
    }),
  );
  const killed = router.dataPlaneOf(1);
  const other = router.dataPlaneOf(0);
  // It stands still first: then there is time to look.
  process.kill(killed, 'SIGSTOP');
  own!.write('NOOP\r\n');
  for (let i = 0; i < 5; i++) await say(others!, 'NOOP', /250 .*\r\n/);
  expect(own!.text.match(/250 /g)!.length).toBe(1);
  process.kill(killed, 'SIGKILL');
  await router.logged('%FW3640-2-DATA_PLANE', /shard 1 ended \(SIGKILL\)/);
  await router.logged('%FW3640-5-DATA_PLANE', /shard 1 has been started again/);
  // Its sender has waited longer each time before it repeated what it had said.
  await until(
    () => `the answer (closed: ${own!.closed ?? 'no'}):\n${router.process.stdout}`,
    () => own!.text.match(/250 /g)!.length === 2,
    40_000,
  );
  expect([router.dataPlaneOf(0), router.dataPlaneOf(1) === killed]).toEqual([other, false]);
  expect(sessionsOf(router).length).toBe(2);
  // A control plane that is killed is followed by one that takes both over.
  await router.stop('SIGKILL');
  const next = await start();
  await next.logged('%FW3640-5-DATA_PLANE', /shard 0 was at work and is taken over/);
  await next.logged('%FW3640-5-DATA_PLANE', /shard 1 was at work and is taken over/);
  await say(own!, 'NOOP', /250 .*\r\n/);
  expect(next.dataPlaneOf(0)).toBe(other);
  expect(await next.stop()).toBe(0);
});

test('half-open sessions are counted over both shards', async () => {
  const router = await start('ip inspect max-incomplete high 6', 'ip inspect max-incomplete low 3');
  // Nobody is there behind the mail server's address: each SYN stays half-open.
  lab.run('inside', 'ip', ['address', 'add', '10.10.10.2/32', 'dev', 'lo']);
  lab.run('inside', 'iptables', ['-A', 'INPUT', '-p', 'tcp', '--dport', '25', '-j', 'DROP']);
  const clients = ALL.map(
    (address) =>
      new LabProcess(lab, 'outside', process.execPath, [
        '-e',
        `for (let i = 0; i < 3; i++) require('node:net').connect({ host: '${MAIL}', port: 25, localAddress: '${address}' }).on('error', () => 0)`,
      ]),
  );
  const line = await router.logged('%FW-4-ALERT_ON', /getting aggressive, count \(\d+\/6\)/);
  expect(line.msg).toContain('count (7/6)');
  await until('those above the mark to go', () => sessionsOf(router).length <= 7);
  expect(router.log.filter((l) => l.mnemonic === '%FW-4-ALERT_ON').length).toBe(1);
  for (const c of clients) await c.stop('SIGKILL');
  expect(await router.stop()).toBe(0);
});

test('a configuration that only one shard obeys is refused, and so it is on the console', async () => {
  const pool = 'ip nat pool P 172.22.1.120 172.22.1.121 netmask 255.255.255.0';
  const config = configVariant(lab, [
    'ip nat inside source static 10.10.10.5 172.22.1.111',
    `access-list 1 permit 10.10.10.0 0.0.0.255\n${pool}\nip nat inside source list 1 pool P`,
  ]);
  await expect(Fw3640.start(lab, { args: ['--shards', '2'], config })).rejects.toThrow(
    /--shards 2: ip nat inside source list 1 without overload/,
  );
  const router = await start();
  const typed = [
    'enable',
    'configure terminal',
    'access-list 2 permit any',
    pool,
    'ip nat inside source list 2 pool P',
  ];
  expect(() => router.console(...typed)).toThrow(/without overload/);
  expect(router.console('show running-config')).not.toContain('list 2 pool P\n');
  expect(await router.stop()).toBe(0);
});

/** What a UDP client inside hears when a router on the way says that it got no further. */
async function unreachable(address: string): Promise<string> {
  const router = new LabProcess(lab, 'outside', 'python3', ['-u', '-c', ROUTER, address, ROUTER_ON_THE_WAY]);
  await until('the router on the way', () => router.stdout.includes('ready'));
  const { stdout } = lab.exec('inside2', 'python3', ['-c', CLIENT, address]);
  await router.stop('SIGKILL');
  return stdout;
}

const CLIENT = `
import errno, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], 5999))
s.send(b'x')
try:
    s.recv(99)
except OSError as e:
    print(errno.errorcode.get(e.errno, str(e)))
`;

/** Answers a datagram with what a router would say of it, from another address. */
const ROUTER = `
import socket, struct, sys
host, router = sys.argv[1:3]
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind((host, 5999))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
raw.bind((router, 0))
print('ready')
data, (source, port) = u.recvfrom(99)
quote = struct.pack('!BBHHHBBH4s4s', 0x45, 0, 28 + len(data), 1, 0, 60, 17, 0, socket.inet_aton(source), socket.inet_aton(host))
quote += struct.pack('!HHHH', port, 5999, 8 + len(data), 0)
def total(b):
    s = sum(struct.unpack('!%dH' % (len(b) // 2), b))
    while s >> 16: s = (s & 0xffff) + (s >> 16)
    return ~s & 0xffff
head = struct.pack('!BBHI', 3, 3, 0, 0) + quote
raw.sendto(head[:2] + struct.pack('!H', total(head)) + head[4:], (source, 0))
u.recvfrom(99)
`;
