/** `log` and `log-input` of access list entries. */
import { expect, test } from 'vitest';
import { messageOf } from '../../src/ios/messages.js';
import { icmpPacket, tcpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const syn = (srcPort: number): Uint8Array =>
  tcpPacket({ src: CLIENT, srcPort, dst: '172.22.1.110', dstPort: 80, flags: 'S' });
const said = (r: Router3640): string[] => r.events.map((e) => `${messageOf(e).mnemonic}: ${messageOf(e).text}`);
const LINE = '%SEC-6-IPACCESSLOGP: list 101 denied tcp 172.22.1.10(4000) -> 172.22.1.110(80)';
const MINUTES_5 = 300_000;

test('the first packet of a flow at once, the others every five minutes', () => {
  const r = new Router3640('access-list 101 deny ip any any log');
  for (let n = 0; n < 4; n++) r.fromOutside(syn(4000));
  expect(said(r)).toEqual([`${LINE}, 1 packet`]);
  r.wait(MINUTES_5);
  expect(said(r).slice(1)).toEqual([`${LINE}, 3 packets`]);
  r.wait(MINUTES_5);
  expect(said(r)).toHaveLength(2);
  r.fromOutside(syn(4000));
  expect(said(r).at(-1)).toBe(`${LINE}, 1 packet`);
});

test('log-input names the interface; ICMP has type and code in place of ports', () => {
  const r = new Router3640('access-list 101 deny ip any any log-input');
  r.fromOutside(icmpPacket(CLIENT, '172.22.1.110', 8, 0, [0, 7, 0, 1]));
  expect(said(r)).toEqual([
    '%SEC-6-IPACCESSLOGDP: list 101 denied icmp 172.22.1.10 (Ethernet2/0) -> 172.22.1.110 (8/0), 1 packet',
  ]);
});

test('an entry without log, and the implicit deny, say nothing', () => {
  const r = new Router3640('access-list 101 deny tcp any any eq 80');
  r.fromOutside(syn(4000));
  r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: '172.22.1.110', dstPort: 81, flags: 'S' }));
  expect(r.events).toEqual([]);
});

test('more flows than there is room for are counted as missed', () => {
  const r = new Router3640('access-list 101 deny ip any any log');
  for (let n = 0; n < 1030; n++) r.fromOutside(syn(1000 + n));
  expect(said(r)).toHaveLength(1024);
  r.wait(MINUTES_5);
  expect(said(r).slice(1024)).toEqual(['%SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed 6 packets']);
});
