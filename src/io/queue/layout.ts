/**
 * The block of memory that native/fwq.c fills and we judge: head | slots | letters | letter bytes | slot bytes.
 * Mirrors native/fwq.h; change both and VERSION. `checkLayout` compares the two when the library is loaded.
 */

export const VERSION = 4;
export const MAX_SLOTS = 512;
export const LETTERS = 8192;
export const LETTER_BYTES = 8 * 1024 * 1024;
/** Bytes from one slot's packet memory to the next; an odd multiple of the cache line. */
export const STRIDE = 1033 * 64;
/** Bytes at a slot's end that stay free: a netlink message's padding behind a packet that is sent back. */
export const PADDING = 4;
/** Bytes that must lie free before a letter's packet. */
export const HEADROOM = 64;
/** Longest packet that can travel in a netlink attribute, bytes. Longer ones arrive truncated. */
export const MAX_PACKET = 0xffff - 4;

/** `struct fwq_head`: bytes. */
export const HEAD = { letters: 4, call: 8, callBytes: 24, counters: 32, hurry: 96, bytes: 128 } as const;

/** `struct fwq_counters`: order of the 64-bit counters. */
export const COUNTERS = [
  'received',
  'batches',
  'verdicts',
  'verdictErrors',
  'badVerdicts',
  'malformed',
  'injected',
  'injectErrors',
] as const;

/** `struct fwq_slot`: index of each int32 field, and how many there are. */
export const SLOT = {
  id: 0,
  offset: 1,
  length: 2,
  original: 3,
  ingress: 4,
  egress: 5,
  info: 6,
  protocol: 7,
  hook: 8,
  mark: 9,
  verdict: 10,
  newLength: 11,
  csumStart: 12,
  csumOffset: 13,
  ints: 16,
} as const;

/** `struct fwq_letter`: index of each int32 field, and how many there are. */
export const LETTER = { id: 0, verdict: 1, offset: 2, length: 3, csumStart: 4, csumOffset: 5, ints: 8 } as const;

/** Bits of the slot's `info`. */
export const INFO = { csumPartial: 1, gso: 2, csumUnverified: 4, truncated: 8 } as const;

/** What C does with a slot or a letter. */
export const ACTION = { drop: 0, accept: 1, hold: 2, acceptChanged: 3, inject: 4 } as const;

/** Offsets of the parts of the block, and its size, in bytes, for a number of slots. */
export interface Layout {
  letters: number;
  letterBytes: number;
  data: number;
  size: number;
}

export function layoutFor(slots: number): Layout {
  const letters = HEAD.bytes + slots * SLOT.ints * 4;
  const letterBytes = letters + LETTERS * LETTER.ints * 4;
  const data = letterBytes + LETTER_BYTES;
  return { letters, letterBytes, data, size: data + slots * STRIDE };
}

/**
 * Compares this file with what the library was built from.
 * @param native what `fwq_layout` wrote for the same number of slots
 * @returns the name of the first value that differs, or undefined
 */
export function layoutDifference(slots: number, native: Int32Array): string | undefined {
  const ours = layoutFor(slots);
  const expected: [string, number][] = [
    ['version', VERSION],
    ['size', ours.size],
    ['letters', ours.letters],
    ['letter bytes', ours.letterBytes],
    ['data', ours.data],
    ['stride', STRIDE],
    ['number of letters', LETTERS],
    ['room for letters', LETTER_BYTES],
    ['headroom', HEADROOM],
  ];
  return expected.find(([, value], i) => native[i] !== value)?.[0];
}
