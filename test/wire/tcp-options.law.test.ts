/** TCP options of inspected streams, against a slow and obvious reader. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeIpv4, decodeTransport } from '../../src/core/wire/decode.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { normaliseOptions, PASSED, REMOVED, TCP_OPTION, UNREADABLE } from '../../src/core/wire/tcp-options.js';
import { checksumsOk, received, sent, tcpPacket } from '../support/packets.js';

interface Option {
  kind: number;
  value: number[];
}

/** Options as any receiver reads them; undefined: the list does not fit together. */
function read(bytes: Uint8Array | number[]): Option[] | undefined {
  const options: Option[] = [];
  const rest = Array.from(bytes);
  while (rest.length > 0) {
    const kind = rest.shift()!;
    if (kind === 0) break;
    if (kind === 1) continue;
    const length = rest.shift();
    if (length === undefined || length < 2 || rest.length < length - 2) return undefined;
    options.push({ kind, value: rest.splice(0, length - 2) });
  }
  return options;
}

function segment(flags: string, options: number[]): Packet {
  const padded = [...options, ...new Array<number>((4 - (options.length & 3)) & 3).fill(0)];
  const bytes = tcpPacket({
    src: '192.0.2.1',
    srcPort: 1,
    dst: '192.0.2.2',
    dstPort: 25,
    flags,
    options: padded,
    payload: 'NOOP',
  });
  const p = received(bytes, 0);
  expect([decodeIpv4(p), decodeTransport(p)]).toEqual([0, 0]);
  return p;
}
const listOf = (p: Packet): Uint8Array => p.bytes.slice(p.l4 + 20, p.payload);

/** Lists as attackers and kernels write them: known kinds with right and wrong lengths, others, and plain noise. */
const option = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom([2, 4, 5, 180], [3, 3, 7], [3, 3, 99], [4, 2], [8, 10, 1, 2, 3, 4, 5, 6, 7, 8]),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom([1], [1, 1], [5, 10, 0, 0, 0, 1, 0, 0, 0, 2], [5, 2], [2, 3, 9], [8, 2], [3, 4, 1, 1]),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.oneof(fc.constantFrom(19, 28, 29, 30, 34, 253, 254), fc.nat(255)), fc.uint8Array({ maxLength: 8 }))
      .map(([kind, value]) => [kind, value.length + 2, ...value]),
  },
  { weight: 1, arbitrary: fc.array(fc.nat(255), { maxLength: 6 }) },
  { weight: 1, arbitrary: fc.constant([0]) },
);
const list = fc.array(option, { maxLength: 8 }).map((o) => o.flat().slice(0, 40));
const flags = fc.constantFrom('S', 'SA', 'A', 'PA', 'RA', 'FA');
const may = fc.nat(7);

describe('law', () => {
  test('what goes on is understood, agreed on, there once, and what it was; no length and nothing else changes', () => {
    fc.assert(
      fc.property(flags, list, may, (f, options, allowed) => {
        const p = segment(f, options);
        const before = p.bytes.slice();
        const was = read(listOf(p));
        const carried = normaliseOptions(p, allowed);
        if (was === undefined) {
          expect([carried, p.modified, p.bytes]).toEqual([UNREADABLE, false, before]);
          return;
        }
        const left = read(listOf(p))!;
        const wanted = was
          .filter(({ kind, value }) => {
            const known = PASSED[kind];
            if (known === undefined) return false;
            const inSegment = known.segment === 'any' || (known.segment === 'SYN') === f.includes('S');
            const length = value.length + 2;
            const fits = known.length === 0 ? length > 2 && length % 8 === 2 : known.length === length;
            return inSegment && fits && (known.agreed === 0 || (allowed & known.agreed) !== 0);
          })
          .filter((o, i, all) => all.findIndex((other) => other.kind === o.kind) === i)
          .map((o) => (o.kind === 3 ? { kind: 3, value: [Math.min(o.value[0]!, 14)] } : o));
        expect(left).toEqual(wanted);
        expect(carried).toBe(wanted.reduce((bits, o) => bits | PASSED[o.kind]!.agreed, 0));
        // The first and the last of a kind are one, and nothing is hidden behind the end of the list.
        expect(new Set(left.map((o) => o.kind)).size).toBe(left.length);
        const out = sent(p);
        expect(out.length).toBe(before.length - 128);
        expect(checksumsOk(out)).toBe(true);
        expect([...out.subarray(0, 36), ...out.subarray(38, 40)]).toEqual([
          ...before.subarray(64, 100),
          ...before.subarray(102, 104),
        ]);
        expect(Buffer.from(out.subarray(p.payload - p.at)).toString()).toBe('NOOP');
        expect(p.modified).toBe(!Buffer.from(out).equals(Buffer.from(before.subarray(64, before.length - 64))));
      }),
      { numRuns: 3000 },
    );
  });

  test('what was made so stays so', () => {
    fc.assert(
      fc.property(flags, list, may, (f, options, allowed) => {
        const p = segment(f, options);
        if (normaliseOptions(p, allowed) === UNREADABLE) return;
        const once = listOf(p);
        p.modified = false;
        normaliseOptions(p, allowed);
        expect([p.modified, listOf(p)]).toEqual([false, once]);
      }),
      { numRuns: 500 },
    );
  });
});

test.each([
  ['timestamps as Linux writes them', [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2]],
  ['timestamps and SACK', [1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 2]],
  ['none', []],
])('%s, agreed on, stay as they are', (_, options) => {
  const p = segment('A', options);
  normaliseOptions(p, TCP_OPTION.timestamps | TCP_OPTION.sack);
  expect([p.modified, Array.from(listOf(p))]).toEqual([false, options]);
});

test('each kind that is in use has its reason, and no kind has two', () => {
  for (const kind of Object.keys(REMOVED)) expect(PASSED[Number(kind)]).toBeUndefined();
  expect(Object.keys(REMOVED)).toEqual(['19', '28', '29', '30', '34']);
  for (const o of [...Object.values(PASSED), ...Object.values(REMOVED)]) expect(o.reason).not.toBe('');
});
