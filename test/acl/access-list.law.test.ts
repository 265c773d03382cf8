import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CompiledAccessList, IMPLICIT_DENY } from '../../src/core/acl/access-list.js';
import type { AclEntry } from '../../src/core/acl/entry.js';
import { Packet } from '../../src/core/wire/packet.js';

const TCP = 6;
const ICMP = 1;

const address = fc
  .record({ address: fc.nat(7), wildcard: fc.constantFrom(0, 0, 1, 3, 5, -1) })
  .map((a) => ({ ...a, address: a.address & ~a.wildcard }));
const port = fc
  .record({ op: fc.constantFrom('eq', 'eq', 'neq', 'lt', 'gt', 'range'), from: fc.nat(4), to: fc.nat(4) })
  .map((p) => (p.op === 'range' ? p : { ...p, to: p.from })) as fc.Arbitrary<NonNullable<AclEntry['srcPort']>>;
const either = fc.constantFrom('permit' as const, 'deny' as const);
const common = {
  action: either,
  src: address,
  dst: address,
  fragments: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  tos: fc.integer({ min: 0, max: 9 }).map((n) => (n === 0 ? 1 : undefined)),
};
const entry: fc.Arbitrary<AclEntry> = fc
  .oneof(
    fc.record({ ...common, protocol: fc.constantFrom(undefined, TCP, 17, ICMP, 50) }),
    fc.record({
      ...common,
      protocol: fc.constantFrom(TCP, 17),
      srcPort: fc.option(port, { nil: undefined }),
      dstPort: fc.option(port, { nil: undefined }),
      established: fc.boolean(),
    }),
    fc.record({
      ...common,
      protocol: fc.constant(ICMP),
      icmp: fc.record({ type: fc.nat(3), code: fc.option(fc.nat(1), { nil: undefined }) }),
    }),
  )
  .map((e) => ({ sequence: 10, established: false, log: 'none', ...e }) as AclEntry);

const packet = fc
  .record({
    protocol: fc.constantFrom(TCP, TCP, 17, ICMP, 50),
    src: fc.nat(7),
    dst: fc.nat(7),
    srcPort: fc.nat(5),
    dstPort: fc.nat(5),
    flags: fc.constantFrom(2, 16, 4),
    tos: fc.constantFrom(0, 0, 2),
    fragmentOffset: fc.constantFrom(0, 0, 0, 8),
  })
  .map(({ tos, ...fields }) => {
    const p = Object.assign(new Packet(), fields);
    p.bytes = Uint8Array.of(0x45, tos);
    if (p.protocol === ICMP) p.srcPort = (p.srcPort >> 1) * 256 + (p.srcPort & 1); // type and code
    if (p.fragmentOffset > 0) p.srcPort = p.dstPort = 0;
    return p;
  });

test('a long list decides as if its entries were tried one by one from the top, and counts the one that matched', () => {
  fc.assert(
    fc.property(
      fc.array(entry, { minLength: 30, maxLength: 60 }),
      fc.array(packet, { minLength: 1, maxLength: 10 }),
      (entries, packets) => {
        const list = new CompiledAccessList('101', entries);
        const alone = entries.map((e) => new CompiledAccessList('101', [e]));
        const counts = entries.map(() => 0);
        for (const p of packets) {
          const first = alone.findIndex((one) => one.match(p) !== IMPLICIT_DENY);
          expect(list.match(p)).toBe(first);
          if (first >= 0) counts[first]!++;
        }
        expect(Array.from(list.matches)).toEqual(counts);
      },
    ),
    { numRuns: 2000 },
  );
}, 60_000);

test.each([
  { name: 'one shape', entries: 5000, at: (i: number) => ({ address: i, wildcard: 0 }) },
  { name: 'as many shapes as there are', entries: 40, at: (i: number) => ({ address: 0, wildcard: i }) },
])('the last of many entries of $name is found', ({ entries, at }) => {
  const list = new CompiledAccessList(
    '101',
    Array.from({ length: entries }, (_, i): AclEntry => ({
      sequence: i,
      action: 'permit',
      protocol: TCP,
      src: at(i),
      dst: { address: 1, wildcard: i === entries - 1 ? -1 : 0 },
      established: false,
      fragments: false,
      log: 'none',
    })),
  );
  const p = Object.assign(new Packet(), { protocol: TCP, src: at(entries - 1).address, dst: 2 });
  expect(list.match(p)).toBe(entries - 1);
});
