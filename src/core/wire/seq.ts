/** Serial arithmetic of TCP sequence numbers (RFC 9293 §3.4), which are int32 here and wrap around. */

/** Bytes from sequence number `b` to `a`, positive when `a` is later. Right while they are under 2^31 apart. */
export const seqDiff = (a: number, b: number): number => (a - b) | 0;

/** The sequence number `count` bytes after `a`. */
export const seqAdd = (a: number, count: number): number => (a + count) | 0;
