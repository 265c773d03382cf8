/** Blocks of the arena against their obvious twin, a list of intervals; and what a successor makes of those in use. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Arena, blockAt, blockSize, LEAST_BLOCK, MOST_BLOCK, NO_BLOCK } from '../../src/core/memory/arena.js';
import { FlatMemory, type MemorySource } from '../../src/core/memory/flat-memory.js';

/** Memory that stays, as a mapped file does; no more than two chunks of it. */
function lasting(): MemorySource {
  const chunks = new Map<string, ArrayBuffer>();
  return (name, words) => {
    const left = chunks.get(name);
    const full = left === undefined && chunks.size === 2;
    const buffer = left ?? new ArrayBuffer(full ? 0 : words * 4);
    if (!full) chunks.set(name, buffer);
    const memory = new FlatMemory({ buffer, offset: 0, words: full ? 0 : words });
    memory.fresh = left === undefined;
    return memory;
  };
}

const steps = fc.array(
  fc.oneof(
    fc.record({ take: fc.integer({ min: 0, max: 14 }).map((order) => LEAST_BLOCK << order) }),
    fc.record({ give: fc.nat() }),
  ),
  { maxLength: 60 },
);

/** No two blocks share a byte, and none crosses the end of its chunk. */
function expectApart(arena: Arena, blocks: readonly number[]): void {
  for (const [i, a] of blocks.entries()) {
    expect(blockAt(a) + blockSize(a)).toBeLessThanOrEqual(MOST_BLOCK);
    for (const b of blocks.slice(i + 1)) {
      const apart = blockAt(a) + blockSize(a) <= blockAt(b) || blockAt(b) + blockSize(b) <= blockAt(a);
      expect(arena.memory(a) !== arena.memory(b) || apart).toBe(true);
    }
  }
}

function play(arena: Arena, moves: readonly ({ take: number } | { give: number })[], blocks: number[]): void {
  for (const move of moves) {
    if ('take' in move) {
      const block = arena.take(move.take);
      if (block === NO_BLOCK) continue;
      expect(blockSize(block)).toBe(move.take);
      blocks.push(block);
    } else if (blocks.length > 0) arena.give(blocks.splice(move.give % blocks.length, 1)[0]!);
  }
}

test('blocks in use never share a byte, and who takes the arena over gives none of them to another', () => {
  fc.assert(
    fc.property(steps, steps, (before, after) => {
      const source = lasting();
      const blocks: number[] = [];
      const first = new Arena(source);
      play(first, before, blocks);
      expectApart(first, blocks);
      const second = new Arena(source);
      expect(blocks.every((b) => second.claim(b))).toBe(true);
      expect(blocks.some((b) => second.claim(b))).toBe(false); // each once
      second.adopted();
      play(second, after, blocks);
      expectApart(second, blocks);
      for (const block of blocks) second.give(block);
      // Joined again: whole chunks can be taken, as from a new one.
      expect([second.take(MOST_BLOCK), second.take(MOST_BLOCK)]).not.toContain(NO_BLOCK);
      expect(second.take(LEAST_BLOCK)).toBe(NO_BLOCK);
    }),
  );
});

test('a block that cannot be is not claimed', () => {
  const arena = new Arena(lasting());
  for (const block of [0, -5, (3 << 24) | 2, (15 << 24) | 1, 0xffffff, 1 << 24]) expect(arena.claim(block)).toBe(false);
});
