/**
 * The argument of BDAT: chunk-size [SP "LAST"] (RFC 3030 §2), and of XEXCH50: size [SP version]. Strict, for servers
 * differ in what they make of others (a sign, leading zeros, characters behind the number, no octets and not the last
 * chunk), and then in which octets they take for commands.
 */
import type { StateIo } from '../../memory/state-io.js';

const SPACE = 0x20;
const LAST = 'LAST';

const State = { before: 0, digits: 1, zero: 2, blank: 3, last: 4, version: 5, bad: 6 } as const;
type State = (typeof State)[keyof typeof State];

/** More octets than any maxData; the number stays exact. */
const MAX_DIGITS = 15;

export class ChunkArgument {
  size = 0;
  last = false;
  #state: State = State.before;
  #count = 0;
  #versioned = false;

  /** @param versioned a number may follow, not LAST */
  begin(versioned: boolean): void {
    this.#versioned = versioned;
    this.size = 0;
    this.last = false;
    this.#state = State.before;
    this.#count = 0;
  }

  /** Saves or loads. */
  sync(io: StateIo): void {
    this.#versioned = io.flag(this.#versioned);
    this.size = io.double(this.size);
    this.last = io.flag(this.last);
    this.#state = io.below(this.#state, State.bad + 1) as State;
    this.#count = io.below(this.#count, MAX_DIGITS + 2);
  }

  get complete(): boolean {
    return this.#state === State.digits || this.#state === State.version || this.last;
  }

  /** Takes the next byte behind the verb, before CR LF. @returns false when the argument cannot be right any more */
  step(c: number): boolean {
    const digit = c >= 0x30 && c <= 0x39;
    switch (this.#state) {
      case State.before:
        if (digit) {
          this.#state = c === 0x30 ? State.zero : State.digits;
          this.size = c - 0x30;
          this.#count = 1;
        } else if (c !== SPACE || this.#count++ > 0) this.#state = State.bad;
        break;
      case State.digits:
      case State.zero:
        if (c === SPACE) {
          this.#state = State.blank;
          this.#count = 0;
        } else if (!digit || this.#state === State.zero || ++this.#count > MAX_DIGITS) this.#state = State.bad;
        else this.size = this.size * 10 + c - 0x30;
        break;
      case State.blank:
        if (this.#versioned) this.#state = digit && this.size > 0 ? State.version : State.bad;
        else if ((c & ~SPACE) !== LAST.charCodeAt(this.#count)) this.#state = State.bad;
        else if (++this.#count === LAST.length) {
          this.last = true;
          this.#state = State.last;
        }
        break;
      case State.version:
        if (!digit) this.#state = State.bad;
        break;
      default:
        this.#state = State.bad;
        this.last = false;
    }
    return this.#state !== State.bad;
  }
}
