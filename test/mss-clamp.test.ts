/** `ip tcp adjust-mss`: SYN segments of both directions, whichever of the two interfaces has it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PASS, Router3640 } from './support/router-3640.js';
import { checksumsOk, tcpPacket } from './support/packets.js';

const CLIENT = '172.22.1.10';
const SERVER = '172.22.1.110';
const ON = (name: string, most: number): string => `interface ${name}\n ip tcp adjust-mss ${most}\n!`;

const syn = (src: string, dst: string, dstPort: number, options: number[], srcPort = 4000): Uint8Array =>
  tcpPacket({ src, srcPort, dst, dstPort, flags: 'S', seq: 1, options });

const mss = (bytes: Uint8Array, at = 42): number => (bytes[at]! << 8) | bytes[at + 1]!;

describe.each(['Ethernet2/0', 'Ethernet2/1'])('on %s', (name) => {
  test.each([
    ['a larger one is lowered', 1460, 1400],
    ['the same stays', 1400, 1400],
    ['a smaller one stays', 1200, 1200],
  ])('%s', (_, before, after) => {
    const option = [2, 4, before >> 8, before & 255];
    for (const { verdict, bytes } of [
      new Router3640(ON(name, 1400)).fromOutside(syn(CLIENT, SERVER, 25, option)),
      new Router3640(ON(name, 1400)).fromInside(syn('10.10.10.5', CLIENT, 443, option)),
    ])
      expect([verdict, mss(bytes), checksumsOk(bytes)]).toEqual([PASS, after, true]);
  });
});

test('the lower one of two counts', () => {
  const r = new Router3640(ON('Ethernet2/0', 1300) + '\n' + ON('Ethernet2/1', 1200));
  expect(mss(r.fromOutside(syn(CLIENT, SERVER, 25, [2, 4, 5, 180])).bytes)).toBe(1200);
});

test('at any place among the options the checksum stays right', () => {
  const router = new Router3640(ON('Ethernet2/0', 1400));
  fc.assert(
    fc.property(fc.nat(8), fc.integer({ min: 0, max: 65535 }), fc.nat(60000), (nops, value, port) => {
      const options = [...Array<number>(nops).fill(1), 2, 4, value >> 8, value & 255];
      while (options.length % 4 !== 0) options.push(0);
      const { bytes } = router.fromOutside(syn(CLIENT, SERVER, 25, options, 1 + port));
      expect([mss(bytes, 42 + nops), checksumsOk(bytes)]).toEqual([Math.min(value, 1400), true]);
    }),
    { numRuns: 300 },
  );
});

test('a segment without the option, or that is no SYN, goes as it came', () => {
  const other = tcpPacket({ src: CLIENT, srcPort: 4000, dst: SERVER, dstPort: 25, flags: 'A', seq: 2 });
  const [r, plain] = [new Router3640(ON('Ethernet2/0', 1400)), new Router3640()];
  for (const bytes of [syn(CLIENT, SERVER, 25, []), other]) {
    const [got, wanted] = [r.fromOutside(bytes.slice()), plain.fromOutside(bytes.slice())];
    expect(got.bytes.slice(20)).toEqual(wanted.bytes.slice(20));
  }
});
