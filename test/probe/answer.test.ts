/** What counts as an answer to a probe, whatever bytes come. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readAnswer } from '../../src/core/probe/answer.js';
import { PASS } from '../../src/core/verdict.js';
import { decodeIpv4 } from '../../src/core/wire/decode.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { icmpPacket, ip, ipv4Packet, received, udpPacket } from '../support/packets.js';

const ROUTER = '10.10.10.1';
const HOST = '10.10.10.2';
const HOP = '10.10.10.254';
const echo = icmpPacket(ROUTER, HOST, 8, 0, [0, 9, 0, 1, 0xab, 0xcd]);
const datagram = udpPacket(ROUTER, 50_000, HOST, 33_434, '');
const error = (quoted: Uint8Array, type: number, code: number, word = [0, 0, 0, 0]): Uint8Array =>
  icmpPacket(HOP, ROUTER, type, code, [...word, ...quoted]);

function decoded(bytes: Uint8Array): Packet {
  const p = received(bytes, 0);
  expect(decodeIpv4(p)).toBe(PASS);
  return p;
}

const ours = { source: ip(ROUTER), destination: ip(HOST), mtu: 0 };

test.each([
  {
    name: 'an echo reply',
    packet: icmpPacket(HOST, ROUTER, 0, 0, [0, 9, 0, 1]),
    want: { ...ours, kind: 'echo', first: 9, second: 1, type: 0, code: 0 },
  },
  {
    name: 'an error about an echo',
    packet: error(echo, 11, 0),
    want: { ...ours, kind: 'echo', first: 9, second: 1, type: 11, code: 0 },
  },
  {
    name: 'an error about a UDP datagram',
    packet: error(datagram, 3, 3),
    want: { ...ours, kind: 'udp', first: 50_000, second: 33_434, type: 3, code: 3 },
  },
  {
    name: 'fragmentation needed, with the MTU',
    packet: error(echo, 3, 4, [0, 0, 5, 0x78]),
    want: { ...ours, kind: 'echo', first: 9, second: 1, type: 3, code: 4, mtu: 1400 },
  },
  {
    name: 'source quench',
    packet: error(datagram, 4, 0),
    want: { ...ours, kind: 'udp', first: 50_000, second: 33_434, type: 4, code: 0 },
  },
])('$name', ({ packet, want }) => expect(readAnswer(decoded(packet))).toEqual(want));

const withByte = (packet: Uint8Array, at: number, value: number): Uint8Array => {
  const b = packet.slice();
  b[at] = value;
  return b;
};

test.each([
  ['an echo', echo],
  ['a datagram', datagram],
  ['a redirect', error(datagram, 5, 1)],
  ['an error about an echo reply', error(icmpPacket(ROUTER, HOST, 0, 0, [0, 9, 0, 1]), 3, 1)],
  ['an error about another protocol', error(ipv4Packet(ROUTER, HOST, 47, new Uint8Array(20)), 3, 1)],
  ['an error about a later fragment', error(withByte(datagram, 7, 1), 3, 1)],
  ['an error cut off in the quoted header', error(datagram.subarray(0, 19), 3, 1)],
  ['an error cut off in the quoted ports', error(datagram.subarray(0, 27), 3, 1)],
  ['an error that quotes no IPv4', error(withByte(datagram, 0, 0x65), 3, 1)],
  ['an error that quotes a short header', error(withByte(datagram, 0, 0x44), 3, 1)],
])('%s is none', (_, packet) => expect(readAnswer(decoded(packet))).toBeUndefined());

test('nothing beyond the end of the packet is read', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(0, 3, 4, 11, 12), (rest, type) => {
      const packet = ipv4Packet(HOP, ROUTER, 1, Uint8Array.of(type, ...rest));
      const p = decoded(packet);
      const first = readAnswer(p);
      p.bytes.fill(0xff, p.end);
      expect(readAnswer(p)).toEqual(first);
    }),
  );
});
