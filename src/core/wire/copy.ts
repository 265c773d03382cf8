/**
 * Copies and compares ranges of plain Uint8Arrays. Node's native range functions do it without a view of our own:
 * 1460 bytes took 75 ns against 90 ns for `set(subarray())` and 1800–3500 ns for a loop (Node 20, one machine).
 */

// Under this length a loop beats the call into native code.
const LOOP_BYTES = 24;

// Typed; these functions take any Uint8Array.
const native = Buffer.prototype as Buffer;

/** Copies `length` bytes from[fromAt..] to to[toAt..]. The caller has proved both ranges; they don't overlap. */
export function copyBytes(from: Uint8Array, fromAt: number, to: Uint8Array, toAt: number, length: number): void {
  if (length < LOOP_BYTES) for (let i = 0; i < length; i++) to[toAt + i] = from[fromAt + i]!;
  else native.copy.call(from, to, toAt, fromAt, fromAt + length);
}

/** True when the `length` bytes a[aAt..] and b[bAt..] are equal. The caller has proved both ranges. */
export function sameBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number): boolean {
  if (length >= LOOP_BYTES) return native.compare.call(a, b, bAt, bAt + length, aAt, aAt + length) === 0;
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false;
  return true;
}
