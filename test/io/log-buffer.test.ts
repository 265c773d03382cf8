import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LogBuffer } from '../../src/io/log-buffer.js';

/** The slow, obvious twin: looks through all lines for each. */
function kept(lines: readonly string[], size: number): string[] {
  const all = [...lines];
  const bytes = (): number => all.reduce((sum, l) => sum + l.length + 1, 0);
  while (bytes() > size && all.length > 1) all.shift();
  return all;
}

test('the last lines that fit are kept, however many come', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 30 }), { maxLength: 400 }),
      fc.integer({ min: 1, max: 600 }),
      (lines, size) => {
        const buffer = new LogBuffer();
        lines.forEach((l) => buffer.add(l, size));
        expect(buffer.lines).toEqual(kept(lines, size));
      },
    ),
  );
});

test('a smaller size takes effect with the next line, and clear empties it', () => {
  const buffer = new LogBuffer();
  for (let n = 0; n < 5000; n++) buffer.add(`line ${n}`, 1 << 20);
  buffer.add('last', 20);
  expect(buffer.lines).toEqual(['line 4999', 'last']);
  buffer.clear();
  buffer.add('again', 20);
  expect(buffer.lines).toEqual(['again']);
});

test('a line costs the same in a full buffer of 4,096,000 bytes as in an empty one', () => {
  const buffer = new LogBuffer();
  const line = 'x'.repeat(39);
  for (let n = 0; n < 102_400; n++) buffer.add(line, 4_096_000); // full
  const began = performance.now();
  for (let n = 0; n < 100_000; n++) buffer.add(line, 4_096_000);
  // 2.2 ms a line were 220 s.
  expect(performance.now() - began).toBeLessThan(2000);
  expect(buffer.lines).toHaveLength(102_400);
});
