/**
 * Memory of flat records, seen as words, doubles and bytes. A record costs the garbage collector nothing, and the
 * system only once it is used: a fresh one is zero. Who owns a record says what its words mean.
 */
export class FlatMemory {
  readonly words: Int32Array;
  readonly floats: Float64Array;
  readonly bytes: Uint8Array;

  /** @param words a multiple of two */
  constructor(words: number) {
    const memory = new ArrayBuffer(words * 4);
    this.words = new Int32Array(memory);
    this.floats = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
  }
}
