import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rewriteDestination, rewriteSource } from '../../src/core/nat/rewrite.js';
import { PASS } from '../../src/core/verdict.js';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import { PacketEnds, readEnds } from '../../src/core/wire/packet-ends.js';
import { checksumsOk, dotted, icmpPacket, received, sent, tcpPacket, udpPacket } from '../support/packets.js';

const host = fc.integer({ min: 0x01000000, max: 0x7effffff }).map(dotted);
const port = fc.integer({ min: 0, max: 65535 });
const text = fc.string({ maxLength: 40 });

const packet = fc.oneof(
  fc
    .record({ src: host, srcPort: port, dst: host, dstPort: port, payload: text })
    .map((f) => tcpPacket({ ...f, flags: 'PA' })),
  fc.tuple(host, port, host, port, text).map((f) => udpPacket(...f)),
  fc
    .tuple(host, host, fc.array(fc.nat(255), { minLength: 4, maxLength: 40 }))
    .map(([s, d, r]) => icmpPacket(s, d, 8, 0, r)),
);
const address = fc.integer({ min: -0x80000000, max: 0x7fffffff });

test('any translated packet has the checksums that full sums give', () => {
  fc.assert(
    fc.property(packet, address, port, address, port, (bytes, src, srcPort, dst, dstPort) => {
      const p = received(bytes, 0);
      expect([decodeIpv4(p), decodeTransport(p)]).toEqual([PASS, PASS]);
      rewriteSource(p, src, p.protocol === 1 ? dstPort : srcPort);
      rewriteDestination(p, dst, dstPort);
      expect(checksumsOk(sent(p))).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('translating there and back gives the packet that came', () => {
  fc.assert(
    fc.property(packet, address, port, address, port, (bytes, src, srcPort, dst, dstPort) => {
      const p = received(bytes, 0);
      decodeIpv4(p);
      decodeTransport(p);
      const old = new PacketEnds();
      readEnds(p, old);
      rewriteSource(p, src, p.protocol === 1 ? dstPort : srcPort);
      rewriteDestination(p, dst, dstPort);
      rewriteDestination(p, old.dst, old.dstPort);
      rewriteSource(p, old.src, old.srcPort);
      const back = sent(p);
      expect(checksumsOk(back)).toBe(true);
      // But for the checksums, whose 0 and 0xffff are one number.
      const blank = (b: Uint8Array): number[] => [...b].map((x, i) => ([10, 11, ...sumAt(b)].includes(i) ? 0 : x));
      expect(blank(back)).toEqual(blank(bytes));
    }),
    { numRuns: 2000 },
  );
});

const sumAt = (b: Uint8Array): number[] => (b[9] === 6 ? [36, 37] : b[9] === 17 ? [26, 27] : []);
