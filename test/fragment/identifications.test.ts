/** Under which identification a packet leaves: what may be cut up behind us has one of ours. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Identifications } from '../../src/core/fragment/identifications.js';
import { PASS } from '../../src/core/verdict.js';
import { put16, u16 } from '../../src/core/wire/bytes.js';
import { writeIpv4Checksum } from '../../src/core/wire/checksum.js';
import { decodeIpv4 } from '../../src/core/wire/decode.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { checksumsOk, ip, ipv4Packet, received, tcpPacket, udpPacket } from '../support/packets.js';
import { Router3640 } from '../support/router-3640.js';

const DF = 0x4000;
const SENDERS = 0x1234; // what the packets of these tests come with

function withFlags(packet: Uint8Array, flags: number): Uint8Array {
  const b = packet.slice();
  put16(b, 6, flags);
  writeIpv4Checksum(b, 0, 20);
  return b;
}

const given = (ids: Identifications, src: string, dst: string, gso = false): number => {
  const p = received(udpPacket(src, 5, dst, 6, 'u'.repeat(80)), 0);
  decodeIpv4(p);
  p.gso = gso;
  ids.give(p);
  return u16(p.bytes, p.at + 4);
};

describe('what leaves the router', () => {
  const udp = (length: number): Uint8Array => udpPacket('10.10.10.9', 5000, '172.22.1.77', 53, 'u'.repeat(length - 28));
  const toMail = tcpPacket({ src: '172.22.1.10', srcPort: 999, dst: '172.22.1.110', dstPort: 25, flags: 'S' });

  test.each([
    { name: 'a packet that may be cut up', packet: udp(69), ours: true },
    { name: "one with Don't Fragment set", packet: withFlags(udp(1400), DF), ours: false },
    { name: 'one that fits through every link', packet: udp(68), ours: false },
    {
      name: 'AH, whose sum is over it',
      packet: ipv4Packet('10.10.10.9', '172.22.1.77', 51, new Uint8Array(99)),
      ours: false,
    },
    { name: 'ESP', packet: ipv4Packet('10.10.10.9', '172.22.1.77', 50, new Uint8Array(99)), ours: true },
  ])('$name: identification of ours: $ours', ({ packet, ours }) => {
    const o = new Router3640().fromInside(packet);
    expect(o.verdict).toBe(PASS);
    expect(u16(o.bytes, 4) !== SENDERS).toBe(ours);
    expect(o.packet.modified).toBe(ours);
    if (packet[9] === 17) expect(checksumsOk(o.bytes)).toBe(true);
    expect(o.bytes.subarray(20)).toEqual(packet.subarray(20));
  });

  test('a translated SYN keeps its own: nobody can cut it up', () => {
    expect(u16(new Router3640().fromOutside(toMail).bytes, 4)).toBe(SENDERS);
  });

  test('where nothing is translated or inspected, packets stay as they are', () => {
    const extra = ['Ethernet2/0', 'Ethernet2/1'].map(
      (name) =>
        `interface ${name}\n no ip nat ${name === 'Ethernet2/0' ? 'outside' : 'inside'}\n no ip virtual-reassembly`,
    );
    const bare = `${extra.join('\n')}\ninterface Ethernet2/0\n no ip inspect OUT-IN in\ninterface Ethernet2/1\n no ip inspect IN-OUT in`;
    const r = new Router3640(bare);
    const index = r.config.interfaces.findIndex((i) => i.name === 'Ethernet2/1');
    const p: Packet = received(udp(1400), index);
    expect(r.engine.handle(p, r.now)).toBe(PASS);
    expect([p.modified, u16(p.bytes, p.at + 4)]).toEqual([false, SENDERS]);
  });
});

describe('identifications', () => {
  test('come again for a pair of addresses after 65,536 packets, whoever else is sent to meanwhile', () => {
    const ids = new Identifications(99);
    const seen = new Set<number>();
    for (let i = 0; i < 0x1_0000; i++) seen.add(given(ids, '10.1.1.1', '10.2.2.2'));
    expect(seen.size).toBe(0x1_0000);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 250 }), { minLength: 1, maxLength: 500 }), (hosts) => {
        const of = new Map<number, number[]>();
        for (const host of hosts) {
          const list = of.get(host) ?? [];
          list.push(given(ids, '10.1.1.1', `10.2.2.${host}`));
          of.set(host, list);
        }
        for (const list of of.values()) expect(new Set(list).size).toBe(list.length);
      }),
      { numRuns: 50 },
    );
  });

  test('of one host tell nothing about those of another', () => {
    const ids = new Identifications(99);
    const before = given(ids, '10.1.1.1', '10.2.2.2');
    for (let i = 0; i < 1000; i++) given(ids, '10.1.1.1', '10.3.3.3');
    expect((given(ids, '10.1.1.1', '10.2.2.2') - before) & 0xffff).toBe(1);
    expect(given(new Identifications(98), '10.1.1.1', '10.2.2.2')).not.toBe(before);
  });

  test('are left free behind that of a super-packet, for the segments that the kernel makes of it', () => {
    const ids = new Identifications(99);
    const first = given(ids, '10.1.1.1', '10.2.2.2', true);
    expect((given(ids, '10.1.1.1', '10.2.2.2') - first) & 0xffff).toBe(128);
  });

  test('leave the header checksum right, whatever the header', () => {
    const ids = new Identifications(1);
    fc.assert(
      fc.property(fc.nat(0xffff), fc.nat(255), fc.nat(255), (id, ttl, host) => {
        const packet = udpPacket('10.1.1.1', 5, `10.2.2.${host}`, 6, 'u'.repeat(80));
        put16(packet, 4, id);
        packet[8] = ttl;
        writeIpv4Checksum(packet, 0, 20);
        const p = received(packet, 0);
        decodeIpv4(p);
        ids.give(p);
        expect(checksumsOk(p.bytes.slice(p.at, p.end))).toBe(true);
        expect(p.dst).toBe(ip(`10.2.2.${host}`));
      }),
    );
  });
});
