/** What crosses the router of 3640.cfg and what does not: access list, static NAT, sessions, timers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { dotted, icmpPacket, udpPacket } from '../support/packets.js';
import { configVariant, Fw3640 } from './support/fw3640.js';
import { Lab, type Host } from './support/lab.js';
import { connectTcp, openTcp, TcpServer } from './support/tcp.js';
import { frameOf, macOf, Wire } from './support/wire.js';

const MAIL = '172.22.1.110';
const CLIENT = '172.22.1.10';

let lab: Lab;
let router: Fw3640;
/** Idle times short enough to wait for, audit trail, and an access list that logs what it denies. */
beforeAll(async () => {
  lab = Lab.up();
  router = await Fw3640.start(lab, {
    config: configVariant(
      lab,
      ['ip inspect name IN-OUT udp', 'ip inspect audit-trail\nip inspect udp idle-time 2\nip inspect name IN-OUT udp'],
      [
        'access-list 101 permit tcp any host 172.22.1.110 eq smtp',
        'access-list 101 permit tcp any host 172.22.1.110 eq smtp\naccess-list 101 deny ip any any log',
      ],
    ),
  });
});
afterAll(() => lab.down());

const ping = (from: Host, to: string): boolean => lab.exec(from, 'ping', ['-c1', '-W1', to]).code === 0;
const source = (packet: Uint8Array): string => dotted(new DataView(packet.buffer, packet.byteOffset).getInt32(12));

describe('from outside', () => {
  test('SMTP to the mail server is permitted; the server sees the client, the client the inside global address', async () => {
    const server = await TcpServer.listen(lab, 'inside', 25);
    const client = await openTcp(lab, 'outside', MAIL, 25);
    const accepted = await server.connection(1);
    expect(accepted.peer).toContain(`${CLIENT}:`);
    expect(client.peer).toBe(`${MAIL}:25`);
    accepted.write('220 hello\r\n');
    await client.receive(/^220 hello\r\n$/);
    await router.shows('show ip inspect sessions', new RegExp(`\\(${CLIENT}:\\d+\\)=>\\(${MAIL}:25\\) smtp SIS_OPEN`));
    await router.shows(
      'show ip nat translations',
      new RegExp(`^tcp ${MAIL}:25 +10\\.10\\.10\\.2:25 +${CLIENT}:\\d+`, 'm'),
    );
    client.end();
    accepted.end();
    expect(await client.gone()).toBe('');
    const line = await router.logged('%FW-6-SESS_AUDIT_TRAIL', /Stop smtp session/);
    expect(line).toMatchObject({ initiator: CLIENT, initiatorBytes: 0, responderBytes: 11 });
    await server.close();
  });

  test.each([
    { name: 'another port of the mail server', to: MAIL, port: 80 },
    { name: 'SMTP to the second host', to: '172.22.1.111', port: 25 },
    { name: 'the inside local address', to: '10.10.10.2', port: 25 },
    { name: 'the router itself', to: '172.22.1.16', port: 25 },
  ])('$name is denied, counted and logged', async ({ to, port }) => {
    const server = await TcpServer.listen(lab, 'inside', 80);
    const second = await TcpServer.listen(lab, 'inside2', 25);
    const client = await connectTcp(lab, 'outside', to, port);
    const line = await router.logged('%SEC-6-IPACCESSLOGP', new RegExp(`${to.replaceAll('.', '\\.')}\\(${port}\\)`));
    expect(line.msg).toMatch(/list 101 denied tcp 172\.22\.1\.10\(\d+\)/);
    expect(client.peer).toBe('');
    expect(server.connections).toEqual([]);
    expect(second.connections).toEqual([]);
    await server.close();
    await second.close();
  });

  test('a ping is denied, to every address', () => {
    for (const to of [MAIL, '172.22.1.111', '10.10.10.2', '172.22.1.16']) expect(ping('outside', to), to).toBe(false);
    expect(router.console('show access-lists')).toMatch(/deny ip any any log \(\d+ matches\)/);
  });

  test('an echo reply or a datagram that belongs to no session is not let in', async () => {
    const inside = await Wire.tap(lab, 'inside', 'eth0', 'host 172.22.1.77');
    const outside = await Wire.tap(lab, 'outside', 'eth0', 'arp');
    const inject = (packet: Uint8Array): void =>
      outside.inject(frameOf(packet, macOf(lab, 'router', 'outside'), '02:00:00:00:00:77'));
    inject(icmpPacket('172.22.1.77', MAIL, 0, 0, [0, 1, 0, 1]));
    inject(udpPacket('172.22.1.77', 53, MAIL, 5353, 'stray'));
    await router.logged('%SEC-6-IPACCESSLOGDP', /icmp 172\.22\.1\.77 /);
    await router.logged('%SEC-6-IPACCESSLOGP', /udp 172\.22\.1\.77\(53\)/);
    expect(inside.frames).toEqual([]);
    await inside.close();
    await outside.close();
  });
});

