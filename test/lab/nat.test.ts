/** NAT between real hosts: PAT, pools, static ports, hairpins, and what ICMP errors tell. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { dotted } from '../support/packets.js';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { type Host, Lab } from './support/lab.js';
import { LabProcess } from './support/process.js';
import { connectTcp, openTcp, TcpServer } from './support/tcp.js';
import { until } from './support/until.js';
import { Wire } from './support/wire.js';

const SERVER = '172.22.1.10';
const OUTSIDE = '172.22.1.16';
const MAIL = '172.22.1.110';
const STATIC_HOSTS = [
  'ip nat inside source static 10.10.10.2 172.22.1.110',
  'ip nat inside source static 10.10.10.5 172.22.1.111',
] as const;

let lab: Lab;
beforeEach(() => void (lab = Lab.up()));
afterEach(() => lab.down());

/** 3640.cfg with the NAT lines in place of its static entries. */
const start = (nat: string): Promise<Fw3640> =>
  Fw3640.start(lab, { config: configVariant(lab, [STATIC_HOSTS[0], nat], [STATIC_HOSTS[1], '!']) });
/** 3640.cfg with lines added. */
const startWith = (lines: string): Promise<Fw3640> =>
  Fw3640.start(lab, { config: configVariant(lab, [STATIC_HOSTS[0], `${STATIC_HOSTS[0]}\n${lines}`]) });

/** A TCP client that uses a source port of our choice, and prints what it gets. */
function connectFrom(host: Host, localPort: number, to: string, port: number): LabProcess {
  const script = `require('node:net').connect({ host: '${to}', port: ${port}, localPort: ${localPort} }).on('data', (b) => process.stdout.write(b)).on('error', (e) => console.log(e.code))`;
  return new LabProcess(lab, host, process.execPath, ['-e', script]);
}

/** One ping; what it printed. */
const ping = (host: Host, ...args: string[]): string => lab.exec(host, 'ping', ['-c1', '-W2', ...args]).stdout;

/** Packets in which the three bytes of the inside network stand anywhere. */
const showingInside = (packets: readonly Uint8Array[]): Uint8Array[] =>
  packets.filter((p) => Buffer.from(p).includes(Buffer.from([10, 10, 10])));

describe('overload of the outside interface', () => {
  test('two inside hosts with one source port talk to one server at a time', async () => {
    const router = await start(
      'access-list 1 permit 10.10.10.0 0.0.0.255\nip nat inside source list 1 interface Ethernet2/0 overload',
    );
    const server = await TcpServer.listen(lab, 'outside', 8080, (c) => c.write(`you are ${c.peer}\n`));
    const clients = [connectFrom('inside', 40000, SERVER, 8080), connectFrom('inside2', 40000, SERVER, 8080)];
    await until('both to be served', () => clients.every((c) => c.stdout.includes('you are')));
    expect(server.connections.map((c) => c.peer.replace('::ffff:', '')).sort()).toEqual([
      `${OUTSIDE}:1024`,
      `${OUTSIDE}:40000`,
    ]);
    await router.shows(
      'show ip nat translations',
      /^tcp 172\.22\.1\.16:1024 +10\.10\.10\.\d:40000 +172\.22\.1\.10:8080/m,
    );
    expect(ping('inside', SERVER)).toContain('1 received');
    // The router itself is still there.
    expect(ping('inside', OUTSIDE)).toContain('1 received');
  });
});

describe('a pool of one address', () => {
  test('serves the first host; the second is dropped, which is logged, until the translation is cleared', async () => {
    const router = await start(
      'access-list 1 permit 10.10.10.0 0.0.0.255\nip nat pool P 172.22.1.120 172.22.1.120 netmask 255.255.255.0\nip nat inside source list 1 pool P',
    );
    expect(ping('inside', SERVER)).toContain('1 received');
    expect(ping('inside2', SERVER)).toContain('0 received');
    await router.logged('%IPNAT-4-ADDR_ALLOC_FAILURE', /10\.10\.10\.5, pool P/);
    await router.shows('show ip nat statistics', /allocated 1 \(100%\), misses 1/);
    router.console('enable', 'clear ip nat translation *');
    expect(ping('inside2', SERVER)).toContain('1 received');
  });
});

describe('a static port of the outside interface', () => {
  test('can be reached from outside, and no other port can', async () => {
    await start(
      'ip nat inside source static tcp 10.10.10.2 8080 interface Ethernet2/0 80\naccess-list 101 permit tcp any host 172.22.1.16 eq www',
    );
    const server = await TcpServer.listen(lab, 'inside', 8080, (c) => c.write('hello\n'));
    const client = await openTcp(lab, 'outside', OUTSIDE, 80);
    await client.receive(/hello/);
    expect((await server.connection(1)).peer).toContain(`${SERVER}:`);
    const refused = await connectTcp(lab, 'outside', OUTSIDE, 8080);
    expect(await until('the refusal', () => refused.closed)).not.toBe('');
  });
});

describe('an inside host that calls an inside global address', () => {
  test('gets to the host behind it, which answers through the router', async () => {
    await Fw3640.start(lab);
    const server = await TcpServer.listen(lab, 'inside', 2525, (c) => c.write('hello\n'));
    const client = await openTcp(lab, 'inside2', MAIL, 2525);
    await client.receive(/hello/);
    expect((await server.connection(1)).peer).toContain('172.22.1.111:');
  });
});

describe('ICMP errors of the router', () => {
  beforeEach(async () => {
    await startWith('access-list 101 permit icmp any any');
  });

  test('outside show no inside local address: hop limit, and a small MTU inside', async () => {
    const wire = await Wire.tap(lab, 'outside', 'eth0', 'icmp');
    expect(ping('outside', '-t1', MAIL)).toMatch(/From 172\.22\.1\.16 .*Time to live exceeded/);
    lab.run('router', 'ip', ['link', 'set', 'inside', 'mtu', '1300']);
    expect(ping('outside', '-Mdo', '-s1400', MAIL)).toMatch(
      /From 172\.22\.1\.16 .*Frag needed and DF set \(mtu = 1300\)/,
    );
    await wire.packet('the error', (p) => p[20] === 3);
    expect(showingInside(wire.packets)).toEqual([]);
  });

  test('inside come from the inside interface, to the host that sent: hop limit, and a small MTU outside', async () => {
    const wire = await Wire.tap(lab, 'inside', 'eth0', 'icmp');
    expect(ping('inside', '-t1', SERVER)).toMatch(/From 10\.10\.10\.1 .*Time to live exceeded/);
    lab.run('router', 'ip', ['link', 'set', 'outside', 'mtu', '1300']);
    expect(ping('inside', '-Mdo', '-s1400', SERVER)).toMatch(
      /From 10\.10\.10\.1 .*Frag needed and DF set \(mtu = 1300\)/,
    );
    const quoted = await wire.packet('the error', (p) => p[20] === 3);
    expect(dotted(new DataView(quoted.buffer, quoted.byteOffset).getInt32(40))).toBe('10.10.10.2');
  });

  test('tell that a host inside is not there, by the address that was called', async () => {
    const wire = await Wire.tap(lab, 'outside', 'eth0', 'icmp');
    lab.run('inside2', 'ip', ['link', 'set', 'eth0', 'down']);
    expect(lab.exec('outside', 'ping', ['-c1', '-W6', '172.22.1.111']).stdout).toMatch(
      /From 172\.22\.1\.16 .*Destination Host Unreachable/,
    );
    expect(showingInside(wire.packets)).toEqual([]);
  });
});
