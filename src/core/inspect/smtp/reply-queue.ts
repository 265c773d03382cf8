/**
 * The lines of one client that await a reply, in order: what each is, and where in the client's stream it ends. Small
 * for the few that most sessions have; a long group takes more memory for as long as it lasts.
 */
import type { StateIo } from '../../memory/state-io.js';
import { PIPELINE_LIMIT } from './grammar.js';

/** Lines that it holds without more memory. Both are powers of two. */
const SHORT = 64;

export class ReplyQueue {
  length = 0;
  readonly #shortIds = new Uint8Array(SHORT);
  readonly #shortEnds = new Int32Array(SHORT);
  #ids = this.#shortIds;
  #ends = this.#shortEnds;
  #first = 0;

  /** Saves or loads. A group of more lines than few have is not saved: it would cost too much with each packet. */
  sync(io: StateIo): void {
    const length = io.below(this.length, SHORT + 1);
    if (io.loading) this.clear();
    for (let n = 0; n < length && io.sound; n++) {
      if (io.loading) this.push(io.below(0, 256), io.int(0));
      else {
        io.int(this.id(n));
        io.int(this.end(n));
      }
    }
  }

  /** Match id (or another kind of line) of the n-th line, and its end: int32, bytes from the first data byte. */
  id(n: number): number {
    return this.#ids[(this.#first + n) & (this.#ids.length - 1)]!;
  }

  end(n: number): number {
    return this.#ends[(this.#first + n) & (this.#ends.length - 1)]!;
  }

  /** Adds a line at the end. @returns false, with nothing changed, when PIPELINE_LIMIT lines wait */
  push(id: number, end: number): boolean {
    if (this.length === this.#ids.length && !this.#lengthen()) return false;
    const at = (this.#first + this.length) & (this.#ids.length - 1);
    this.#ids[at] = id;
    this.#ends[at] = end;
    this.length++;
    return true;
  }

  /** Takes the first line off; only when there is one. */
  shift(): void {
    this.#first = (this.#first + 1) & (this.#ids.length - 1);
    if (--this.length === 0) this.clear();
  }

  clear(): void {
    this.length = 0;
    this.#first = 0;
    this.#ids = this.#shortIds;
    this.#ends = this.#shortEnds;
  }

  #lengthen(): boolean {
    if (this.#ids !== this.#shortIds) return false;
    const ids = new Uint8Array(PIPELINE_LIMIT);
    const ends = new Int32Array(PIPELINE_LIMIT);
    for (let n = 0; n < this.length; n++) {
      ids[n] = this.id(n);
      ends[n] = this.end(n);
    }
    this.#ids = ids;
    this.#ends = ends;
    this.#first = 0;
    return true;
  }
}
