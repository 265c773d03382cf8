import { expect, test } from 'vitest';
import { SipHash } from '../src/core/memory/siphash.js';

test('the test vector of 16 bytes: key 00 … 0f, message 00 … 0f', () => {
  const words = Int32Array.of(0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c);
  const h = new SipHash(words);
  h.hash(words[0]!, words[1]!, words[2]!, words[3]!);
  expect([h.high >>> 0, h.low >>> 0]).toEqual([0x3f2acc7f, 0x57c29bdb]);
});
