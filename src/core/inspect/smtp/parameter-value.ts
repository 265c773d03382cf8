/**
 * The value of one parameter, byte by byte: SIZE=123, BODY=8BITMIME, NOTIFY=SUCCESS,FAILURE, ORCPT=rfc822;xtext. It
 * tells at the first byte that makes the value wrong.
 */
import type { StateIo } from '../../memory/state-io.js';
import { CLASSES, CLASS_OF, OTHER, START } from './dfa.js';
import type { CompiledParameter } from './parameter-table.js';

const SPACE = 0x20;
const PLUS = 0x2b;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const DEL = 0x7f;

const MAX_SIZE_DIGITS = 20; // RFC 1870 §4

export class ParameterValue {
  #parameter: CompiledParameter | undefined = undefined;
  #offered = 0;
  /** Bytes of the value, of the part behind its last comma or semicolon. */
  #length = 0;
  #part = 0;
  #afterComma = false;
  #inType = false;
  /** State in the parameter's words. */
  #word = START;
  /** Hex digits that must follow a `+`. */
  #hexDigits = 0;

  /** Behind the `=`. @param offered bits of the extensions that the server offered */
  begin(parameter: CompiledParameter, offered: number): void {
    this.#parameter = parameter;
    this.#offered = offered;
    this.#length = 0;
    this.#part = 0;
    this.#afterComma = false;
    this.#inType = parameter.form === 'typed-xtext';
    this.#word = START;
    this.#hexDigits = 0;
  }

  /** Saves or loads. @param parameter of the value in hand, if there is one */
  sync(io: StateIo, parameter: CompiledParameter | undefined): void {
    this.#parameter = parameter;
    this.#offered = io.int(this.#offered);
    this.#length = io.int(this.#length);
    this.#part = io.int(this.#part);
    this.#afterComma = io.flag(this.#afterComma);
    this.#inType = io.flag(this.#inType);
    this.#word = io.below(this.#word, parameter?.words?.accept.length ?? 256);
    this.#hexDigits = io.below(this.#hexDigits, 3);
  }

  /** @returns false when the value cannot be right any more */
  step(c: number): boolean {
    const p = this.#parameter!;
    this.#length++;
    this.#part++;
    switch (p.form) {
      case 'digits':
        return c >= 0x30 && c <= 0x39 && this.#length <= MAX_SIZE_DIGITS;
      case 'word':
      case 'list':
        return this.#inWords(c, p);
      case 'any':
        return isValueByte(c);
      default:
        return this.#inType ? this.#inAddressType(c) : this.#inXtext(c);
    }
  }

  /** May the value end here? */
  get complete(): boolean {
    const p = this.#parameter!;
    if (p.words !== undefined) return p.words.accept[this.#word] !== 0;
    return this.#part > 0 && !this.#inType && this.#hexDigits === 0;
  }

  #inWords(c: number, p: CompiledParameter): boolean {
    const words = p.words!;
    if (c === COMMA && p.form === 'list') {
      // The first word stands alone (NOTIFY=NEVER).
      if (words.accept[this.#word]! <= 1) return false;
      this.#word = START;
      this.#afterComma = true;
      return true;
    }
    this.#word = words.next[this.#word * CLASSES + CLASS_OF[c]!]!;
    if (this.#word === OTHER) return false;
    let possible = p.ahead[this.#word]!;
    if (this.#afterComma) possible &= ~(1 << 1);
    for (let w = 0; w < p.needs.length; w++) {
      if (p.needs[w] !== 0 && (p.needs[w]! & this.#offered) === 0) possible &= ~(1 << (w + 1));
    }
    return possible !== 0;
  }

  /** addr-type, an atom, up to its semicolon. */
  #inAddressType(c: number): boolean {
    if (c !== SEMICOLON) return isValueByte(c);
    this.#inType = false;
    this.#part = 0;
    return this.#length > 1;
  }

  #inXtext(c: number): boolean {
    if (this.#hexDigits > 0) {
      this.#hexDigits--;
      return isHex(c);
    }
    if (c === PLUS) this.#hexDigits = 2;
    return isValueByte(c);
  }
}

/** Of esmtp-value: printable, no blank, no `=`. */
const isValueByte = (c: number): boolean => c > SPACE && c < DEL && c !== EQUALS;

const isHex = (c: number): boolean => (c >= 0x30 && c <= 0x39) || (c >= 0x41 && c <= 0x46) || (c >= 0x61 && c <= 0x66);