describe('from inside', () => {
  test.each([
    { host: 'inside', global: MAIL, local: '10.10.10.2' },
    { host: 'inside2', global: '172.22.1.111', local: '10.10.10.5' },
  ] as const)('$host pings outside as $global', async ({ host, global }) => {
    const wire = await Wire.tap(lab, 'outside', 'eth0', 'icmp');
    expect(ping(host, CLIENT)).toBe(true);
    const request = await wire.packet('the echo request', (p) => p[20] === 8);
    expect(source(request)).toBe(global);
    await wire.close();
  });

  test('TCP to outside: the answer needs no entry in the access list', async () => {
    const server = await TcpServer.listen(lab, 'outside', 8080);
    const client = await openTcp(lab, 'inside2', CLIENT, 8080);
    const accepted = await server.connection(1);
    expect(accepted.peer).toContain('172.22.1.111:');
    client.write('GET /');
    await accepted.receive(/GET/);
    accepted.write('200');
    await client.receive(/200/);
    client.end();
    accepted.end();
    await client.gone();
    await server.close();
  });

  test('UDP to outside: the answer comes in while the session lives, and not after its idle time', async () => {
    const wire = await Wire.tap(lab, 'outside', 'eth0', 'udp and dst port 5000');
    const ask = () => lab.run('inside', 'bash', ['-c', 'exec 3<>/dev/udp/172.22.1.10/5000; echo question >&3']);
    ask();
    const question = await wire.packet('the question', () => true);
    const port = (question[20]! << 8) | question[21]!;
    const answer = (text: string): void => {
      const packet = udpPacket(CLIENT, 5000, MAIL, port, text);
      wire.inject(frameOf(packet, macOf(lab, 'router', 'outside'), macOf(lab, 'outside', 'eth0')));
    };
    const arrived = await Wire.tap(lab, 'inside', 'eth0', `udp dst port ${port}`);
    answer('in time');
    await arrived.packet('the answer', () => true);
    await router.shows('show ip inspect sessions', new RegExp(`10\\.10\\.10\\.2:${port}\\)=>.* udp SIS_OPEN`));
    const stop = await router.logged(
      '%FW-6-SESS_AUDIT_TRAIL',
      new RegExp(`udp session: initiator \\(10\\.10\\.10\\.2:${port}\\)`),
    );
    expect(stop).toMatchObject({ initiatorBytes: 9, responderBytes: 7 });
    answer('too late');
    await router.logged('%SEC-6-IPACCESSLOGP', new RegExp(`udp 172\\.22\\.1\\.10\\(5000\\).*\\(${port}\\)`));
    expect(arrived.packets).toHaveLength(1);
    await wire.close();
    await arrived.close();
  });

  test('a datagram of four fragments arrives whole, under the inside global address', async () => {
    const wire = await Wire.tap(lab, 'outside', 'eth0', 'ip[6:2] & 0x3fff != 0');
    lab.run('inside', 'ping', ['-c1', '-W2', '-s', '5000', CLIENT]);
    await wire.packet('the last fragment', (p) => (p[6]! & 0x20) === 0 && source(p) === MAIL);
    const sources = new Set(wire.packets.map(source));
    expect([...sources].sort()).toEqual([CLIENT, MAIL]);
    await wire.close();
  });
});
