/** A short run of what scripts/fuzz does for minutes; the same inputs every time. */
import { describe, expect, test } from 'vitest';
import { fuzz, FuzzFailure } from './fuzz.js';
import { TARGETS } from './targets.js';

describe.each(Object.entries(TARGETS))('%s', (_, target) => {
  test('breaks no law on inputs made from its seeds', () => {
    const { runs } = fuzz(target, 1, ({ runs }) => runs < 15_000);
    expect(runs).toBeGreaterThanOrEqual(15_000);
  }, 120_000);
});

test('an input that breaks a law is reported', () => {
  const picky = {
    seeds: [Uint8Array.from([1, 2, 3])],
    run: (input: Uint8Array) => {
      if (input.includes(0x45)) throw new Error('an E');
    },
  };
  let failure: unknown;
  try {
    fuzz(picky, 7, ({ runs }) => runs < 100_000);
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(FuzzFailure);
  expect((failure as FuzzFailure).input).toContain(0x45);
  expect((failure as FuzzFailure).message).toMatch(/^an E; input: /);
});
