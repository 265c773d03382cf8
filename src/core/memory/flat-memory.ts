/** Asks the system for the words up to `words`. @returns up to where they are there now; `ready`: as before, no more */
type Asking = (words: number, ready: number) => number;

/**
 * Memory of flat records, seen as words, doubles and bytes. A record costs the garbage collector nothing, and the
 * system only once it is used: a fresh one is zero. Who owns a record says what its words mean.
 */
export class FlatMemory {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly bytes: Uint8Array;
  /** Words from the start that the system has promised; `grow` asks for more. Memory of the heap always is there. */
  ready: number;
  /** Nobody has left anything here. */
  fresh = true;
  readonly #ask: Asking | undefined;

  /**
   * @param memory words of new memory, a multiple of two; or memory that is there, from an offset in bytes on
   * @param ask  where the system has not promised all at once
   */
  constructor(memory: number | { buffer: ArrayBuffer; offset: number; words: number }, ask?: Asking) {
    const { buffer, offset, words } =
      typeof memory === 'number' ? { buffer: new ArrayBuffer(memory * 4), offset: 0, words: memory } : memory;
    this.words = new Int32Array(buffer, offset, words);
    this.floats = new Float64Array(buffer, offset, words >> 1);
    this.bytes = new Uint8Array(buffer, offset, words * 4);
    this.ready = ask === undefined ? words : 0;
    this.#ask = ask;
  }

  /** Makes sure that the words up to this one may be written. False: there is no memory. */
  grow(words: number): boolean {
    if (words > this.ready && this.#ask !== undefined) this.ready = this.#ask(words, this.ready);
    return words <= this.ready;
  }
}

/**
 * Gives each table its memory, by name. What comes back under a name is what was left there: that is how tables outlive
 * the process.
 * @param words a multiple of two; `tail` of them, the last ones, are written all over from the start
 */
export type MemorySource = (name: string, words: number, tail: number) => FlatMemory;

/** Memory that ends with the process. */
export const heapMemory: MemorySource = (_name, words) => new FlatMemory(words);
