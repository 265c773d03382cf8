/**
 * Buffers whose sizes are powers of two, kept for the next taker, so that streams take and give back memory all the
 * time without work for the garbage collector. What is kept is bounded; the rest goes back to the runtime.
 */

/** Buffers are kept for reuse up to this sum. A burst of streams does not pin its memory for ever. */
const KEPT_BYTES = 32 << 20;

export class BufferPool {
  readonly #free: Uint8Array[][] = Array.from({ length: 31 }, () => []);
  #kept = 0;

  /** A buffer of `size` bytes (a power of two, up to 2^30). Its content is left over from its last use. */
  take(size: number): Uint8Array {
    const buffer = this.#free[31 - Math.clz32(size)]!.pop();
    if (buffer === undefined) return new Uint8Array(size);
    this.#kept -= size;
    return buffer;
  }

  /** Takes back a buffer that `take` gave and that nobody refers to any longer. */
  give(buffer: Uint8Array): void {
    const size = buffer.length;
    if (this.#kept + size > KEPT_BYTES) return;
    this.#kept += size;
    this.#free[31 - Math.clz32(size)]!.push(buffer);
  }
}

/** The smallest power of two that is at least `length` and `least` (itself a power of two). `length` up to 2^30. */
export function powerOfTwo(length: number, least: number): number {
  return length <= least ? least : 1 << (32 - Math.clz32(length - 1));
}
