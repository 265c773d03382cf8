/** What the sender of a denied packet is told. */
import { describe, expect, test } from 'vitest';
import { i32 } from '../../src/core/wire/bytes.js';
import { checksumsOk, dotted, icmpPacket, tcpPacket, udpPacket } from '../support/packets.js';
import { DROP, Router3640 } from '../support/router-3640.js';

const CLIENT = '172.22.1.10';
const syn = (src = CLIENT): Uint8Array =>
  tcpPacket({ src, srcPort: 4000, dst: '172.22.1.110', dstPort: 80, flags: 'S', seq: 7 });

test('administratively prohibited, from the interface it came in by, quoting what came', () => {
  const r = new Router3640();
  expect(r.fromOutside(syn()).verdict).toBe(DROP.acl);
  const [answer] = r.injected as [Uint8Array];
  expect([dotted(i32(answer, 12)), dotted(i32(answer, 16))]).toEqual(['172.22.1.16', CLIENT]);
  expect(Array.from(answer.subarray(20, 22))).toEqual([3, 13]);
  expect(Array.from(answer.subarray(28))).toEqual(Array.from(syn().subarray(0, 28)));
  expect(checksumsOk(answer)).toBe(true);
});

test('one in 500 ms', () => {
  const r = new Router3640();
  for (let ms = 0; ms < 2000; ms += 10) {
    r.fromOutside(syn());
    r.wait(10);
  }
  expect(r.injected).toHaveLength(4);
});

test('what an output list denies is answered too, with the addresses that its sender knows', () => {
  const r = new Router3640('access-list 103 deny ip any any\ninterface Ethernet2/1\n ip access-group 103 out\n!');
  r.fromOutside(tcpPacket({ src: CLIENT, srcPort: 4000, dst: '172.22.1.110', dstPort: 25, flags: 'S' }));
  expect(r.injected.map((b) => dotted(i32(b, 44)))).toEqual(['172.22.1.110']);
});

describe('nobody is told of', () => {
  const fragment = syn().map((b, i) => (i === 7 ? 64 : b)); // offset 512
  test.each<[string, Uint8Array, string]>([
    ['a denied packet on an interface without unreachables', syn(), 'interface Ethernet2/0\n no ip unreachables\n!'],
    ['an ICMP error', icmpPacket(CLIENT, '172.22.1.110', 3, 1, [0, 0, 0, 0, ...syn().subarray(0, 28)]), ''],
    ['a packet to a multicast group', udpPacket(CLIENT, 5, '224.0.0.5', 5, 'x'), ''],
    ['a packet that names no host as its source', syn('127.0.0.1'), ''],
    ['a later fragment', fragment, ''],
  ])('%s', (_, packet, extra) => {
    const r = new Router3640(extra);
    r.fromOutside(packet);
    expect(r.injected).toEqual([]);
  });
});
