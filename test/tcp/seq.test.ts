import { expect, test } from 'vitest';
import { seqAdd, seqDiff } from '../../src/core/wire/seq.js';

test.each([
  { name: 'later', a: 5, b: 3, want: 2 },
  { name: 'earlier', a: 3, b: 5, want: -2 },
  { name: 'across 2^31', a: -0x80000000, b: 0x7fffffff, want: 1 },
  { name: 'across 2^32', a: 1, b: -1, want: 2 },
  { name: 'backwards across 2^32', a: -3, b: 4, want: -7 },
])('sequence numbers wrap around: $name', ({ a, b, want }) => {
  expect(seqDiff(a, b)).toBe(want);
  expect(seqAdd(b, want)).toBe(a);
});
