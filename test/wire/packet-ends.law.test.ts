import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PASS } from '../../src/core/verdict.js';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { PacketEnds, readEnds } from '../../src/core/wire/packet-ends.js';
import { icmpPacket, ip, ipv4Packet, received, tcpPacket, udpPacket } from '../support/packets.js';

const [A, B] = ['10.1.1.1', '20.2.2.2'];
const port = fc.integer({ min: 0, max: 65535 });
const octet = fc.nat(255);

/** Decoded into a Packet that has held another one before. */
function decoded(bytes: Uint8Array, before: Uint8Array): Packet {
  const p = received(before, 0);
  decodeIpv4(p);
  decodeTransport(p);
  p.bytes = bytes;
  p.at = 0;
  p.end = bytes.length;
  expect([decodeIpv4(p), decodeTransport(p)]).toEqual([PASS, PASS]);
  return p;
}

const endsOf = (p: Packet): PacketEnds => {
  const e = new PacketEnds();
  readEnds(p, e);
  return e;
};

test('an ICMP packet has type, code and identifier, and no ports; any other has ports and none of these', () => {
  const icmp = fc.tuple(octet, octet, octet, octet).map(([type, code, high, low]) => ({
    bytes: icmpPacket(A, B, type, code, [high, low, 0, 1]),
    fields: { icmpType: type, icmpCode: code, icmpIdentifier: (high << 8) | low, srcPort: 0, dstPort: 0 },
  }));
  const withPorts = fc.tuple(fc.boolean(), port, port).map(([tcp, srcPort, dstPort]) => ({
    bytes: tcp ? tcpPacket({ src: A, srcPort, dst: B, dstPort, flags: 'S' }) : udpPacket(A, srcPort, B, dstPort, 'x'),
    fields: { icmpType: 0, icmpCode: 0, icmpIdentifier: 0, srcPort, dstPort },
  }));
  const other = fc.constant({
    bytes: ipv4Packet(A, B, 47, new Uint8Array(12).fill(9)),
    fields: { icmpType: 0, icmpCode: 0, icmpIdentifier: 0, srcPort: 0, dstPort: 0 },
  });
  const any = fc.oneof(icmp, withPorts, other);
  fc.assert(
    fc.property(any, any, ({ bytes, fields }, before) => {
      expect(decoded(bytes, before.bytes)).toMatchObject(fields);
    }),
  );
});

test('the ends of an answer are those of its question, the other way round', () => {
  const pairs = fc.oneof(
    fc.tuple(port, port).map(([a, b]) => [udpPacket(A, a, B, b, 'q'), udpPacket(B, b, A, a, 'a')]),
    fc
      .tuple(port, port)
      .map(([srcPort, dstPort]) => [
        tcpPacket({ src: A, srcPort, dst: B, dstPort, flags: 'S' }),
        tcpPacket({ src: B, srcPort: dstPort, dst: A, dstPort: srcPort, flags: 'SA' }),
      ]),
    fc.tuple(octet, octet, octet).map(([high, low, sequence]) => {
      const rest = [high, low, 0, sequence];
      return [icmpPacket(A, B, 8, 0, rest), icmpPacket(B, A, 0, 0, rest)];
    }),
  );
  fc.assert(
    fc.property(pairs, ([question, answer]) => {
      const q = endsOf(decoded(question!, answer!));
      const a = endsOf(decoded(answer!, question!));
      expect(a).toEqual({ protocol: q.protocol, src: q.dst, srcPort: q.dstPort, dst: q.src, dstPort: q.srcPort });
      expect([q.src, q.dst]).toEqual([ip(A), ip(B)]);
    }),
  );
});
