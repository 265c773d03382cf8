/** Shares of the memory that all inspected streams use: whatever others do, a session of another source goes on. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type MemoryOwner, MemoryShares } from '../../src/core/stream/memory-shares.js';
import { DEFAULT_LIMITS, LEAST_RING, ReassemblyMemory } from '../../src/core/stream/reassembly-memory.js';
import { TcpStream } from '../../src/core/stream/reassembler.js';
import { HOLD, PASS } from '../../src/core/verdict.js';
import type { Packet } from '../../src/core/wire/packet.js';
import { bytesOf, packetOf } from './segment.js';
import { ToyInspector } from './toy-inspector.js';

const SERVER = 1;
const owner = (initiator: number, side = 0, responder = SERVER): MemoryOwner => ({ initiator, responder, side });
const MB = 1 << 20;

/** Takes rings of `size` until one is refused. @returns bytes taken, at most `most` */
function takeAll(memory: ReassemblyMemory, o: MemoryOwner, size: number, most = 512 * MB): number {
  let taken = 0;
  while (taken < most && memory.takeBlock(size, o) !== 0) taken += size;
  return taken;
}

describe('rings', () => {
  test('one source gets half of the memory in large ones, and another one half of the rest', () => {
    const memory = new ReassemblyMemory({ ...DEFAULT_LIMITS });
    expect(takeAll(memory, owner(7), 4 * MB)).toBe(128 * MB);
    expect(memory.shareFull).toBe(1);
    expect(takeAll(memory, owner(8), 4 * MB)).toBe(64 * MB);
  });

  test('a source that has used up its share still gets smallest rings, and never the last', () => {
    const memory = new ReassemblyMemory({ ...DEFAULT_LIMITS });
    takeAll(memory, owner(7), 4 * MB);
    expect(takeAll(memory, owner(7), LEAST_RING, 32 * MB)).toBe(32 * MB);
    takeAll(memory, owner(7), LEAST_RING);
    expect(takeAll(memory, owner(8), 64 << 10, MB)).toBe(MB);
  });

  test('many sources from one side leave some for sessions that the other side opens', () => {
    const memory = new ReassemblyMemory({ ...DEFAULT_LIMITS });
    for (let source = 100; source < 1000; source++) takeAll(memory, owner(source), 256 << 10);
    expect(memory.ringBytes).toBeLessThanOrEqual(224 * MB);
    expect(takeAll(memory, owner(2, 1), 4 * MB)).toBeGreaterThanOrEqual(16 * MB);
  });

  test('the sessions of one server with many clients count as those of the clients', () => {
    const memory = new ReassemblyMemory({ ...DEFAULT_LIMITS });
    for (let client = 100; client < 132; client++) expect(memory.takeBlock(4 * MB, owner(client))).not.toBe(0);
  });
});

/** Sends segments of which it may never send the first, and keeps which of them are held. */
class Client {
  readonly held = new Set<number>();
  readonly stream: TcpStream;
  #token = 0;

  constructor(memory: ReassemblyMemory, source: number) {
    const outlet = {
      release: (p: Packet) => void this.held.delete(p.token),
      gapPersists: () => undefined,
      answerGap: () => undefined,
      selective: false,
    };
    this.stream = new TcpStream(new ToyInspector(), memory, outlet);
    Object.assign(this.stream.owner, owner(source));
    this.stream.open(true, 0);
  }

  send(seq: number, text: string): number {
    const token = ++this.#token;
    const v = this.stream.admit(packetOf({ fromInitiator: true, seq, data: bytesOf(text), token }), true, 0);
    if (v === HOLD) this.held.add(token);
    return v;
  }
}

describe('held segments', () => {
  test('32 sessions of one source hold all the memory; one of another source still gets its segments held', () => {
    const memory = new ReassemblyMemory({ ...DEFAULT_LIMITS, memoryBytes: MB });
    const attackers = Array.from({ length: 32 }, () => new Client(memory, 7));
    for (const a of attackers) for (let i = 0; i < 16; i++) a.send(10 + i * 10, 'x');
    expect(memory.heldBytes).toBe(memory.limits.memoryBytes);
    const client = new Client(memory, 8);
    for (let i = 0; i < 16; i++) expect(client.send(1 + i, 'b')).toBe(HOLD);
    expect(attackers.reduce((sum, a) => sum + a.held.size, 0)).toBe(512 - 16);
    expect(client.send(0, 'a')).toBe(PASS);
    expect(memory.heldBytes).toBe(memory.limits.memoryBytes - 16 * 2048);
  });

  test('nobody who has less is refused or gives way for one who has more, and all memory comes back', () => {
    const step = fc.record({ who: fc.nat(7), at: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, seed) => {
        const memory = new ReassemblyMemory({ ...DEFAULT_LIMITS, memoryBytes: 24 * 2048 }, seed);
        // Sources 0 to 3 with two sessions each.
        const clients = Array.from({ length: 8 }, (_, i) => new Client(memory, 100 + (i >> 1)));
        const held = (source: number): number => clients[2 * source]!.held.size + clients[2 * source + 1]!.held.size;
        const all = (): number[] => [0, 1, 2, 3].map(held);
        for (const s of steps) {
          const source = s.who >> 1;
          const before = all();
          const { memoryFull } = memory;
          clients[s.who]!.send(s.at, 'x');
          if (memory.memoryFull > memoryFull) expect(before[source]! + 1).toBeGreaterThan(Math.max(...before));
          all().forEach((now, i) => {
            if (i !== source && now < before[i]!) expect(now).toBeGreaterThanOrEqual(before[source]!);
          });
          expect(memory.heldBytes).toBe(all().reduce((sum, n) => sum + n, 0) * 2048);
          expect(memory.heldBytes).toBeLessThanOrEqual(memory.limits.memoryBytes);
        }
        for (const c of clients) c.stream.close();
        expect([memory.heldBytes, memory.heldSegments]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});

test('an address is never counted with less than it has, and with nothing once all is back', () => {
  const use = fc.record({ initiator: fc.nat(5000), responder: fc.nat(5000), side: fc.nat(3), bytes: fc.nat(1000) });
  fc.assert(
    fc.property(fc.array(use, { maxLength: 300 }), fc.integer(), (uses, seed) => {
      const shares = new MemoryShares(seed);
      const have = new Map<number, number>();
      for (const u of uses) {
        shares.add(u, u.bytes);
        for (const a of [u.initiator, u.responder]) have.set(a, (have.get(a) ?? 0) + u.bytes);
      }
      for (const u of uses)
        expect(shares.used(u)).toBeGreaterThanOrEqual(Math.min(have.get(u.initiator)!, have.get(u.responder)!));
      for (const u of uses) shares.add(u, -u.bytes);
      for (const u of uses) expect([shares.used(u), shares.usedBySide(u)]).toEqual([0, 0]);
    }),
    { numRuns: 50 },
  );
});
