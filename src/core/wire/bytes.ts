/**
 * Big-endian reads and writes over one plain Uint8Array. Every header access goes through here, so that each
 * call site sees one array type. No bounds checks: a `check…` function of the header has proved the range.
 */

/** Unsigned 8 bits at `at`. */
export const u8 = (b: Uint8Array, at: number): number => b[at]!;

/** Unsigned 16 bits at `at`, network order. */
export const u16 = (b: Uint8Array, at: number): number => (b[at]! << 8) | b[at + 1]!;

/** 32 bits at `at`, network order, as int32 (addresses, sequence numbers). Use `>>> 0` only to print. */
export const i32 = (b: Uint8Array, at: number): number =>
  (b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!;

/** Writes the low 16 bits of `value` at `at`, network order. */
export function put16(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 8;
  b[at + 1] = value;
}

/** Writes 32 bits at `at`, network order. */
export function put32(b: Uint8Array, at: number, value: number): void {
  b[at] = value >>> 24;
  b[at + 1] = value >>> 16;
  b[at + 2] = value >>> 8;
  b[at + 3] = value;
}
