/**
 * nmap's idle scan (-sI): spoofed SYNs in the name of a bystander that counts its IP identifications up, as old hosts
 * did. The bystander is made of frames, since no kernel of today counts that way. Through the firewall the scan learns
 * what a SYN scan learns: port 25 of the mail server, and nothing else. With 3640.cfg.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { i32, put16, put32, u16 } from '../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { RST } from '../../src/core/wire/tcp.js';
import { dotted, tcpPacket } from '../support/packets.js';
import { Fw3640 } from './support/fw3640.js';
import { Lab } from './support/lab.js';
import { Postfix } from './support/postfix.js';
import { LabProcess } from './support/process.js';
import { until } from './support/until.js';
import { frameOf, ipv4In, macOf, Wire } from './support/wire.js';

const ZOMBIE = '172.22.1.77';
const ZOMBIE_MAC = '02:00:00:00:00:77';
const SCANNER = '172.22.1.10';
const MAIL = '172.22.1.110';

let lab: Lab;
let identification = 1000;
let answered = 0;

/** The RST a host sends to a segment of no connection of its own (RFC 9293 §3.10.7.1), with the next identification. */
function reset(packet: Uint8Array): Uint8Array | undefined {
  const l4 = 20;
  if ((packet[l4 + 13]! & RST) !== 0) return undefined;
  const rst = tcpPacket({
    src: ZOMBIE,
    srcPort: u16(packet, l4 + 2),
    dst: dotted(i32(packet, 12)),
    dstPort: u16(packet, l4),
    flags: 'R',
    seq: i32(packet, l4 + 8),
    window: 0,
  });
  put16(rst, 4, ++identification);
  put32(rst, 6, (0x4000 << 16) | (64 << 8) | 6); // DF, TTL, protocol
  put16(rst, 10, 0);
  writeIpv4Checksum(rst, 0, 20);
  return rst;
}

beforeAll(async () => {
  lab = Lab.up();
  await Fw3640.start(lab);
  Postfix.start(lab);
  // Both sides of the outside cable know where the bystander is; it does not speak ARP.
  for (const [host, device] of [
    ['outside', 'eth0'],
    ['router', 'outside'],
  ] as const) {
    lab.run(host, 'ip', ['neigh', 'replace', ZOMBIE, 'lladdr', ZOMBIE_MAC, 'dev', device, 'nud', 'permanent']);
  }
  const scannerMac = macOf(lab, 'outside', 'eth0');
  const routerMac = macOf(lab, 'router', 'outside');
  // A frame sent on one end of the cable arrives at the other: the scanner is answered from the router's end.
  const towardsScanner = await Wire.tap(lab, 'router', 'outside', 'icmp[0] = 255');
  const cable = await Wire.tap(lab, 'outside', 'eth0', `tcp and dst host ${ZOMBIE}`, (frame) => {
    const packet = ipv4In(frame);
    const rst = packet === undefined ? undefined : reset(packet);
    if (packet === undefined || rst === undefined) return;
    answered++;
    if (dotted(i32(packet, 12)) === SCANNER) towardsScanner.inject(frameOf(rst, scannerMac, ZOMBIE_MAC));
    else cable.inject(frameOf(rst, routerMac, ZOMBIE_MAC));
  });
});
afterAll(() => lab.down());

test('an idle scan finds port 25 of the mail server open, and no other port', async () => {
  // Not waited for by blocking: the bystander answers from this process.
  const nmap = new LabProcess(lab, 'outside', 'nmap', [
    ...['-n', '-Pn', '--send-ip', '--disable-arp-ping', '-T4', '--max-retries', '1', '-vv', '-oG', '-'],
    ...['-p', '21-27,80,110', '-sI', `${ZOMBIE}:80`, MAIL],
  ]);
  const code = await until('nmap to end', () => nmap.exitCode, 90_000);
  const text = nmap.stdout + nmap.stderr;
  expect(code, text).toBe(0);
  const ports = /\tPorts: ([^\t]*)/.exec(text)?.[1] ?? '';
  const open = [...ports.matchAll(/(\d+)\/open\//g)].map((m) => Number(m[1]));
  expect(answered, 'the bystander took part').toBeGreaterThan(0);
  expect(open, text).toEqual([25]);
});
