/** Bytes that are written anew as a whole, now and then, in memory that outlives the process: always the last whole ones. */
import type { FlatMemory, MemorySource } from './flat-memory.js';

const CURRENT = 0; // 0: none; 1, 2: which half
const HEAD = 4; // words

export class SavedBytes {
  readonly #memory: FlatMemory;
  readonly #half: number;

  /** @param most bytes that can be saved, a multiple of 8 */
  constructor(
    name: string,
    private readonly most: number,
    source: MemorySource,
  ) {
    this.#half = most / 4 + 2;
    const words = HEAD + 2 * this.#half;
    this.#memory = source(name, words, words);
  }

  /** Writes bytes[0..length). @returns false where they are too many; then what was saved is gone */
  write(bytes: Uint8Array, length: number): boolean {
    const { words, bytes: memory } = this.#memory;
    if (length > this.most) {
      words[CURRENT] = 0;
      return false;
    }
    const next = words[CURRENT] === 1 ? 2 : 1;
    const at = this.#at(next);
    words[at] = length;
    memory.set(length === bytes.length ? bytes : bytes.subarray(0, length), (at + 2) * 4);
    words[CURRENT] = next;
    return true;
  }

  /** What was written last; undefined: nothing that can be read. */
  read(): Uint8Array | undefined {
    const { words, bytes } = this.#memory;
    const current = words[CURRENT]!;
    if (current !== 1 && current !== 2) return undefined;
    const at = this.#at(current);
    const length = words[at]!;
    if (length < 0 || length > this.most) return undefined;
    return bytes.slice((at + 2) * 4, (at + 2) * 4 + length);
  }

  #at(half: number): number {
    return HEAD + (half - 1) * this.#half;
  }
}
