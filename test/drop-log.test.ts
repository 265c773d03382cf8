/** `ip inspect log drop-pkt` */
import { describe, expect, test } from 'vitest';
import { messageOf } from '../src/ios/messages.js';
import { icmpPacket, tcpPacket, type TcpFields } from './support/packets.js';
import { Router3640 } from './support/router-3640.js';

const ON = 'ip inspect log drop-pkt';
const stray = (more: Partial<TcpFields> = {}): Uint8Array =>
  tcpPacket({
    src: '10.10.10.2',
    srcPort: 3000,
    dst: '172.22.1.10',
    dstPort: 443,
    flags: 'A',
    seq: 7,
    ack: 9,
    ...more,
  });
const lines = (r: Router3640): string[] =>
  r.events.filter((e) => e.type === 'packet-dropped').map((e) => `${messageOf(e).mnemonic}: ${messageOf(e).text}`);

describe('the words of the Command Reference', () => {
  test.each<[string, Uint8Array, string]>([
    [
      'a TCP segment',
      stray(),
      '%FW-6-DROP_TCP_PKT: Dropping tcp pkt 10.10.10.2:3000 => 172.22.1.10:443 due to Segment matching no TCP ' +
        'connection -- ip ident 4660 tcpflags 20496 seq.no 7 ack 9',
    ],
    [
      'SYN with data',
      stray({ flags: 'S', payload: 'x' }),
      '%FW-6-DROP_TCP_PKT: Dropping tcp pkt 10.10.10.2:3000 => 172.22.1.10:443 due to SYN with data or with PSH/URG ' +
        'flags -- ip ident 4660 tcpflags 20482 seq.no 7 ack 9',
    ],
    [
      'a header that cannot be read',
      stray().map((b, i) => (i === 32 ? 0x10 : b)),
      '%FW-6-DROP_PKT: Dropping tcp pkt 10.10.10.2:0 => 172.22.1.10:0 with ip ident 4660 due to Invalid Header length',
    ],
    [
      'an ICMP error about no session',
      icmpPacket('10.10.10.2', '172.22.1.10', 3, 1, [0, 0, 0, 0, ...stray().subarray(0, 28)]),
      '%FW-6-DROP_PKT: Dropping icmp pkt 10.10.10.2:769 => 172.22.1.10:0 with ip ident 4660 due to ICMP error ' +
        'about no session',
    ],
  ])('%s', (_, packet, want) => {
    const r = new Router3640(ON);
    r.fromInside(packet);
    expect(lines(r)).toEqual([want]);
  });
});

test('it is off by default, and an access list has its own log', () => {
  const quiet = new Router3640();
  quiet.fromInside(stray());
  expect(quiet.events).toEqual([]);
  const r = new Router3640(ON);
  r.fromOutside(tcpPacket({ src: '172.22.1.10', srcPort: 1, dst: '172.22.1.110', dstPort: 80, flags: 'S' }));
  expect(r.events).toEqual([]);
});

test('one line a flow and reason in 30 seconds', () => {
  const r = new Router3640(ON);
  for (let n = 0; n < 5; n++) r.fromInside(stray());
  r.fromInside(stray({ flags: 'S', payload: 'x' }));
  expect(lines(r)).toHaveLength(2);
  r.wait(30_000);
  r.fromInside(stray());
  expect(lines(r)).toHaveLength(3);
});

test('a flood from many ports makes 20 lines a second, and every drop counts', () => {
  const r = new Router3640(ON);
  for (let n = 0; n < 500; n++) r.fromInside(stray({ srcPort: 1000 + n }));
  expect(lines(r)).toHaveLength(20);
  expect(r.engine.drops.reduce((a, b) => a + b)).toBe(500);
  r.wait(1000);
  for (let n = 0; n < 500; n++) r.fromInside(stray({ srcPort: 2000 + n }));
  expect(lines(r)).toHaveLength(40);
});
