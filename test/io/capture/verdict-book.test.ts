/** Which verdict of the router belongs to which frame on the wire. */
import { expect, test } from 'vitest';
import type { VerdictRecord } from '../../../src/core/capture/verdict.js';
import { ABSORBED, DROP, HOLD, PASS } from '../../../src/core/verdict.js';
import { commentOf, packetKey, VerdictBook } from '../../../src/io/capture/verdict-book.js';
import { icmpPacket, tcpPacket, withHeader } from '../../support/packets.js';

const segment = (payload = '', seq = 1, dst = '172.22.1.110'): Uint8Array =>
  tcpPacket({ src: '172.22.1.10', srcPort: 4000, dst, dstPort: 25, flags: 'PA', seq, payload });
const CAME = segment('EXPN root\r\n');
const LEAVES = segment('xxxxxxxxx\r\n', 1, '10.10.10.2');

const record = (more: Partial<VerdictRecord> = {}): VerdictRecord => ({
  number: 1,
  timeMs: 1000,
  ingress: 'Ethernet2/0',
  egress: 'Ethernet2/1',
  verdict: PASS,
  late: false,
  held: undefined,
  heldMs: 0,
  came: CAME,
  leaves: LEAVES,
  length: CAME.length,
  changedFrom: 0,
  changedTo: 0,
  ...more,
});
const dropped = { egress: undefined, leaves: new Uint8Array(0) };

test.each([
  [record({ leaves: CAME }), 'passed'],
  [record(), 'passed, destination 172.22.1.110 became 10.10.10.2'],
  [record({ changedTo: 9 }), 'changed (bytes 0-8 of the payload masked), destination 172.22.1.110 became 10.10.10.2'],
  [record({ changedTo: 2, leaves: segment('ab') }), 'changed (bytes 0-1 of the payload changed)'],
  [record({ ...dropped, verdict: DROP.acl }), 'dropped (Access list)'],
  [record({ ...dropped, verdict: HOLD }), 'held'],
  [record({ late: true, heldMs: 12.34, came: new Uint8Array(0) }), 'held 12.3 ms, then passed'],
  [record({ ...dropped, late: true, heldMs: 5, verdict: DROP.outOfOrder }), 'held 5.0 ms, then dropped (Out-Of-Order Segment)'], // prettier-ignore
  [record({ ...dropped, verdict: ABSORBED }), 'passed as part of its datagram'],
])('%#: %s', (r, comment) => expect(commentOf(r)).toBe(comment));

test('a frame is known again with another TTL and other checksums, and not with another sequence number', () => {
  const key = packetKey(CAME);
  const later = withHeader(CAME, { ttl: 9 });
  later[36] = 0;
  expect(packetKey(later)).toBe(key);
  expect(packetKey(segment('EXPN root\r\n', 2))).not.toBe(key);
  expect(packetKey(icmpPacket('1.2.3.4', '1.2.3.5', 8, 0, [0, 1, 0, 1]))).not.toBe(
    packetKey(icmpPacket('1.2.3.4', '1.2.3.5', 8, 0, [0, 1, 0, 2])),
  );
  expect(packetKey(Uint8Array.of(0x60, 0, 0))).toBeUndefined();
});

test('each verdict is for the frame that came and for the one that left, once', () => {
  const book = new VerdictBook();
  book.take(record());
  const find = (name: string, bytes: Uint8Array, ms = 1000) => book.find(name, packetKey(bytes)!, ms, true);
  expect(find('Ethernet2/1', CAME)).toBeUndefined();
  expect(find('Ethernet2/0', CAME)).toMatch(/^passed/);
  expect(find('Ethernet2/0', CAME)).toBeUndefined();
  expect(find('Ethernet2/1', LEAVES)).toMatch(/^passed/);
});

test('of packets that look alike each gets the verdict that is nearest in time', () => {
  const book = new VerdictBook();
  book.take(record({ leaves: CAME }));
  book.take(record({ ...dropped, number: 2, timeMs: 3000, verdict: DROP.invalidSeq }));
  expect(book.find('Ethernet2/0', packetKey(CAME)!, 2900, true)).toBe('dropped (Invalid Seq#)');
  expect(book.find('Ethernet2/0', packetKey(CAME)!, 2900, true)).toBe('passed');
});

test('one that is held is waited for; what it comes to takes the place of "held"', () => {
  const book = new VerdictBook();
  const key = packetKey(CAME)!;
  book.take(record({ ...dropped, number: 7, verdict: HOLD }));
  expect(book.find('Ethernet2/0', key, 1000, false)).toBeUndefined();
  book.take(record({ number: 8, late: true, held: 7, heldMs: 20 }));
  expect(book.find('Ethernet2/0', key, 1000, false)).toMatch(/^held 20.0 ms, then passed/);
  expect(book.find('Ethernet2/1', packetKey(LEAVES)!, 1000, false)).toMatch(/^held 20.0 ms/);
  book.take(record({ ...dropped, number: 9, verdict: HOLD }));
  expect(book.find('Ethernet2/0', key, 1000, true)).toBe('held');
});

test('what no frame has asked for is forgotten', () => {
  const book = new VerdictBook();
  book.take(record());
  book.forget(10_000);
  expect(book.find('Ethernet2/1', packetKey(LEAVES)!, 1000, true)).toMatch(/^passed/);
  book.forget(11_000);
  expect(book.find('Ethernet2/0', packetKey(CAME)!, 1000, true)).toBeUndefined();
});
