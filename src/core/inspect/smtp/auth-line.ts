/**
 * One response of the client in an AUTH exchange (RFC 4954 §4): base64, no command, never masked, kept or traced. Only
 * what some server would take for the end of the line, a bare CR or LF, is overwritten, and what follows with it. A bare
 * CR that has gone out already is beyond repair: that server now waits for the next response, or for a command.
 */
import type { StateIo } from '../../memory/state-io.js';
import { maskInPlace } from './mask.js';

const LF = 0x0a;
const CR = 0x0d;

export class AuthLine {
  ended = false;
  length = 0;
  fault: 'bare-line-break' | undefined = undefined;
  reported = false;
  beyondRepair = false;
  /** `take` has overwritten something. */
  changed = false;
  readonly #alter: boolean;
  #cr = false;

  /** @param alter false: nothing is overwritten, the same is reported */
  constructor(alter: boolean) {
    this.#alter = alter;
  }

  begin(): void {
    this.ended = false;
    this.length = 0;
    this.fault = undefined;
    this.reported = false;
    this.beyondRepair = false;
    this.#cr = false;
  }

  /** Saves or loads. */
  sync(io: StateIo): void {
    this.ended = io.flag(this.ended);
    this.length = io.int(this.length);
    this.fault = io.flag(this.fault !== undefined) ? 'bare-line-break' : undefined;
    this.reported = io.flag(this.reported);
    this.beyondRepair = io.flag(this.beyondRepair);
    this.#cr = io.flag(this.#cr);
  }

  /** Takes b[at..end), as far as the line goes. @returns offset of the first byte not taken */
  take(b: Uint8Array, at: number, end: number): number {
    this.changed = false;
    for (let i = at; i < end; i++) {
      const c = b[i]!;
      this.length++;
      if (this.#cr && c === LF) {
        this.ended = true;
        return i + 1;
      }
      if (this.#cr) {
        this.fault ??= 'bare-line-break';
        if (i > at) this.#overwrite(b, i - 1);
        else this.beyondRepair = true;
      }
      this.#cr = c === CR;
      if (c === LF) this.fault ??= 'bare-line-break';
      if (this.fault !== undefined && c !== CR) this.#overwrite(b, i);
    }
    return end;
  }

  #overwrite(b: Uint8Array, i: number): void {
    if (this.#alter && maskInPlace(b, i, i + 1)) this.changed = true;
  }
}
